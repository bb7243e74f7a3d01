"""Writing and reading weights, none of which is ever unpickled beyond tensors."""

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from advprune.errors import UserError
from advprune.networks.classifier import Classifier, build_classifier
from advprune.storage.tensors import atomic_write_tensors


def save_weights(path: str | Path, classifier: Classifier) -> None:
    """Write the weights of a classifier's network, whole or not at all.

    They are written from the CPU and in the usual layout, wherever and however they lie in memory.
    """
    weights = classifier.network.state_dict()
    with atomic_write_tensors(path) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in weights.items()}, temporary)


def load_weights(classifier: Classifier, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a classifier's network; the names must match one for one.

    The prefix ``module.`` that parallel training leaves in names is taken off.

    Raises:
        ValueError: names or shapes differ; the message lists the first of them.
    """
    stripped = {name.removeprefix("module."): value for name, value in weights.items()}
    wanted = classifier.network.state_dict()
    missing = sorted(wanted.keys() - stripped.keys())
    unknown = sorted(stripped.keys() - wanted.keys())
    reshaped = [
        f"{name} is {tuple(stripped[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & stripped.keys())
        if stripped[name].shape != wanted[name].shape
    ]
    problems = [
        f"{title}: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
        for title, names in (
            ("missing", missing),
            ("not in this network", unknown),
            ("wrong shape", reshaped),
        )
        if names
    ]
    if problems:
        raise ValueError("; ".join(problems))
    classifier.network.load_state_dict(stripped)


def read_classifier(path: Path, network: str, **architecture: Any) -> Classifier:
    """Build a network and read its weights from a file, none of which is ever executed.

    Args:
        path: a ``.safetensors`` file, or a state dict saved by PyTorch, which is read with
            ``weights_only``.
        network: a name in `spec.networks.NETWORKS`.
        architecture: the rest of what `build_classifier` takes, but for the seed.

    Raises:
        UserError: the file cannot be read or holds the weights of another network.
    """
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        weights = weights.get("state_dict", weights) if isinstance(weights, Mapping) else weights
        if not _is_state_dict(weights):
            raise ValueError(f"it holds a {type(weights).__name__}, not a state dict")
        classifier = build_classifier(network, seed=0, **architecture)
        load_weights(classifier, weights)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (
        SafetensorError,
        OSError,
        EOFError,
        LookupError,
        ValueError,
        RuntimeError,
        struct.error,
    ) as error:
        raise UserError(f"{path} cannot be used as weights of {network}: {error}") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} was not opened: it holds more than weights, or is damaged. Save the network's "
            "state_dict() alone, best as .safetensors"
        ) from error
    return classifier


def _is_state_dict(content: object) -> bool:
    return isinstance(content, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    )

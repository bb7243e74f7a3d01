"""Writing and reading weights, none of which is ever unpickled beyond tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from advprune.errors import UserError
from advprune.networks.classifier import Classifier, build_classifier
from advprune.networks.state_dicts import find_state_dict, misfits, named_as
from advprune.storage.tensors import atomic_write_tensors

LONGEST_HEADER = 100_000_000  # bytes that safetensors allow


def save_weights(path: str | Path, classifier: Classifier) -> None:
    """Write the weights of a classifier's network, whole or not at all.

    They are written from the CPU and in the usual layout, wherever and however they lie in memory.
    """
    weights = classifier.network.state_dict()
    with atomic_write_tensors(path) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in weights.items()}, temporary)


def load_weights(
    classifier: Classifier, weights: Mapping[str, Tensor], *, must_be_finite: bool = True
) -> None:
    """Put weights into a classifier's network; the names must match one for one.

    What parallel training, `torch.compile` and other wrappers add to names is taken off.

    Args:
        classifier: whose network is filled, wholly or not at all.
        weights: its state dict.
        must_be_finite: whether NaN and infinity are refused.

    Raises:
        ValueError: names, shapes or types differ, or a value is refused; the message lists the
            first of them.
    """
    wanted = classifier.network.state_dict()
    named = named_as(weights, wanted)
    if problems := misfits(named, wanted, must_be_finite=must_be_finite):
        raise ValueError("; ".join(problems))
    classifier.network.load_state_dict(named)


def read_classifier(
    path: Path, network: str, *, must_be_finite: bool = True, **architecture: Any
) -> Classifier:
    """Build a network and read its weights from a file, none of which is ever executed.

    Args:
        path: safetensors, or what PyTorch has saved: a state dict or something around one, which
            is read with ``weights_only``. The content tells which, not the name.
        network: a name in `spec.networks.NETWORKS`.
        must_be_finite: whether weights that are NaN or infinite are refused.
        architecture: the rest of what `build_classifier` takes, but for the seed.

    Raises:
        UserError: the file cannot be read or holds the weights of another network.
    """
    content = _content_of(path)
    try:
        classifier = build_classifier(network, seed=0, **architecture)
        weights = find_state_dict(content, classifier.network.state_dict())
        load_weights(classifier, weights, must_be_finite=must_be_finite)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{path} cannot be used as weights of {network}: {error}") from error
    return classifier


def _content_of(path: Path) -> Any:
    try:
        if _is_safetensors(path):
            return load_file(path)
        with open(path, "rb") as file:  # PyTorch too goes by a path's suffix
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    # PyTorch stumbles over a damaged file anywhere, and where it holds code says how to run that.
    except Exception as error:
        raise UserError(
            f"{path} was not opened: it holds more than weights, or is damaged. Save the network's "
            "state_dict() alone, best as .safetensors"
        ) from error


def _is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a header, and the header, JSON."""
    with open(path, "rb") as file:
        beginning = file.read(9)
    length = int.from_bytes(beginning[:8], "little")
    return beginning[8:] == b"{" and length <= LONGEST_HEADER

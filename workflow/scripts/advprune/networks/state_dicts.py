"""State dicts as others save them: found in what lies around them, and held against a network's."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

StateDict = Mapping[str, Tensor]

# What a network is called in what is put around it: by torch.compile, by parallel training, and by
# the classes of trainers, as it is in `classifier.Classifier`.
WRAPPERS = {"_orig_mod", "module", "model", "net", "network"}
CONSTANTS = {"mu", "mean", "sigma", "std", "standard_deviation"}  # of images, not trained


def find_state_dict(content: Any, wanted: StateDict) -> StateDict:
    """The state dict in what a file holds: itself, or the one inside that fits a network best.

    Args:
        content: what the file holds.
        wanted: the network's state dict.

    Raises:
        ValueError: there is none, or several that fit equally well.
    """
    found = dict(_state_dicts(content))
    if not found:
        inside = ", ".join(map(str, list(content)[:3])) if isinstance(content, Mapping) else ""
        raise ValueError(
            f"it holds a {type(content).__name__}, not a state dict"
            + (f"; what it has is {inside}{' …' if len(content) > 3 else ''}" if inside else "")
        )
    known = {bare(name) for name in wanted}
    fitting = {key: len(known & {bare(name) for name in found[key]}) for key in found}
    best = [key for key in found if fitting[key] == max(fitting.values())]
    if len(best) > 1:
        raise ValueError(
            f"it holds several state dicts, {_first(best)}, of which none fits this network better "
            "than the others: save the one that is meant alone"
        )
    return found[best[0]]


def _state_dicts(content: Any, above: str = "") -> Iterator[tuple[str, StateDict]]:
    """All of them, from the outside in, by the keys that lead to them."""
    if not isinstance(content, Mapping):
        return
    if all(isinstance(name, str) and isinstance(each, Tensor) for name, each in content.items()):
        yield above, content
        return
    for key, inside in content.items():
        yield from _state_dicts(inside, f"{above}.{key}".lstrip("."))


def bare(name: str) -> str:
    """A weight's name without the names of wrappers, wherever they stand in it."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def named_as(weights: StateDict, wanted: StateDict) -> dict[str, Tensor]:
    """Weights by the names that a network has for them, as far as it has any.

    Raises:
        ValueError: two names differ in wrappers alone.
    """
    if weights.keys() == wanted.keys():
        return dict(weights)
    own = {bare(name): name for name in wanted}
    saved_as: dict[str, str] = {}
    for name in weights:
        known = own.get(bare(name), bare(name))
        if known in saved_as:
            raise ValueError(
                f"{known} occurs twice, as {saved_as[known]} and as {name}: save the network that "
                "is meant alone"
            )
        saved_as[known] = name
    return {known: weights[name] for known, name in saved_as.items()}


def misfits(weights: StateDict, wanted: StateDict, *, must_be_finite: bool) -> list[str]:
    """What keeps weights from being put into a network, a phrase for each kind.

    Args:
        weights: by the network's names.
        wanted: the network's state dict.
        must_be_finite: whether NaN and infinity are refused.
    """
    unknown = sorted(weights.keys() - wanted.keys())
    both = sorted(wanted.keys() & weights.keys())
    shapes = [name for name in both if weights[name].shape != wanted[name].shape]
    types = [name for name in both if _kind(weights[name]) != _kind(wanted[name])]
    values = []
    if must_be_finite and not types:
        # In the network's type: a float64 may be too large for it.
        values = [name for name in both if not weights[name].to(wanted[name]).isfinite().all()]
    found = {
        "missing": sorted(wanted.keys() - weights.keys()),
        "not in this network": unknown,
        "wrong shape": [
            f"{name} is {tuple(weights[name].shape)}, not {tuple(wanted[name].shape)}"
            for name in shapes
        ],
        "wrong type": [
            f"{name} is {_kind(weights[name])}, not {_kind(wanted[name])}" for name in types
        ],
        "NaN or infinite": values,
    }
    phrases = [f"{title}: {_first(names)}" for title, names in found.items() if names]
    if constants := [name for name in unknown if name.split(".")[-1] in CONSTANTS]:
        phrases.append(
            f"{_first(constants)} may normalise images: save the network without that, and give "
            "--normalise if it is by the data set's own mean and deviation"
        )
    return phrases


def _kind(tensor: Tensor) -> str:
    """Floating-point numbers may be rounded into each other, and nothing else."""
    if tensor.layout is not torch.strided:
        return str(tensor.layout).removeprefix("torch.")
    if tensor.dtype.is_floating_point:
        return "floating-point"
    return str(tensor.dtype).removeprefix("torch.")


def _first(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")

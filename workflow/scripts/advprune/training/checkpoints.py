"""Saving a run between epochs, and going on from there."""

import dataclasses
import datetime
import logging
from pathlib import Path

import torch

from advprune.data.examples import Examples
from advprune.spec.specification import TrainingSpec
from advprune.storage.saved_state import restore_state, save_state
from advprune.training.deepfool import DeepFoolResult
from advprune.training.early_stopping import Validation
from advprune.training.state import EpochRecord, TrainingState, start

log = logging.getLogger(__name__)


def save_checkpoint(path: Path, state: TrainingState, key: str) -> None:
    """Write the state after an epoch, whole or not at all, under the key of its work."""
    optimiser = state.optimiser.state_dict()
    tensors = {f"weights.{k}": v for k, v in state.classifier.network.state_dict().items()}
    for index, values in optimiser["state"].items():
        for name, value in values.items():
            if value is not None:
                tensors[f"optimiser.{index}.{name}"] = value
    tensors["kept"] = state.kept
    if state.distance is not None:
        tensors["distance"] = torch.from_numpy(state.distance)
    if state.converged is not None:
        tensors["converged"] = torch.from_numpy(state.converged)
    if state.losses is not None:
        tensors["losses"] = state.losses
    if state.distances is not None:
        tensors |= {f"distances.{name}": value for name, value in vars(state.distances).items()}
    validation = dict(vars(state.validation))
    for name, value in (validation.pop("best_weights") or {}).items():
        tensors[f"best.{name}"] = value
    rest = {
        "epoch": state.epoch,
        "pruned": state.pruned,
        "started": state.started.isoformat(),
        "seconds": state.stopwatch.seconds,
        "curve": [dataclasses.asdict(record) for record in state.curve],
        "diverged_epoch": state.diverged_epoch,
        "stacked": state.stacked,
        "validation": validation,
        "scaler": state.scaler.state_dict(),
    }
    save_state(path, key, tensors, rest)


def resume(path: Path, spec: TrainingSpec, examples: Examples, key: str) -> TrainingState | None:
    """The state of a run as it was saved last under a key; None if there is none that fits."""
    state = start(spec, examples)
    return state if restore_checkpoint(path, state, key) else None


def restore_checkpoint(path: Path, state: TrainingState, key: str) -> bool:
    """Put a saved state into a fresh one; whether there was one that fits.

    A checkpoint with another key, or one that is torn, is deleted with a line in the log; the state
    may then be half filled and must not be used.

    Args:
        path: the checkpoint.
        state: as `state.start` gives it.
        key: a digest of all that decides what the training makes.
    """
    if not restore_state(path, key, lambda tensors, rest: _fill(state, tensors, rest)):
        return False
    log.info("going on after epoch %d, from %s", state.epoch, path)
    return True


def _fill(state: TrainingState, tensors: dict[str, torch.Tensor], rest: dict) -> None:
    state.classifier.network.load_state_dict(_named("weights.", tensors))
    saved = state.optimiser.state_dict()
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, part = name.split(".", 2)
            saved["state"].setdefault(int(index), {})[part] = value
    state.optimiser.load_state_dict(saved)
    state.scaler.load_state_dict(rest["scaler"])
    state.kept = tensors["kept"]
    state.distance = tensors["distance"].numpy() if "distance" in tensors else None
    state.converged = tensors["converged"].numpy() if "converged" in tensors else None
    state.losses = tensors.get("losses")
    distances = _named("distances.", tensors)
    state.distances = DeepFoolResult(**distances) if distances else None
    state.epoch = rest["epoch"]
    state.pruned = rest["pruned"]
    state.started = datetime.datetime.fromisoformat(rest["started"])
    state.stopwatch.seconds = rest["seconds"]
    state.curve = [EpochRecord(**record) for record in rest["curve"]]
    state.diverged_epoch = rest["diverged_epoch"]
    state.stacked = rest["stacked"]
    best_weights = _named("best.", tensors) or None
    state.validation = Validation(**rest["validation"], best_weights=best_weights)


def _named(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }

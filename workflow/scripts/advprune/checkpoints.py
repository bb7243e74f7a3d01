"""Saving a run between epochs and going on from there.

A checkpoint is one safetensors file: tensors, and everything else as JSON beside the hash of the
specification it belongs to. It is never unpickled, and one that does not fit is never used.
"""

import dataclasses
import hashlib
import json
import logging
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from advprune.early_stopping import Validation
from advprune.files import canonical_json, written_whole
from advprune.runs import TrainingSpec
from advprune.training import EpochRecord, TrainingState

log = logging.getLogger(__name__)


def save_checkpoint(path: Path, state: TrainingState, spec: TrainingSpec) -> None:
    """Write the state after an epoch, whole or not at all."""
    optimiser = state.optimiser.state_dict()
    tensors = {f"weights.{k}": v for k, v in state.classifier.network.state_dict().items()}
    for index, values in optimiser["state"].items():
        for name, value in values.items():
            if value is not None:
                tensors[f"optimiser.{index}.{name}"] = value
    tensors["kept"] = state.kept
    if state.distance is not None:
        tensors["distance"] = torch.from_numpy(state.distance)
    validation = dict(vars(state.validation))
    for name, value in (validation.pop("best_weights") or {}).items():
        tensors[f"best.{name}"] = value
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    rest = {
        "spec": spec.digest,
        "epoch": state.epoch,
        "seconds": state.stopwatch.seconds,
        "curve": [dataclasses.asdict(record) for record in state.curve],
        "diverged_epoch": state.diverged_epoch,
        "validation": validation,
        "scaler": state.scaler.state_dict(),
    }
    rest["digest"] = _digest(tensors, rest)
    with written_whole(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"state": json.dumps(rest)})


def restore_checkpoint(path: Path, state: TrainingState, spec: TrainingSpec) -> bool:
    """Put a saved state into a fresh one; whether there was one that fits.

    A checkpoint of another specification, or one that is torn, is deleted with a line in the log;
    the state may then be half filled and must not be used.
    """
    if not path.exists():
        return False
    try:
        with safe_open(path, framework="pt") as file:
            rest = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if rest["spec"] != spec.digest:
            raise ValueError("it belongs to another specification")
        if rest.pop("digest") != _digest(tensors, rest):
            raise ValueError("its contents are not what was saved")
        _fill(state, tensors, rest)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        log.warning("checkpoint %s is not used: %s; starting from the beginning", path, error)
        path.unlink()
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
    state.epoch = rest["epoch"]
    state.stopwatch.seconds = rest["seconds"]
    state.curve = [EpochRecord(**record) for record in rest["curve"]]
    state.diverged_epoch = rest["diverged_epoch"]
    best_weights = _named("best.", tensors) or None
    state.validation = Validation(**rest["validation"], best_weights=best_weights)


def _named(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _digest(tensors: dict[str, torch.Tensor], rest: dict) -> str:
    """SHA-256 of everything in a checkpoint."""
    total = hashlib.sha256(canonical_json(rest).encode())
    for name in sorted(tensors):
        values = tensors[name].numpy()
        total.update(f"{name} {values.dtype} {values.shape}".encode())
        total.update(values.tobytes())
    return total.hexdigest()

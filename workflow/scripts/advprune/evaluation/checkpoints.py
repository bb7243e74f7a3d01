"""Saving an evaluation between its phases, and going on from there."""

from pathlib import Path

import torch

from advprune.evaluation.phases import Progress
from advprune.storage.saved_state import restore_state, save_state


def restore_progress(path: Path, key: str) -> Progress:
    """What an evaluation has found so far; from now on it is saved after every phase.

    Args:
        path: the checkpoint.
        key: a digest of all that decides what the evaluation finds.
    """
    progress = Progress()

    def fill(tensors: dict[str, torch.Tensor], rest: dict) -> None:
        progress.found = tensors
        progress.seconds, progress.warnings = rest["seconds"], rest["warnings"]
        progress.stacked = rest["stacked"]

    restore_state(path, key, fill)

    def save() -> None:
        rest = {"seconds": progress.seconds, "warnings": progress.warnings}
        rest["stacked"] = progress.stacked
        save_state(path, key, progress.found, rest)

    progress.save = save
    return progress

"""Folders of runs as training leaves them, with what tables and figures read there, by hand."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from advprune.analysis.notes import ALIKE
from advprune.spec.runs import Run
from advprune.storage.files import write_csv
from advprune.storage.records import write_record

DIGEST = "0123456789abcdef"


def write_run(
    folder: Path, run: Run, *, curve: list[dict] | None = None, **tensors: np.ndarray
) -> Path:
    """Write a run's record, its curve and its pruning; returns the run's folder."""
    place = folder / run.folder
    place.mkdir(parents=True)
    write_csv(place / "training.csv", curve or [{"epoch": 1, "validation_accuracy": None}])
    save_file(tensors or {"kept": np.ones(1, np.uint8)}, place / "pruning.safetensors")
    files = [place / name for name in ("training.csv", "pruning.safetensors")]
    write_record(place / "run.json", {"spec_digest": DIGEST}, files)
    return place


def row_of(run: Run, **changes: object) -> dict[str, object]:
    """A run's row in a table of runs."""
    row = {
        **dataclasses.asdict(run),
        **{"autoattack_accuracy": 50.0, "apgd_ce_40x5_accuracy": 55.0},
        "training_spec": DIGEST[:12],
        **dict.fromkeys(ALIKE, "one for all"),
    }
    return row | changes


def table_of(*runs: Run) -> pd.DataFrame:
    """A table of runs."""
    return pd.DataFrame([row_of(run) for run in runs])

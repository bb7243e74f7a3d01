"""The files of single runs that tables and figures are made from beside the table of runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import safe_open

from advprune.analysis.statistics import RUN_KEYS
from advprune.errors import UserError
from advprune.plan.config import Config
from advprune.plan.specify import by_epoch_spec
from advprune.spec.runs import Run
from advprune.storage.records import check_file, check_spec, read_record


def checked_file(row: dict[str, Any], folder: Path, name: str) -> Path:
    """A file that training has left in a run's folder.

    Args:
        row: of a table of runs.
        folder: holds the runs' folders.
        name: of the file.

    Raises:
        UserError: it is missing, is not what was written, or is of another run than that which the
            table of runs is about.
    """
    run = Run(row["dataset"], row["method"], row["p"], int(row["e"]), int(row["seed"]))
    path = folder / run.folder / "run.json"
    record = read_record(path)
    if not record["spec_digest"].startswith(row["training_spec"]):
        raise UserError(
            f"{path} was made anew after the table of runs, with another specification: run again"
        )
    return check_file(path, record, name)


def read_curves(runs: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The training curves of a table of runs: a row for every run and epoch.

    Args:
        runs: the table of runs.
        folder: holds the runs' folders.

    Returns:
        the columns of `RUN_KEYS`, ``seed``, and those of `training.state.EpochRecord`.

    Raises:
        UserError: see `checked_file`.
    """
    curves = []
    for row in runs.to_dict("records"):
        curve = pd.read_csv(checked_file(row, folder, "training.csv"))
        name = {key: row[key] for key in (*RUN_KEYS, "seed")}
        # A run without early stopping has an empty column, which would else be of no type.
        curves.append(curve.astype({"validation_accuracy": float}).assign(**name))
    whole = pd.concat(curves, ignore_index=True)
    names = [*RUN_KEYS, "seed"]
    return whole[[*names, *whole.columns.difference(names, sort=False)]]


def read_accuracies_by_epoch(runs: pd.DataFrame, folder: Path, config: Config) -> pd.DataFrame:
    """What attacks after every epoch have found: a row for every run and epoch.

    Args:
        runs: the table of runs.
        folder: holds the runs' folders.
        config: says what they were to be attacked with.

    Returns:
        the columns of `RUN_KEYS`, ``seed``, those of `by_epoch.runs.attack_by_epoch`, and
        ``as_trained``: whether the run, trained once more for it, came out as it had.

    Raises:
        UserError: see `checked_file`; or they were made with another specification.
    """
    tables = []
    for row in runs.to_dict("records"):
        name = {key: row[key] for key in (*RUN_KEYS, "seed")}
        run = Run(**name)
        path = folder / run.folder / "by_epoch.json"
        record = read_record(path)
        check_spec(path, record, by_epoch_spec(run, config).to_dict())
        if not record["trained_spec_digest"].startswith(row["training_spec"]):
            raise UserError(f"{path} is about a run that was made anew since: run again")
        table = pd.read_csv(check_file(path, record, "by_epoch.csv"))
        tables.append(table.assign(**name, as_trained=record["as_trained"]))
    whole = pd.concat(tables, ignore_index=True)
    names = [*RUN_KEYS, "seed"]
    return whole[[*names, *whole.columns.difference(names, sort=False)]]


def read_prunings(runs: pd.DataFrame, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """What runs of one data set have kept.

    Args:
        runs: rows of a table of runs, at least one, all of one data set.
        folder: holds the runs' folders.

    Returns:
        (runs, n) bool, which of the n examples each run kept; (n,) uint8, the examples' classes.

    Raises:
        UserError: see `checked_file`.
    """
    kept = []
    for row in runs.to_dict("records"):
        with safe_open(checked_file(row, folder, "pruning.safetensors"), framework="numpy") as file:
            kept.append(file.get_tensor("kept").astype(bool))
            labels = file.get_tensor("label")
    return np.stack(kept), labels

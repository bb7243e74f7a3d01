"""From the files of single runs to one tidy table of runs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advprune.analysis.verdict_table import VerdictTable, verdicts_beside
from advprune.errors import UserError
from advprune.paths import VARIANT
from advprune.plan.config import Config, variant_config
from advprune.plan.exhibits import EXHIBITS, files_of_a_run, runs_of
from advprune.plan.specify import evaluation_spec, is_same_run, training_spec
from advprune.spec.runs import Run, training_seconds
from advprune.storage.files import has_files, write_text
from advprune.storage.records import check_files, check_hash, check_spec, read_record, write_hashes

# Names that look like numbers stay text: paths and tables must agree on p, versions and hashes end
# in zeros.
TEXT_COLUMNS = (
    *("p", "torch", "source", "evaluation_torch", "evaluation_source"),
    *("dataset_sha256", "training_spec", "evaluation_spec", "variant"),
)
COLUMN_TYPES = dict.fromkeys(TEXT_COLUMNS, str)
# What a training's seconds depend on, beside what is trained.
MACHINE = ("device", "processor", "threads")


def collect_runs(name: str, config: Config, folder: Path) -> pd.DataFrame:
    """One row for each run that a table or figure needs.

    Where it is about variants, ``variant`` is their name, and empty for the config's own runs.
    Every result is compared with what the config asks for. In a partial config, runs without
    results are left out.

    Args:
        name: of an exhibit in ``exhibits.WITH_RUNS``, or ``"all"``.
        config: the config that the results must have been made with.
        folder: holds the runs' folders.

    Raises:
        UserError: a result is missing, damaged, or was made with another specification or from
            another file of its data set than the others.
    """
    own = _collect(name, config, lambda run: folder / run.folder)
    if name not in EXHIBITS or not EXHIBITS[name].variants:
        return _as_in_a_file(_timed_on_one_machine(own))
    tables = [own.assign(variant="")]
    for variant in config["variants"]:
        varied = variant_config(variant, config)
        place = folder.parent / VARIANT.format(variant=variant) / folder.name

        def place_of(run: Run, varied: Config = varied, place: Path = place) -> Path:
            return (folder if is_same_run(run, varied, config) else place) / run.folder

        tables.append(_collect(name, varied, place_of).assign(variant=variant))
    whole = pd.concat([table for table in tables if len(table)], ignore_index=True)
    return _as_in_a_file(_timed_on_one_machine(whole)).fillna({"variant": ""})


def _as_in_a_file(runs: pd.DataFrame) -> pd.DataFrame:
    """The table as whoever reads it from a .csv has it, types and all."""
    return pd.read_csv(io.StringIO(runs.to_csv(index=False)), dtype=COLUMN_TYPES)


def _timed_on_one_machine(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of each data set, with the times that one kind of machine took.

    It is the one on which most of them were trained by themselves, of equally many the first by
    name. One processor takes a multiple of another's seconds: what all others took is moved to
    ``uncompared_seconds``.
    """
    if runs.empty:
        return runs
    # No record of a run on a GPU names a processor.
    machine = runs[[*MACHINE]].astype(str).fillna("").agg("; ".join, axis=1)
    timed = runs["training_seconds"].notna()
    usual = machine[timed].groupby(runs["dataset"]).agg(lambda names: names.mode().iloc[0])
    elsewhere = timed & (machine != runs["dataset"].map(usual))
    seconds = runs["training_seconds"]
    return runs.assign(
        training_seconds=seconds.mask(elsewhere),
        uncompared_seconds=runs["uncompared_seconds"].mask(elsewhere, seconds),
    )


def _collect(name: str, config: Config, place_of: Callable[[Run], Path]) -> pd.DataFrame:
    runs = runs_of(name, config)
    if config["partial"]:
        needed = files_of_a_run(name)
        runs = [run for run in runs if has_files(place_of(run), needed)]
    rows = [_row(run, config, place_of(run)) for run in runs]
    first: dict[str, tuple[Run, str]] = {}
    for run, row in zip(runs, rows, strict=True):
        other, data = first.setdefault(run.dataset, (run, row["dataset_sha256"]))
        if row["dataset_sha256"] != data:
            raise UserError(
                f"{place_of(other) / 'run.json'} and {place_of(run) / 'run.json'} were "
                f"made from different files of the data set {run.dataset}: delete the folder of "
                "every run whose dataset_sha256 is not what `sha256sum "
                f"results/datasets/{run.dataset}.safetensors` says, and run again"
            )
    return pd.DataFrame(rows)


def write_runs(path: str | Path, runs: pd.DataFrame, verdicts: VerdictTable | None = None) -> None:
    """Write a table of runs as CSV, beside it the runs' verdicts if given, and the hashes."""
    write_text(path, runs.to_csv(index=False))
    beside = []
    if verdicts:
        verdicts.write(verdicts_beside(path))
        beside.append(verdicts_beside(path))
    write_hashes(path, *beside)


def read_runs(path: str | Path) -> pd.DataFrame:
    """Read a table of runs written by the workflow.

    Raises:
        UserError: it is missing, holds no runs, or is not what was written.
    """
    return read_table(path, "a table of runs")


def read_table(path: str | Path, what: str) -> pd.DataFrame:
    """Read a .csv that was written by the workflow with its hash.

    Raises:
        UserError: it is missing, is not what was written, or is not ``what`` it should be.
    """
    check_hash(path)
    return _read_csv(path, what)


def _read_csv(path: str | Path, what: str) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=COLUMN_TYPES)
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise UserError(f"{path} is not {what}: {error}") from error


def _row(run: Run, config: Config, folder: Path) -> dict[str, Any]:
    training = read_record(folder / "run.json")
    evaluation = read_record(folder / "evaluation.json")
    check_spec(folder / "run.json", training, training_spec(run, config).to_dict())
    check_spec(folder / "evaluation.json", evaluation, evaluation_spec(run, config).to_dict())
    if evaluation["model_sha256"] != training["model_sha256"]:
        raise UserError(
            f"{folder / 'evaluation.json'} is about another network than {folder / 'run.json'}: "
            f"delete {folder / 'evaluation.json'} and run again"
        )
    if evaluation["dataset_sha256"] != training["dataset_sha256"]:
        raise UserError(
            f"{folder / 'evaluation.json'} was made from another file of the data set "
            f"{run.dataset} than {folder / 'run.json'}: delete the folder {folder} and run again"
        )
    check_files(folder / "run.json", training)
    check_files(folder / "evaluation.json", evaluation)
    seconds = training_seconds(
        training["seconds"], with_validation=config["early_stopping"]["timed"]
    )
    alone = training["stacked"] == 1
    (accuracies,) = _read_csv(folder / "evaluation.csv", "an evaluation").to_dict("records")
    return {
        "dataset": run.dataset,
        "method": run.method,
        "p": run.p,
        "e": run.e,
        "seed": run.seed,
        **accuracies,
        # A share of a stack's seconds is no run's: it counts for what all has cost alone.
        "training_seconds": seconds if alone else np.nan,
        "uncompared_seconds": 0.0 if alone else seconds,
        "stacked": training["stacked"],
        "scoring_seconds": training["seconds"].get("scoring", 0.0),
        "validation_seconds": training["seconds"].get("validation", 0.0),
        "train_examples": training["train_examples"],
        "kept_examples": training["kept_examples"],
        "diverged_epoch": training["diverged_epoch"],
        "stopped_epoch": training["stopped_epoch"],
        "validation_accuracy": _validation_accuracy(folder, training),
        "evaluation_seconds": sum(evaluation["seconds"].values()),
        **_made_with(training["provenance"]),
        "threads": training["provenance"]["threads"],
        **_made_with(evaluation["provenance"], "evaluation_"),
        "dataset_sha256": training["dataset_sha256"][:12],
        "training_spec": training["spec_digest"][:12],
        "evaluation_spec": evaluation["spec_digest"][:12],
    }


def _validation_accuracy(folder: Path, training: dict[str, Any]) -> float:
    """Percent that withstood early stopping's attack on the network as kept; NaN without it."""
    if not training["spec"]["early_stopping"]:
        return np.nan
    epochs = _read_csv(folder / "training.csv", "a training")["validation_accuracy"]
    # A run that was stopped has the best epoch's weights, any other the last one's.
    return 100 * float(epochs.iloc[-1] if training["stopped_epoch"] is None else epochs.max())


def _made_with(provenance: dict[str, Any], prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}device": provenance["device"],
        f"{prefix}processor": provenance["processor"],
        f"{prefix}torch": provenance["packages"]["torch"],
        f"{prefix}source": provenance["source"][:12],
    }

"""Tables of runs made by hand, with every column that the analysis makes of real ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from advprune.analysis.metrics import AFTER_EACH, AUTOATTACK, RELEASED_AUTOATTACK
from advprune.analysis.verdict_table import Verdicts, VerdictTable
from advprune.by_epoch.spec import ByEpochSpec
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.storage.files import write_csv
from advprune.storage.records import write_record

DIGEST = "abcdef0123456789"
# Of a run of which a test says nothing else.
USUAL = {
    **{"natural_accuracy": 98.0, AUTOATTACK: 50.0, RELEASED_AUTOATTACK: 60.0},
    **dict.fromkeys(AFTER_EACH, 50.0),
    **{"test_examples": 1000, "autoattack_examples": 4, "single_attack_examples": 8},
    "natural_accuracy_autoattack_examples": 100.0,
    "natural_accuracy_single_attack_examples": 100.0,
    **{"square_warning": 0, "gradient_warning": 0, "other_warning": 0},
    **{"training_seconds": 40.0, "uncompared_seconds": 0.0, "stacked": 1},
    **{"scoring_seconds": 4.0, "validation_seconds": 0.0},
    **{"train_examples": 4000, "kept_examples": 2400},
    **{"diverged_epoch": np.nan, "stopped_epoch": np.nan, "validation_accuracy": np.nan},
    "evaluation_seconds": 80.0,
    **{"device": "cpu: x86_64", "processor": "some; AVX2", "torch": "2.0"},
    **{"source": "0123456789ab", "threads": 1},
    **{"evaluation_device": "cpu: x86_64", "evaluation_processor": "some; AVX2"},
    **{"evaluation_torch": "2.0", "evaluation_source": "0123456789ab"},
    **dict.fromkeys(("dataset_sha256", "training_spec", "evaluation_spec"), DIGEST[:12]),
}


def seeded(accuracies: Sequence[float], first: int = 0) -> pd.Series:
    """Accuracies with their seeds as index, from ``first`` on."""
    return pd.Series(accuracies, index=range(first, first + len(accuracies)), dtype=float)


def table_of_runs(runs: Sequence[Run], **columns: object) -> pd.DataFrame:
    """A row for each run; columns that are not given have the usual value."""
    names = {
        name: [getattr(run, name) for run in runs]
        for name in ("dataset", "method", "p", "e", "seed")
    }
    return pd.DataFrame(names | USUAL | columns, index=range(len(runs)))


def runs_of_cell(
    method: str,
    p: str | None = None,
    *,
    dataset: str = "mnist",
    e: int = 1,
    first_seed: int = 0,
    **columns: Sequence[float],
) -> pd.DataFrame:
    """A row, and a seed, for each value of the columns given.

    Where p is not given, it is 0.6 for methods that prune, as in Table 1.
    """
    p = p or ("0.6" if METHODS[method].select else "1.0")
    seeds = range(first_seed, first_seed + len(next(iter(columns.values()))))
    return table_of_runs([Run(dataset, method, p, e, seed) for seed in seeds], **columns)


def joined(*cells: pd.DataFrame) -> pd.DataFrame:
    """One table of several cells."""
    return pd.concat(cells, ignore_index=True)


def verdicts_of(runs: pd.DataFrame) -> VerdictTable:
    """Verdicts that give the accuracies: AutoAttack's on the first 4 of APGD-CE's 8 images."""
    places, found = {}, {}
    for dataset, group in runs.groupby("dataset"):
        names = [Run(dataset, row.method, row.p, row.e, row.seed) for row in group.itertuples()]
        places |= {run: place for place, run in enumerate(names)}
        for metric, images in ((AUTOATTACK, 4), (RELEASED_AUTOATTACK, 8)):
            share = group[metric].to_numpy()[:, None] / 100
            found[dataset, metric] = Verdicts(np.arange(images), np.arange(images) < share * images)
    return VerdictTable(places, found)


def write_run(
    folder: Path, run: Run, *, curve: list[dict] | None = None, **tensors: np.ndarray
) -> None:
    """Write the folder of a run of a table: its record, its curve and its pruning."""
    place = folder / run.folder
    place.mkdir(parents=True)
    write_csv(place / "training.csv", curve or [{"epoch": 1, "validation_accuracy": None}])
    save_file(tensors or {"kept": np.ones(1, np.uint8)}, place / "pruning.safetensors")
    files = [place / name for name in ("training.csv", "pruning.safetensors")]
    write_record(place / "run.json", {"spec_digest": DIGEST}, files)


def write_by_epoch(
    folder: Path, run: Run, spec: ByEpochSpec, rows: list[dict], **record: object
) -> None:
    """Write what attacks after every epoch of a run of a table have found."""
    place = folder / run.folder
    place.mkdir(parents=True, exist_ok=True)
    write_csv(place / "by_epoch.csv", rows)
    content = {"spec": spec.to_dict(), "spec_digest": spec.digest}
    content |= {"trained_spec_digest": DIGEST, "as_trained": True} | record
    write_record(place / "by_epoch.json", content, [place / "by_epoch.csv"])

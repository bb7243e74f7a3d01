"""Which attacked test image each run withstood: a bit for every run, image and attack.

Kept beside a table of runs, so that intervals can hold the choice of the images too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from advprune.analysis.metrics import AUTOATTACK, ROBUST_ACCURACIES
from advprune.errors import UserError
from advprune.spec.runs import Run
from advprune.storage.records import check_hash
from advprune.storage.tensors import atomic_write_tensors

SUFFIX = ".verdicts.safetensors"
RUN_COLUMNS = [field.name for field in fields(Run)]


@dataclass(frozen=True)
class Verdicts:
    """What became of the images of one data set under one attack.

    Attributes:
        images: (m,) int64, the indices in the test set of those that were attacked, rising.
        withstood: (n, m) bool, whether each run classified each of them rightly under attack; all
            False of a run that was not attacked, which has no accuracy in the table of runs.
    """

    images: np.ndarray
    withstood: np.ndarray


@dataclass(frozen=True)
class VerdictTable:
    """The verdicts of all runs of a table of runs.

    Attributes:
        rows: where each run is among the runs of its data set, in the order of the table.
        found: by data set and robust metric; a row for each run of the data set.
    """

    rows: Mapping[Run, int]
    found: Mapping[tuple[str, str], Verdicts]

    def withstood(self, runs: pd.DataFrame, metric: str) -> np.ndarray:
        """(n, m) bool, of n runs of one data set whether they withstood, in the runs' order.

        Args:
            runs: rows of the table of runs.
            metric: a key of `metrics.ROBUST_ACCURACIES`.
        """
        (dataset,) = runs["dataset"].unique()
        rows = [self.rows[run] for run in runs_named_in(runs)]
        return self.found[dataset, metric].withstood[rows]

    def on_shared_images(
        self, runs: pd.DataFrame, first: str, second: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, m) bool by either metric, as `withstood`, of the m images attacked for both."""
        (dataset,) = runs["dataset"].unique()
        images = [self.found[dataset, metric].images for metric in (first, second)]
        shared = np.intersect1d(*images)
        return (
            self.withstood(runs, first)[:, np.isin(images[0], shared)],
            self.withstood(runs, second)[:, np.isin(images[1], shared)],
        )

    def write(self, path: str | Path) -> None:
        """Write it, eight verdicts a byte; the hash is the business of who wrote the runs."""
        arrays = {}
        for (dataset, metric), verdicts in self.found.items():
            arrays[f"{dataset}.{metric}.images"] = verdicts.images
            arrays[f"{dataset}.{metric}.withstood"] = np.packbits(verdicts.withstood, axis=1)
        with atomic_write_tensors(path) as temporary:
            save_file(arrays, temporary)


def verdicts_beside(table: str | Path) -> Path:
    """Where the verdicts of a table of runs are."""
    return Path(table).with_suffix(SUFFIX)


def read_verdicts(path: str | Path, runs: pd.DataFrame, *, made_with: str | Path) -> VerdictTable:
    """Read what `VerdictTable.write` wrote.

    Args:
        path: the file.
        runs: the whole table of runs that it was written with.
        made_with: the file of that table, beside which its hash is.

    Raises:
        UserError: it is missing, or is not what was written with that table.
    """
    check_hash(path, made_with=made_with)
    arrays = load_file(path)
    found = {}
    for dataset, count in runs["dataset"].value_counts().items():
        for metric in ROBUST_ACCURACIES:
            images = arrays[f"{dataset}.{metric}.images"]
            packed = arrays[f"{dataset}.{metric}.withstood"]
            if len(packed) != count:
                raise UserError(
                    f"{path} has {len(packed)} runs on {dataset}, but {made_with} has {count}: "
                    f"delete both and run again"
                )
            withstood = np.unpackbits(packed, axis=1, count=len(images)).astype(bool)
            found[dataset, metric] = Verdicts(images, withstood)
    return VerdictTable(_rows(runs), found)


def collect_verdicts(runs: pd.DataFrame, folder: Path) -> VerdictTable:
    """Gather what each run's verdicts.csv says.

    Args:
        runs: as `run_table.collect_runs` gives them, which has checked the files' hashes.
        folder: holds the runs' folders.

    Raises:
        UserError: a run's verdicts do not give the accuracy that the table has, or are not about
            the images that the others were attacked on.
    """
    found = {}
    for dataset, group in runs.groupby("dataset") if len(runs) else ():
        paths = [folder / run.folder / "verdicts.csv" for run in runs_named_in(group)]
        tables = [_read_csv(path) for path in paths]
        for metric in ROBUST_ACCURACIES:
            attacked = group[metric].notna().to_numpy()
            verdicts = [_of_run(table, metric) for table in tables]
            images = verdicts[attacked.argmax()].images
            withstood = np.zeros((len(group), len(images)), dtype=bool)
            for row in np.flatnonzero(attacked):
                _check(paths[row], metric, verdicts[row], group[metric].iloc[row], images)
                withstood[row] = verdicts[row].withstood
            found[dataset, metric] = Verdicts(images, withstood)
    return VerdictTable(_rows(runs), found)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        # As text: "" is an image that was not attacked, and would else be NaN.
        return pd.read_csv(path, dtype=str, keep_default_na=False).set_index("index")
    except (OSError, KeyError, pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise UserError(f"{path} is not the verdicts of a run: {error}") from error


def _of_run(table: pd.DataFrame, metric: str) -> Verdicts:
    """One run's, as a matrix of one row."""
    name, withstood = metric.removesuffix("_accuracy"), "1"
    if metric == AUTOATTACK:
        name, withstood = "broken_by", "none"
    column = table[name] if name in table else pd.Series(dtype=str)
    attacked = column[column != ""]
    order = np.argsort(attacked.index.to_numpy(dtype=np.int64))
    images = attacked.index.to_numpy(dtype=np.int64)[order]
    return Verdicts(images, (attacked == withstood).to_numpy()[None, order])


def _check(path: Path, metric: str, found: Verdicts, accuracy: float, images: np.ndarray) -> None:
    remedy = f"delete the folder {path.parent} and run again"
    if not np.array_equal(found.images, images):
        raise UserError(
            f"{path} is about other images under {metric} than the other runs of its data set: "
            f"{remedy}"
        )
    share = 100 * found.withstood.mean() if found.withstood.size else np.nan
    if not np.isclose(share, accuracy, rtol=0, atol=1e-6):
        raise UserError(
            f"{path} gives {metric} {share:.4f}, but evaluation.csv beside it says "
            f"{accuracy:.4f}: {remedy}"
        )


def _rows(runs: pd.DataFrame) -> dict[Run, int]:
    if runs.empty:
        return {}
    return dict(zip(runs_named_in(runs), runs.groupby("dataset").cumcount(), strict=True))


def runs_named_in(runs: pd.DataFrame) -> list[Run]:
    """The run of each row of a table of runs."""
    return [Run(*each) for each in runs[RUN_COLUMNS].itertuples(index=False, name=None)]

"""What claims are judged by: the runs and examples that were measured, and the look into them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from advprune.analysis.run_files import read_curves
from advprune.analysis.statistics import COLLAPSE_BELOW
from advprune.claims.cells import ALL_DATA, COLLAPSED, CONVERGENCE, GAP, ROBUST, Cell
from advprune.claims.measured import NotMeasuredError
from advprune.plan.config import Config
from advprune.spec.runs import share_text


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that claims are checked against; None where a part was not made.

    Attributes:
        config: the config that ran.
        runs: the table of all runs.
        folder: that of all runs, with their training curves.
        correlations: the table of correlations, a row a network.
        embedding: Figure 2's examples, with columns x, y, label, and kept by each seed's scores.
        toy: the table of appendix C.
        robust_metric: the column that stands for the paper's "AutoAttack accuracy".
    """

    config: Config
    runs: pd.DataFrame
    folder: Path | None
    correlations: pd.DataFrame | None
    embedding: pd.DataFrame | None
    toy: pd.DataFrame | None
    robust_metric: str

    @property
    def paired(self) -> bool:
        """Whether methods share the random numbers of a seed."""
        return self.config["paired_seeds"]

    def dataset(self, study: str) -> str:
        """The data set of a study."""
        return self.config["studies"][study]["dataset"]

    def shares_below_1(self, study: str) -> tuple[str, ...]:
        """The p below 1 of the experiment ``accuracy``."""
        planned = self.config["studies"][study]["experiments"]["accuracy"]["p"]
        return tuple(p for p in sorted(map(share_text, planned)) if p != ALL_DATA)

    def values(self, study: str, cell: Cell, metric: str) -> np.ndarray:
        """A number a seed, of those seeds that have every p of the cell.

        Raises:
            NotMeasuredError: there is none.
        """
        return self._by_seed(study, cell, metric).to_numpy()

    def pair(
        self, study: str, first: Cell, second: Cell, metric: str, *, by_seed: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `cells.Runs` says.

        Raises:
            NotMeasuredError: there is no run of one of them, or none in common.
        """
        cells = self._at_shared_shares(study, first, second)
        if metric == CONVERGENCE:
            return self._converged(study, *cells)
        one, other = (self._by_seed(study, cell, metric) for cell in cells)
        if by_seed:
            shared = one.index.intersection(other.index)
            if shared.empty:
                raise NotMeasuredError(f"{first} and {second} have no seed in common")
            one, other = one[shared], other[shared]
        return one.to_numpy(), other.to_numpy()

    def along(self, study: str, method: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """As `cells.Runs` says, of the seeds that have every p.

        Raises:
            NotMeasuredError: there are too few p, or no seed has them all.
        """
        rows = self._rows(study)
        rows = rows[rows["method"].isin([method, "full"])]
        rows = rows.assign(value=self._metric(rows, metric), p=rows["p"].astype(float))
        table = rows.pivot_table(index="seed", columns="p", values="value")
        if table.shape[1] < 3 or 1.0 not in table:
            raise NotMeasuredError(f"a line over p needs {method} at p = 1 and two more")
        table = table.dropna()
        if table.empty:
            raise NotMeasuredError(f"no seed has {method} at every p")
        return table.to_numpy(), table.columns.to_numpy(dtype=float)

    def single_runs(self, study: str) -> pd.DataFrame:
        """All runs of a study, whatever they prune and when.

        Raises:
            NotMeasuredError: there is none.
        """
        rows = self.runs[self.runs["dataset"] == self.dataset(study)]
        if rows.empty:
            raise NotMeasuredError("there is no run")
        return rows

    def _rows(self, study: str) -> pd.DataFrame:
        return self.runs[(self.runs["dataset"] == self.dataset(study)) & (self.runs["e"] == 1)]

    def _metric(self, rows: pd.DataFrame, metric: str) -> pd.Series:
        robust = rows[self.robust_metric]
        if metric == GAP:
            return rows["natural_accuracy"] - robust
        if metric == COLLAPSED:
            return 100.0 * (robust < COLLAPSE_BELOW).where(robust.notna())
        return robust if metric == ROBUST else rows[metric]

    def _cell_rows(self, study: str, cell: Cell) -> pd.DataFrame:
        rows = self._rows(study)
        on_all = cell.shares == (ALL_DATA,) and cell.method != "standard"
        method = "full" if on_all else cell.method
        return rows[(rows["method"] == method) & rows["p"].isin(cell.shares)]

    def _by_seed(self, study: str, cell: Cell, metric: str) -> pd.Series:
        rows = self._cell_rows(study, cell)
        rows = rows.assign(value=self._metric(rows, metric)).dropna(subset=["value"])
        missing = [p for p in cell.shares if p not in set(rows["p"])]
        if missing or not cell.shares:
            at = f"p = {', '.join(missing)}" if missing else "a p below 1"
            raise NotMeasuredError(f"there is no run of {cell.method} at {at}")
        table = rows.pivot_table(index="seed", columns="p", values="value").dropna()
        if table.empty:
            raise NotMeasuredError(f"no seed was run at every p of {cell}")
        return table.mean(axis=1)

    def _at_shared_shares(self, study: str, *cells: Cell) -> list[Cell]:
        """The cells, averages over p being over what both have been run at."""
        if not all(len(cell.shares) > 1 for cell in cells):
            return list(cells)
        there = [set(self._cell_rows(study, cell)["p"]) for cell in cells]
        shared = tuple(p for p in cells[0].shares if all(p in each for each in there))
        if not shared:
            names = " and ".join(cell.method for cell in cells)
            raise NotMeasuredError(f"{names} were run at no p in common")
        return [Cell(cell.method, shared) for cell in cells]

    @cached_property
    def _curves(self) -> "Curves":
        return Curves(self)

    def _converged(self, study: str, first: Cell, second: Cell) -> tuple[np.ndarray, np.ndarray]:
        """Percent of attacked training images: at the end of the first, after as many updates."""
        one, other = (self._curves.of(study, cell) for cell in (first, second))
        batch = self.config["studies"][study]["training"]["batch_size"]
        shared = sorted(one.keys() & other.keys())
        if not shared:
            raise NotMeasuredError(f"{first} and {second} have no seed in common")
        pairs = [accuracies_after_as_many_updates(one[s], other[s], batch) for s in shared]
        return tuple(100 * np.array(pairs, dtype=float).T)


class Curves:
    """The training curves of cells, each read once."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.of = cache(self._read)

    def _read(self, study: str, cell: Cell) -> dict[int, pd.DataFrame]:
        """By seed.

        Raises:
            NotMeasuredError: there is no such run.
        """
        rows = self._evidence._cell_rows(study, cell)
        if rows.empty or self._evidence.folder is None:
            raise NotMeasuredError(f"there is no training curve of {cell}")
        return dict(iter(read_curves(rows, self._evidence.folder).groupby("seed")))


def accuracies_after_as_many_updates(
    pruned: pd.DataFrame, other: pd.DataFrame, batch_size: int
) -> tuple[float, float]:
    """Accuracy on attacked training images of a run's last epoch, and of another's at that time.

    An epoch's accuracy is that of its middle, counted in updates; between two of the other run's it
    is interpolated. It is the other's last one where that run was shorter.

    Args:
        pruned: the training curve of the first, with columns ``examples`` and ``accuracy``.
        other: the same of the other.
        batch_size: of both.

    Returns:
        both in [0, 1].
    """
    (ends, when), (values, times) = (
        (curve["accuracy"].to_numpy(), _middles(curve["examples"], batch_size))
        for curve in (pruned, other)
    )
    return float(ends[-1]), float(np.interp(when[-1], times, values))


def _middles(examples: Iterable[int], batch_size: int) -> np.ndarray:
    """After how many updates each epoch is half over."""
    updates = np.ceil(np.asarray(list(examples)) / batch_size)
    return np.cumsum(updates) - updates / 2

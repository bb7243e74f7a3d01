"""Quantities that are measured on the numbers of whole runs, real or simulated ones."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from advprune.analysis.metrics import ACCURACIES
from advprune.claims.cells import (
    BOUNDED,
    COLLAPSED,
    CONVERGENCE,
    EACH,
    GAP,
    ROBUST,
    Cell,
    Cells,
    Runs,
)
from advprune.claims.estimates import (
    ACCURACY,
    Numbers,
    Span,
    difference,
    mean_of,
    slope_of,
)
from advprune.claims.measured import Found, Measured, NotMeasuredError, Quantity
from advprune.claims.rules import most_work
from advprune.claims.spreads import Share, Spread, SpreadPercent

METRIC_UNITS = {
    **ACCURACIES,
    "training_seconds": "Training time (s)",
    ROBUST: "Robust accuracy (%)",
    GAP: "Natural less robust accuracy (points)",
    COLLAPSED: "Collapsed runs (%)",
    CONVERGENCE: "Accuracy in training (%)",
}
DIFFERENCE_OF = "Difference of "


def span_of(metric: str) -> Span | None:
    """The range of a metric that may collapse; None for others."""
    return ACCURACY if metric in BOUNDED else None


@dataclass(frozen=True)
class OfRuns(Quantity):
    """A quantity of a metric of runs."""

    metric: str

    @property
    def is_robust(self) -> bool:
        """Whether it depends on which attack stands for the paper's."""
        return self.metric in BOUNDED and self.metric != CONVERGENCE

    @property
    def unit(self) -> str:
        """Of what is measured, for axes."""
        return METRIC_UNITS[self.metric]

    def measure(self, evidence: Runs, study: str) -> Measured:
        """Measure it on the runs of a study.

        Raises:
            NotMeasuredError: what it needs is not there.
        """
        return self.of_runs(evidence, study)

    @abstractmethod
    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The same of simulated runs too."""

    @abstractmethod
    def cells(self, below_1: Sequence[str]) -> list[Cell]:
        """Every cell whose runs it is of."""


@dataclass(frozen=True)
class _OfOne(OfRuns):
    first: Cells

    def cells(self, below_1: Sequence[str]) -> list[Cell]:
        """The one cell."""
        return self.first.resolve(below_1)

    def values(self, runs: Runs, study: str) -> np.ndarray:
        """A number a seed."""
        (cell,) = self.cells(runs.shares_below_1(study))
        return runs.values(study, cell, self.metric)


@dataclass(frozen=True)
class Mean(_OfOne):
    """The mean of a metric over the runs of a cell."""

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The mean over seeds."""
        values = self.values(runs, study)
        return _single(Found(mean_of(values, span_of(self.metric)), [values]), values)


@dataclass(frozen=True)
class SpreadOf(_OfOne):
    """The standard deviation of a metric over the runs of a cell."""

    is_spread = True

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The spread over seeds."""
        values = self.values(runs, study)
        return _single(Found(Spread(values, ACCURACY)), values)


@dataclass(frozen=True)
class ShareAbove(_OfOne):
    """The percentage of a cell's runs whose metric is above a threshold."""

    is_spread = True
    threshold: float

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The share of seeds."""
        values = self.values(runs, study)
        above = (values > self.threshold).sum(axis=-1)
        return _single(Found(Share(above, values.shape[-1])), values)


@dataclass(frozen=True)
class _OfTwo(OfRuns):
    first: Cells
    second: Cells

    def cells(self, below_1: Sequence[str]) -> list[Cell]:
        """The cells of both sides."""
        return [*self.first.resolve(below_1), *self.second.resolve(below_1)]

    def comparisons(self, below_1: Sequence[str]) -> list[tuple[Cell, Cell]]:
        """Lists of the same length go together, and what is single goes with each."""
        sides = [side.resolve(below_1) for side in (self.first, self.second)]
        longest = max(map(len, sides))
        first, second = (cycle(side) if len(side) == 1 else side for side in sides)
        return [(one, other) for one, other, _ in zip(first, second, range(longest), strict=False)]

    def __post_init__(self) -> None:
        lengths = [len(side.methods) * len(side.shares) for side in (self.first, self.second)]
        if 1 not in lengths and lengths[0] != lengths[1]:
            raise ValueError(f"first names {lengths[0]} cells and second {lengths[1]}")

    @property
    def several(self) -> bool:
        """Whether it compares more than one pair of cells."""
        sides = (self.first, self.second)
        return any(
            len(side.methods) * len(side.shares) > 1 or EACH in side.shares for side in sides
        )

    def pairs(
        self, runs: Runs, study: str, *, by_seed: bool
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """The runs of both sides of each comparison."""
        wanted = self.comparisons(runs.shares_below_1(study))
        if not wanted:
            raise NotMeasuredError("no p below 1 was run")
        return [runs.pair(study, *pair, self.metric, by_seed=by_seed) for pair in wanted]


@dataclass(frozen=True)
class Difference(_OfTwo):
    """The difference of two means, first less second."""

    has_reference = True

    @property
    def unit(self) -> str:
        """Of what is measured, for axes."""
        return f"{DIFFERENCE_OF}{METRIC_UNITS[self.metric].split(' (')[0].lower()} (points)"

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The difference, by seed where seeds are paired."""
        found, counts = [], []
        works = self._work(runs, study)
        for first, second in self.pairs(runs, study, by_seed=runs.paired):
            span = span_of(self.metric)
            estimate = difference(first, second, paired=runs.paired, span=span)
            found.append(
                Found(
                    estimate,
                    [first, second],
                    reference=mean_of(second, span),
                    needs_reference=self.metric == ROBUST,
                    works=works,
                )
            )
            counts.append((first.shape[-1], second.shape[-1]))
        return Measured(found, _fewest(counts))

    def _work(self, runs: Runs, study: str) -> Numbers:
        """Whether most runs of every cell work, where the quantity is what robustness costs."""
        if self.metric != GAP:
            return True
        works: Numbers = True
        for pair in self.comparisons(runs.shares_below_1(study)):
            for robust in runs.pair(study, *pair, ROBUST, by_seed=runs.paired):
                works = np.logical_and(works, most_work(robust))
        return works


@dataclass(frozen=True)
class Convergence(_OfTwo):
    """Accuracy in training when the first ends, less that of the second after as many updates."""

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The difference, by seed where seeds are paired."""
        ((first, second),) = self.pairs(runs, study, by_seed=True)
        estimate = difference(first, second, paired=runs.paired, span=ACCURACY)
        return Measured([Found(estimate)], (first.shape[-1], second.shape[-1]))


@dataclass(frozen=True)
class PercentOf(_OfTwo):
    """The first in percent of the second, by seed."""

    @property
    def unit(self) -> str:
        """Of what is measured, for axes."""
        return f"{METRIC_UNITS[self.metric].split(' (')[0]} (% of the other)"

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The mean of each seed's own percentage."""
        found, counts = [], []
        for first, second in self.pairs(runs, study, by_seed=True):
            if (second <= 0).any():
                raise NotMeasuredError(f"a percentage of {self.metric} needs values above 0")
            percent = 100 * first / second
            found.append(Found(mean_of(percent), [percent]))
            counts.append((percent.shape[-1],))
        return Measured(found, _fewest(counts))


@dataclass(frozen=True)
class SpreadPercentOf(_OfTwo):
    """The first standard deviation in percent of the second."""

    is_spread = True

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The ratio; the first's runs must not mostly collapse, since to fail is not reliable."""
        ((first, second),) = self.pairs(runs, study, by_seed=runs.paired)
        estimate = SpreadPercent(first, second, runs.paired, ACCURACY)
        found = Found(estimate, works=most_work(first))
        return Measured([found], (first.shape[-1], second.shape[-1]))


@dataclass(frozen=True)
class _AlongP(OfRuns):
    method: str

    def cells(self, below_1: Sequence[str]) -> list[Cell]:
        """The method at every p below 1, and training on all data."""
        return [*(Cell(self.method, (p,)) for p in below_1), Cell("full", ("1.0",))]


@dataclass(frozen=True)
class Slope(_AlongP):
    """The slope of a metric over p, for one method and training on all data at p = 1."""

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """Points per unit of p, of each seed's own line."""
        values, shares = runs.along(study, self.method, self.metric)
        estimate = slope_of(values, shares, span_of(self.metric))
        return Measured([Found(estimate)], (values.shape[-2],))


@dataclass(frozen=True)
class Nonlinearity(_AlongP):
    """How far a metric is from a straight line over p, at each p, in percent of that at p = 1."""

    several = True

    def of_runs(self, runs: Runs, study: str) -> Measured:
        """The distances of each seed from its own line."""
        values, shares = runs.along(study, self.method, self.metric)
        design = np.stack([np.ones_like(shares), shares], axis=-1)
        onto_line = design @ np.linalg.pinv(design)
        percent = 100 * (values - values @ onto_line.T) / values[..., -1:]
        return Measured(
            [Found(mean_of(percent[..., at])) for at in range(len(shares))], (values.shape[-2],)
        )


def _single(found: Found, values: np.ndarray) -> Measured:
    return Measured([found], (values.shape[-1],))


def _fewest(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(min(side) for side in zip(*counts, strict=True))

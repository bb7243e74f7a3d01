"""The quantities that the paper's claims are about, measured on the runs.

Each kind of quantity is a small class whose fields are what ``config/paper_claims.yaml`` gives for
it. To add one, write it and enter it in `QUANTITIES`.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import silhouette_samples

from advprune.analysis.comparison import (
    RESAMPLING_SEED,
    Interval,
    difference_interval,
    drawn_means,
    percentiles,
    resampled,
)
from advprune.analysis.statistics import CONFIDENCE, mean_interval, share_interval, welch_greater
from advprune.claims.evidence import (
    ALL_DATA,
    CLAIMABLE,
    PRUNED,
    ROBUST,
    Cell,
    Evidence,
    Measured,
    NotMeasuredError,
    known_method,
)
from advprune.toy.features import QUANTITIES as TOY_QUANTITIES

PAPERS_FORMULA = "paper_value"


class Quantity(ABC):
    """One kind of quantity, and what is true of every quantity of that kind.

    Attributes:
        studies: how many studies it is about.
        settings: the parts of a config, besides its studies, that decide it.
        has_groups: whether it compares two groups, which can be tested.
        has_interval: whether it has one.
        robust_groups: which of its groups must not all have collapsed, for the claim to be borne
            out.
        decimals: with which it is shown.
    """

    studies: ClassVar[int] = 1
    settings: ClassVar[tuple[str, ...]] = ()
    has_groups: ClassVar[bool] = False
    has_interval: ClassVar[bool] = True
    robust_groups: ClassVar[slice] = slice(None)
    decimals: ClassVar[int] = 2

    @abstractmethod
    def measure(self, evidence: Evidence, study: str) -> Measured:
        """Measure it for a study.

        Raises:
            NotMeasuredError: what it needs is not there.
        """


@dataclass(frozen=True)
class Mean(Quantity):
    """The mean of a metric over the runs of a cell."""

    metric: str
    first: Cell

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean with its t-based interval."""
        return _mean(_by_seed(evidence.values(study, self.first, self.metric)))


@dataclass(frozen=True)
class _Pair(Quantity):
    metric: str
    first: Cell
    second: Cell

    def groups(self, evidence: Evidence, study: str) -> tuple[np.ndarray, np.ndarray]:
        """A value a seed for each cell; averages over p are over those p that both cells have."""
        cells = (self.first, self.second)
        tables = [evidence.values(study, cell, self.metric) for cell in cells]
        if self.first.p == self.second.p == PRUNED:
            shared = tables[0].columns.intersection(tables[1].columns)
            if shared.empty:
                raise NotMeasuredError(
                    f"{self.first.method} and {self.second.method} were run at no p in common"
                )
            tables = [table[shared] for table in tables]
        return tuple(_by_seed(table) for table in tables)


@dataclass(frozen=True)
class Difference(_Pair):
    """The difference of two means, first less second."""

    has_groups = True

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference with Welch's interval."""
        groups = self.groups(evidence, study)
        return Measured(difference_interval(*groups), tuple(map(len, groups)), groups)


@dataclass(frozen=True)
class PValue(_Pair):
    """The p-value of the one-sided Welch's t-test that the first mean is the greater."""

    has_groups = True
    has_interval = False
    decimals = 6

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The p-value; it has no interval."""
        groups = self.groups(evidence, study)
        p_value = float(welch_greater(*groups).p_value)
        return Measured(Interval(p_value, np.nan, np.nan), tuple(map(len, groups)), groups)


@dataclass(frozen=True)
class PercentOf(_Pair):
    """The first mean in percent of the second."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The ratio of geometric means, with Welch's interval on the logarithms."""
        groups = self.groups(evidence, study)
        if any((group <= 0).any() for group in groups):
            raise NotMeasuredError(f"a ratio of {self.metric} needs values above 0")
        logarithm = difference_interval(*(np.log(group) for group in groups))
        percent = (float(100 * np.exp(value)) for value in dataclasses.astuple(logarithm))
        return Measured(Interval(*percent), tuple(map(len, groups)))


@dataclass(frozen=True)
class SpreadPercentOf(_Pair):
    """The first standard deviation in percent of the second."""

    robust_groups = slice(1)  # runs that all fail are not reliable, whatever the second group's do

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The ratio with the percentile bootstrap's interval.

        Of a few runs a resample may have no spread: its ratio is infinite if that is the second's,
        and it is left out if it is both's.
        """
        groups = self.groups(evidence, study)
        n = tuple(map(len, groups))
        if min(n) < 2 or np.ptp(groups[1]) == 0:
            return Measured(Interval(np.nan, np.nan, np.nan), n, groups)
        random = np.random.default_rng(RESAMPLING_SEED)
        first, second = (np.std(resampled(group, random), ddof=1, axis=1) for group in groups)
        some = (first > 0) | (second > 0)
        with np.errstate(divide="ignore"):
            low, high = percentiles(100 * first[some] / second[some])
        ratio = 100 * np.std(groups[0], ddof=1) / np.std(groups[1], ddof=1)
        return Measured(Interval(float(ratio), low, high), n, groups)


@dataclass(frozen=True)
class ShareAbove(Quantity):
    """The percentage of a cell's runs whose metric is above a threshold."""

    metric: str
    first: Cell
    threshold: float

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The share with Wilson's interval."""
        values = _by_seed(evidence.values(study, self.first, self.metric))
        return _percentage(int((values > self.threshold).sum()), len(values))


@dataclass(frozen=True)
class Slope(Quantity):
    """The slope of a metric over p, for one method and training on all data at p = 1."""

    metric: str
    method: str

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """Points per unit of p, of a straight line through the single runs."""
        points = _along_p(evidence, study, self.method, self.metric)
        if points["p"].nunique() < 3:
            raise NotMeasuredError(f"a slope needs {self.method} at three values of p or more")
        found = stats.linregress(points["p"], points["value"])
        reach = stats.t.ppf((1 + CONFIDENCE) / 2, len(points) - 2) * found.stderr
        slope = float(found.slope)
        return Measured(Interval(slope, slope - reach, slope + reach), (len(points),))


@dataclass(frozen=True)
class Nonlinearity(Quantity):
    """How far a metric is from a straight line over p, in percent of its value at p = 1.

    The largest distance of a p's mean from the line fitted to the single runs.
    """

    metric: str
    method: str

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The distance, with an interval from leaving whole seeds in and out (bootstrap)."""
        points = _along_p(evidence, study, self.method, self.metric)
        table = points.pivot_table(index="seed", columns="p", values="value").dropna()
        if table.shape[1] < 3 or 1.0 not in table:
            raise NotMeasuredError(f"linearity needs {self.method} at p = 1 and two more")
        if table.empty:
            raise NotMeasuredError(f"no seed has {self.method} at every p")
        shares, values = table.columns.to_numpy(dtype=float), table.to_numpy()
        low = high = np.nan
        if len(values) > 1:
            seeds = resampled(np.arange(len(values)), np.random.default_rng(RESAMPLING_SEED))
            low, high = percentiles(_off_the_line(shares, values[seeds].mean(axis=1)))
        distance = _off_the_line(shares, values.mean(axis=0, keepdims=True))
        return Measured(Interval(float(distance[0]), low, high), (len(values),))


@dataclass(frozen=True)
class MaintainedCells(Quantity):
    """The percentage of cells (method, p < 1) whose mean is maintained.

    Maintained is a mean that is at most ``tolerance`` points below that of training on all data.
    """

    metric: str
    tolerance: float

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The share with an interval from drawing every mean from its t distribution.

        Drawing runs instead, as a bootstrap does, is far too sure of itself with two or three.
        """
        rows = evidence.at_first_epoch(study, self.metric)
        pruned = rows[rows["p"] != ALL_DATA].groupby(["method", "p"])["value"]
        cells = [group.to_numpy() for _, group in pruned]
        if not cells:
            raise NotMeasuredError("there is no run with pruning")
        full = _by_seed(evidence.values(study, Cell("full", ALL_DATA), self.metric))
        needed = full.mean() - self.tolerance
        share = 100 * np.mean([cell.mean() >= needed for cell in cells])
        low = high = np.nan
        if min(map(len, [full, *cells])) > 1:
            random = np.random.default_rng(RESAMPLING_SEED)
            needed = drawn_means(full, random) - self.tolerance
            maintained = [drawn_means(cell, random) >= needed for cell in cells]
            low, high = percentiles(100 * np.mean(maintained, axis=0))
        interval = Interval(float(share), low, high)
        runs = (len(full), sum(map(len, cells)))
        return Measured(interval, runs, (full, *cells))


@dataclass(frozen=True)
class Correlation(Quantity):
    """Pearson's r between loss and 1/d, within 1/d <= 2 (Figure 6)."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over networks with its t-based interval."""
        return _mean(_correlations(evidence, study, "r_within"))


@dataclass(frozen=True)
class CorrelationDifference(Quantity):
    """MNIST's r less CIFAR10's (Figure 6)."""

    studies = 2
    has_groups = True

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference of the means over networks, with Welch's interval."""
        groups = tuple(_correlations(evidence, name, "r_within") for name in ("mnist", "cifar10"))
        return Measured(difference_interval(*groups), tuple(map(len, groups)), groups)


@dataclass(frozen=True)
class MovedInFewSteps(Quantity):
    """The percentage of examples that DeepFool moves to another class in at most five steps."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean over networks with its t-based interval."""
        return _mean(_correlations(evidence, study, "moved_in_few_steps_percent"))


@dataclass(frozen=True)
class SilhouetteGain(Quantity):
    """How much better the classes are apart in Figure 2 once it is pruned.

    The mean silhouette of the kept examples among themselves less that of all examples.
    """

    settings = ("figure2",)
    has_groups = True

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference with Welch's interval over examples."""
        if evidence.embedding is None:
            raise NotMeasuredError("Figure 2 was not made")
        groups = []
        for part in (evidence.embedding[evidence.embedding["kept"]], evidence.embedding):
            if not 1 < part["label"].nunique() < len(part):
                raise NotMeasuredError("pruning leaves fewer than two classes in Figure 2's sample")
            groups.append(silhouette_samples(part[["x", "y"]], part["label"]))
        return Measured(difference_interval(*groups), tuple(map(len, groups)), tuple(groups))


@dataclass(frozen=True)
class Toy(Quantity):
    """A simulated quantity of appendix C's toy model, in percent, or its excess over another.

    It is about no study.

    Attributes:
        of: the quantity's name in ``tables/appendix_c.csv``.
        less: another one's name, or ``"paper_value"`` for what the paper's formula gives; None for
            the quantity itself.
    """

    studies = 0
    settings = ("appendix_c",)

    of: str
    less: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            (self.of, [*TOY_QUANTITIES]),
            (self.less, [*TOY_QUANTITIES, PAPERS_FORMULA, None]),
        ):
            if name not in allowed:
                known = ", ".join(filter(None, allowed))
                raise ValueError(f"the toy model has no quantity {name!r}; known are {known}")

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The value with its interval over the simulation's seeds."""
        if evidence.toy is None:
            raise NotMeasuredError("the table of appendix C was not made")
        rows = evidence.toy.set_index("quantity")
        row = rows.loc[self.of]
        value, reach = row["simulated_mean"], row["simulated_half_width"]
        if self.less == PAPERS_FORMULA:
            value -= row["paper_value"]
        elif self.less:
            value -= rows.loc[self.less, "simulated_mean"]
            reach = np.hypot(reach, rows.loc[self.less, "simulated_half_width"])
        interval = Interval(float(value), float(value - reach), float(value + reach))
        return Measured(interval, (int(row["seeds"]),))


QUANTITIES: dict[str, type[Quantity]] = {
    "mean": Mean,
    "difference": Difference,
    "p_value": PValue,
    "percent_of": PercentOf,
    "spread_percent_of": SpreadPercentOf,
    "share_above": ShareAbove,
    "slope": Slope,
    "nonlinearity": Nonlinearity,
    "maintained_cells": MaintainedCells,
    "correlation": Correlation,
    "correlation_difference": CorrelationDifference,
    "moved_in_few_steps": MovedInFewSteps,
    "silhouette_gain": SilhouetteGain,
    "toy": Toy,
}


def parse_quantity(content: Mapping[str, Any]) -> Quantity:
    """The quantity that a claim names.

    Raises:
        ValueError: the kind, the metric or a field is unknown, or a field is missing.
    """
    fields = dict(content)
    kind = fields.pop("kind")
    if kind not in QUANTITIES:
        raise ValueError(f"quantity {kind!r} is unknown; known are {', '.join(QUANTITIES)}")
    if fields.get("metric", ROBUST) not in CLAIMABLE:
        raise ValueError(f"metric {fields['metric']!r} is unknown; known: {', '.join(CLAIMABLE)}")
    for name in ("first", "second"):
        if name in fields:
            fields[name] = Cell.parse(fields[name])
    if "method" in fields:
        known_method(fields["method"])
    try:
        return QUANTITIES[kind](**fields)
    except TypeError as error:
        known = [field.name for field in dataclasses.fields(QUANTITIES[kind])]
        raise ValueError(f"quantity {kind!r} takes {', '.join(known) or 'nothing'}") from error


def _along_p(evidence: Evidence, study: str, method: str, metric: str) -> pd.DataFrame:
    """Seed, p as a number and value of the runs of a method, and of ``full`` at p = 1."""
    rows = evidence.at_first_epoch(study, metric)
    return rows[rows["method"].isin([method, "full"])].astype({"p": float})


def _off_the_line(shares: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The largest distance of each row of (n, shares) means from its own line, in percent."""
    slopes, starts = np.polyfit(shares, means.T, 1)
    lines = np.outer(slopes, shares) + starts[:, np.newaxis]
    return 100 * np.abs(means - lines).max(axis=1) / means[:, -1]


def _by_seed(table: pd.DataFrame) -> np.ndarray:
    """The mean over p of each seed that has all of them.

    Raises:
        NotMeasuredError: no seed has.
    """
    complete = table.dropna()
    if complete.empty:
        raise NotMeasuredError(f"no seed was run at every p of {', '.join(table.columns)}")
    return complete.mean(axis=1).to_numpy()


def _percentage(successes: int, n: int) -> Measured:
    """A share in percent with Wilson's interval."""
    found = share_interval(successes, n)
    interval = Interval(100 * found.share, 100 * found.low, 100 * found.high)
    return Measured(interval, (found.n,))


def _mean(values: np.ndarray) -> Measured:
    """The mean of a value a network, with its t-based interval."""
    found = mean_interval(values)
    interval = Interval(found.mean, found.mean - found.half_width, found.mean + found.half_width)
    return Measured(interval, (len(values),))


def _correlations(evidence: Evidence, study: str, column: str) -> np.ndarray:
    """A column of the table of correlations: a value a network."""
    if evidence.correlations is None:
        raise NotMeasuredError("the correlations of Figure 6 were not made")
    rows = evidence.correlations[evidence.correlations["study"] == study]
    return rows[column].to_numpy()

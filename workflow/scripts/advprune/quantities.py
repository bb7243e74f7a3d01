"""The quantities that the paper's claims are about, measured on the runs.

Each kind of quantity is a small class whose fields are what ``config/paper_claims.yaml`` gives for
it. To add one, write it and enter it in `QUANTITIES`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import silhouette_samples

from advprune.comparison import (
    RESAMPLES,
    RESAMPLING_SEED,
    Interval,
    difference_interval,
)
from advprune.config import Config, share_text
from advprune.correlation import correlate
from advprune.pruning import METHODS
from advprune.results import METRICS
from advprune.statistics import CONFIDENCE, mean_interval, share_interval, welch_greater

ROBUST = "robust_accuracy"
PRUNED = "below 1"
ALL_DATA = "1.0"


class NotMeasuredError(Exception):
    """What a quantity needs is not there; the message says what."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        interval: value and 95% interval, in the quantity's own unit.
        n: how many runs (or examples, for correlations) of each group.
        groups: the groups' single values, where two groups are compared, else empty.
    """

    interval: Interval
    n: tuple[int, ...]
    groups: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All that claims are checked against; None where a part was not made.

    Attributes:
        config: the config that ran.
        runs: the table of all runs.
        scores: Figure 6's examples of both studies, with columns study, loss, inverse_distance.
        embedding: Figure 2's examples, with columns x, y, label, kept.
        toy: the table of appendix C.
        robust_metric: the column that stands for the paper's "AutoAttack accuracy".
    """

    config: Config
    runs: pd.DataFrame
    scores: pd.DataFrame | None
    embedding: pd.DataFrame | None
    toy: pd.DataFrame | None
    robust_metric: str

    def values(self, study: str, cell: "Cell", metric: str) -> pd.Series:
        """A metric of the runs of a cell, by seed; averaged over p if the cell has several.

        Raises:
            NotMeasuredError: there is none.
        """
        method = "full" if cell.p == ALL_DATA and cell.method != "standard" else cell.method
        dataset = self.config["studies"][study]["dataset"]
        rows = self.runs[(self.runs["dataset"] == dataset) & (self.runs["method"] == method)]
        rows = rows[rows["e"] == 1]
        rows = rows[rows["p"] != ALL_DATA] if cell.p == PRUNED else rows[rows["p"] == cell.p]
        column = self.robust_metric if metric == ROBUST else metric
        by_seed = rows.pivot_table(index="seed", columns="p", values=column).dropna()
        if by_seed.empty:
            raise NotMeasuredError(f"there is no run of {method} at p = {cell.p}")
        return by_seed.mean(axis=1)


@dataclass(frozen=True)
class Cell:
    """The runs of one method at one p, or at every p below 1; always pruned at e = 1."""

    method: str
    p: str

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Cell":
        """From a claim: p is a number there, or the words "below 1".

        Raises:
            ValueError: the method is unknown.
        """
        p = content["p"]
        return cls(_known_method(content["method"]), p if p == PRUNED else share_text(p))


class Quantity(Protocol):
    """One kind of quantity."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """Measure it for a study.

        Raises:
            NotMeasuredError: what it needs is not there.
        """


@dataclass(frozen=True)
class Mean:
    """The mean of a metric over the runs of a cell."""

    metric: str
    first: Cell

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The mean with its t-based interval."""
        values = evidence.values(study, self.first, self.metric)
        found = mean_interval(values)
        interval = Interval(
            found.mean, found.mean - found.half_width, found.mean + found.half_width
        )
        return Measured(interval, (len(values),))


@dataclass(frozen=True)
class _Pair:
    metric: str
    first: Cell
    second: Cell

    def groups(self, evidence: Evidence, study: str) -> tuple[np.ndarray, np.ndarray]:
        cells = (self.first, self.second)
        return tuple(evidence.values(study, cell, self.metric).to_numpy() for cell in cells)


@dataclass(frozen=True)
class Difference(_Pair):
    """The difference of two means, first less second."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference with Welch's interval."""
        groups = self.groups(evidence, study)
        return Measured(difference_interval(*groups), tuple(map(len, groups)), groups)


@dataclass(frozen=True)
class PValue(_Pair):
    """The p-value of the one-sided Welch's t-test that the first mean is the greater."""

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

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The ratio with the percentile bootstrap's interval."""
        groups = self.groups(evidence, study)
        n = tuple(map(len, groups))
        if min(n) < 2 or np.ptp(groups[1]) == 0:
            return Measured(Interval(np.nan, np.nan, np.nan), n)

        def ratio(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
            with np.errstate(divide="ignore", invalid="ignore"):
                return 100 * np.std(first, ddof=1, axis=axis) / np.std(second, ddof=1, axis=axis)

        found = stats.bootstrap(
            groups,
            ratio,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(RESAMPLING_SEED),
        ).confidence_interval
        return Measured(Interval(float(ratio(*groups)), float(found.low), float(found.high)), n)


@dataclass(frozen=True)
class ShareAbove:
    """The percentage of a cell's runs whose metric is above a threshold."""

    metric: str
    first: Cell
    threshold: float

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The share with Wilson's interval."""
        values = evidence.values(study, self.first, self.metric)
        found = share_interval(int((values > self.threshold).sum()), len(values))
        interval = Interval(100 * found.share, 100 * found.low, 100 * found.high)
        return Measured(interval, (found.n,))


@dataclass(frozen=True)
class Slope:
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
class Nonlinearity:
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
        shares = table.columns.to_numpy(dtype=float)

        def distance(means: np.ndarray) -> float:
            line = np.polynomial.Polynomial.fit(shares, means, 1)
            return float(100 * np.abs(means - line(shares)).max() / means[-1])

        random = np.random.default_rng(RESAMPLING_SEED)
        values = table.to_numpy()
        low = high = np.nan
        if len(values) > 1:
            drawn = [
                distance(values[random.integers(len(values), size=len(values))].mean(axis=0))
                for _ in range(RESAMPLES // 10)
            ]
            low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        interval = Interval(distance(values.mean(axis=0)), float(low), float(high))
        return Measured(interval, (len(values),))


@dataclass(frozen=True)
class MaintainedCells:
    """The percentage of cells (method, p < 1) whose mean is maintained.

    Maintained is a mean that is at most ``tolerance`` points below that of training on all data.
    """

    metric: str
    tolerance: float

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The share with Wilson's interval over cells."""
        full = evidence.values(study, Cell("full", ALL_DATA), self.metric).mean()
        dataset = evidence.config["studies"][study]["dataset"]
        runs = evidence.runs
        pruned = runs[(runs["dataset"] == dataset) & (runs["p"] != ALL_DATA) & (runs["e"] == 1)]
        column = evidence.robust_metric if self.metric == ROBUST else self.metric
        means = pruned.groupby(["method", "p"])[column].mean()
        if means.empty:
            raise NotMeasuredError("there is no run with pruning")
        found = share_interval(int((means >= full - self.tolerance).sum()), len(means))
        interval = Interval(100 * found.share, 100 * found.low, 100 * found.high)
        return Measured(interval, (found.n,))


@dataclass(frozen=True)
class Correlation:
    """Pearson's r between loss and 1/d (Figure 6)."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """Pearson's r with Fisher's interval, over the examples of one network."""
        found = correlate(_scores(evidence, study))
        return Measured(Interval(found.r, found.low, found.high), (found.counted,))


@dataclass(frozen=True)
class CorrelationDifference:
    """MNIST's r less CIFAR10's (Figure 6)."""

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The difference with Zou's (2007) interval, made from those of both correlations."""
        first, second = (correlate(_scores(evidence, name)) for name in ("mnist", "cifar10"))
        difference = first.r - second.r
        low = difference - np.hypot(first.r - first.low, second.high - second.r)
        high = difference + np.hypot(first.high - first.r, second.r - second.low)
        interval = Interval(difference, float(low), float(high))
        return Measured(interval, (first.counted, second.counted))


@dataclass(frozen=True)
class SilhouetteGain:
    """How much better the classes are apart in Figure 2 once it is pruned.

    The mean silhouette of the kept examples among themselves less that of all examples.
    """

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
class Toy:
    """A simulated quantity of appendix C's toy model, in percent, or its excess over another.

    Attributes:
        of: the quantity's name in ``tables/appendix_c.csv``.
        less: another one's name, or ``"paper_value"`` for what the paper's formula gives; None for
            the quantity itself.
    """

    of: str
    less: str | None = None

    def measure(self, evidence: Evidence, study: str) -> Measured:
        """The value with its interval over the simulation's seeds."""
        if evidence.toy is None:
            raise NotMeasuredError("the table of appendix C was not made")
        rows = evidence.toy.set_index("quantity")
        unknown = {self.of, self.less or self.of} - {*rows.index, "paper_value"}
        if unknown:
            raise NotMeasuredError(f"the table of appendix C has no quantity {min(unknown)}")
        row = rows.loc[self.of]
        value, reach = row["simulated_mean"], row["simulated_half_width"]
        if self.less == "paper_value":
            value -= row["paper_value"]
        elif self.less:
            value -= rows.loc[self.less, "simulated_mean"]
            reach = np.hypot(reach, rows.loc[self.less, "simulated_half_width"])
        interval = Interval(float(value), float(value - reach), float(value + reach))
        return Measured(interval, (int(row["seeds"]),))


QUANTITIES: dict[str, type] = {
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
    "silhouette_gain": SilhouetteGain,
    "toy": Toy,
}
COMPARED = (Difference, PValue, SilhouetteGain)  # those with two groups to test
CLAIMABLE = [*METRICS, ROBUST]


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
        _known_method(fields["method"])
    try:
        return QUANTITIES[kind](**fields)
    except TypeError as error:
        known = [field.name for field in dataclasses.fields(QUANTITIES[kind])]
        raise ValueError(f"quantity {kind!r} takes {', '.join(known) or 'nothing'}") from error


def _known_method(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; known are {', '.join(METHODS)}")
    return name


def _along_p(evidence: Evidence, study: str, method: str, metric: str) -> pd.DataFrame:
    """Seed, p as a number and value of the runs of a method, and of ``full`` at p = 1."""
    dataset = evidence.config["studies"][study]["dataset"]
    runs = evidence.runs
    rows = runs[
        (runs["dataset"] == dataset) & runs["method"].isin([method, "full"]) & (runs["e"] == 1)
    ]
    column = evidence.robust_metric if metric == ROBUST else metric
    return pd.DataFrame({"seed": rows["seed"], "p": rows["p"].astype(float), "value": rows[column]})


def _scores(evidence: Evidence, study: str) -> pd.DataFrame:
    if evidence.scores is None:
        raise NotMeasuredError("Figure 6 was not made")
    return evidence.scores[evidence.scores["study"] == study]

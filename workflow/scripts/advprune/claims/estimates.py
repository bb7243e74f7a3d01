"""Estimates with limits that err in at most 5% of cases, of means, differences and spreads.

Seeds are the unit. Robust accuracies are mixtures: some runs collapse to 0%. While collapses are
rare, n runs may show none, and a t interval then errs in up to 70% of cases. So each limit counts
one run more than there is, the worst that could have been: for a difference one pair at the end of
the metric's range, for a mean two runs, as Agresti and Coull (1998) add two failures to a share. A
metric without a known range counts its most extreme run twice. `error_rates` has what comes of it.

Everything takes arrays of repetitions before the axis of runs, so that `error_rates` judges
thousands of simulated experiments by the same code.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy

from advprune.analysis.statistics import COLLAPSE_BELOW

ALPHA = 0.05
Numbers = np.ndarray | float


class Judged(Protocol):
    """What rules judge: an `Estimate`, a `Spread`, a `SpreadPercent` or a `Share`.

    Attributes:
        value: in the quantity's unit.
        flaw: why no verdict may rest on it; empty if one may.
        varied: whether runs differ from each other; where they do not, no verdict rests on it.
    """

    value: Numbers
    flaw: str
    varied: Numbers

    def low(self) -> Numbers:
        """The lower limit that the truth is below in 5% of cases at most."""

    def high(self) -> Numbers:
        """The upper limit that the truth is above in 5% of cases at most."""

    def p_above(self, bound: float) -> Numbers:
        """The p value of the truth being ``bound`` or less; 1 where no verdict may rest on it."""

    def p_below(self, bound: float) -> Numbers:
        """The p value of the truth being ``bound`` or more; 1 where no verdict may rest on it."""


@dataclass(frozen=True)
class Span:
    """The range of a metric whose runs may collapse to its end.

    Attributes:
        low, high: the ends, in the metric's unit.
        extra: how many runs at an end each limit counts beside those there are. Exact binomial
            sums give one-sided errors of at most 4.5% with two, 7.1% with one. One is enough for
            a difference, whose range is twice as wide as what a collapse can do to it.
    """

    low: float
    high: float
    extra: int


ACCURACY = Span(0.0, 100.0, extra=2)  # percent
# Of a metric without a known range: fewer have one-sided errors above 5% where runs have a tail of
# skewness 1 (5.2% with 8 runs, 7% with 5), and three where they have none.
FEWEST_RUNS = 10
# Of accuracies that may collapse. The bars hold with fewer too, but hardly a verdict comes of them.
FEWEST_RUNS_OF_MIXTURE = 20


@dataclass(frozen=True)
class Side:
    """What one limit of an estimate is computed from.

    Attributes:
        center: the estimate with the runs that this limit counts beside those there are.
        error: its standard error.
        df: its degrees of freedom.
    """

    center: Numbers
    error: Numbers
    df: float


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty, in the quantity's unit; one of what rules judge.

    Attributes:
        value: the estimate itself.
        lower, upper: what its limits are computed from.
        flaw: why no verdict may rest on it; empty if one may.
        varied: whether runs differ from each other; where they do not, no verdict rests on it.
    """

    value: Numbers
    lower: Side
    upper: Side
    flaw: str = ""
    varied: Numbers = True

    @property
    def sound(self) -> Numbers:
        """Whether a verdict may rest on it."""
        return np.logical_and(self.varied, not self.flaw)

    def low(self, alpha: float = ALPHA) -> Numbers:
        """The lower limit that the truth is below in a share ``alpha`` of cases at most."""
        return self.lower.center - scipy.stats.t.isf(alpha, self.lower.df) * self.lower.error

    def high(self, alpha: float = ALPHA) -> Numbers:
        """The upper limit that the truth is above in a share ``alpha`` of cases at most."""
        return self.upper.center + scipy.stats.t.isf(alpha, self.upper.df) * self.upper.error

    def p_above(self, bound: float) -> Numbers:
        """The p value of the truth being ``bound`` or less; 1 where no verdict may rest on it."""
        return self._p_value(self.lower.center - bound, self.lower)

    def p_below(self, bound: float) -> Numbers:
        """The p value of the truth being ``bound`` or more; 1 where no verdict may rest on it."""
        return self._p_value(bound - self.upper.center, self.upper)

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference of two independent estimates, with both errors."""
        return Estimate(
            self.value - other.value,
            _apart(self.lower, other.upper),
            _apart(self.upper, other.lower),
            self.flaw or other.flaw,
            np.logical_and(self.varied, other.varied),
        )

    def _p_value(self, distance: Numbers, side: Side) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = scipy.stats.t.sf(distance / side.error, side.df)
        return np.where(self.sound, p_value, 1.0)


def mean_of(values: np.ndarray, span: Span | None = None) -> Estimate:
    """The mean over seeds.

    Args:
        values: (..., n) a number a seed.
        span: the range of a metric that may collapse; None if it is unimodal.
    """
    if flaw := _too_few(values.shape[-1], span):
        return _without_limits(values.mean(axis=-1) if values.size else np.nan, flaw)
    smallest, largest = values.min(axis=-1), values.max(axis=-1)
    low, high, extra = (span.low, span.high, span.extra) if span else (smallest, largest, 1)
    # Runs that all collapse are alike with good reason.
    at_an_end = (np.abs(largest - low) < COLLAPSE_BELOW) if span else False
    varied = np.logical_or(largest > smallest, at_an_end)
    return Estimate(
        values.mean(axis=-1),
        _with_extra(values, low, extra),
        _with_extra(values, high, extra),
        varied=varied,
    )


def difference(
    first: np.ndarray, second: np.ndarray, *, paired: bool, span: Span | None = None
) -> Estimate:
    """Mean of ``first`` less mean of ``second``.

    Args:
        first: (..., n) a number a seed.
        second: (..., m) the same of the other; the same seeds in the same order if paired.
        paired: whether the seeds are shared: a seed's own difference is then the unit.
        span: as for `mean_of`.
    """
    single = replace(span, extra=1) if span else None
    if not paired:
        return mean_of(first, single).minus(mean_of(second, single))
    width = span.high - span.low if span else 0.0
    found = mean_of(first - second, Span(-width, width, extra=1) if span else None)
    return replace(found, varied=np.ptp(first - second, axis=-1) > 0)


def printed(value: float, half_width: float, runs: int) -> Estimate:
    """A printed mean with its t-based 95% interval, of so many runs."""
    error = half_width / scipy.stats.t.isf(0.025, runs - 1)
    return known(value, error, runs - 1)


def printed_without_interval(value: float, ours: np.ndarray, runs: int) -> Estimate:
    """A printed mean of so many runs (1: of one network) that are taken to scatter as ours do.

    Args:
        value: as printed.
        ours: (..., n) our values a seed.
        runs: behind the printed value.
    """
    n = ours.shape[-1]
    error = ours.std(axis=-1, ddof=1) / np.sqrt(runs) if n > 1 else np.nan
    return known(value, error, max(n - 1, 1))


def printed_percent(part: Estimate, whole: Estimate) -> Estimate:
    """A printed mean in percent of another; its relative error is that of both (delta method)."""
    percent = 100 * part.value / whole.value
    relative = np.hypot(part.lower.error / part.value, whole.lower.error / whole.value)
    return known(percent, percent * relative, min(part.lower.df, whole.lower.df))


def known(value: float, error: Numbers = 0.0, df: float = np.inf) -> Estimate:
    """A number with a standard error that is known; 0 for a formula's value."""
    side = Side(value, error, df)
    return Estimate(value, side, side)


def variance_of(values: np.ndarray, span: Span, factor: float = 1.0) -> Estimate:
    """The variance over seeds, times ``factor``: a mean of squared deviations, judged as a mean is.

    The extra run is at the mean for the lower limit, and for the upper one as far from it as can
    be: that is what would change a variance.

    Args:
        values: (..., n) a number a seed.
        span: the range of the metric. Bounds are to be below a fifth of it: near half of it squared
            deviations are all alike, and limits err in up to 11%.
        factor: above 0.
    """
    squares, reach = _squares(values, span, factor)
    if flaw := _too_few(values.shape[-1], span):
        return _without_limits(squares.mean(axis=-1), flaw)
    lower, upper = _with_extra(squares, np.zeros_like(reach), 1), _with_extra(squares, reach, 1)
    return Estimate(squares.mean(axis=-1), lower, upper, varied=np.ptp(values, axis=-1) > 0)


def spread_difference(
    first: np.ndarray, second: np.ndarray, *, ratio: float, paired: bool, span: Span
) -> Estimate:
    """The first variance less ``ratio`` squared times the second; negative below that ratio.

    Args:
        first: (..., n) as in `difference`.
        second: (..., m) as in `difference`.
        ratio: of standard deviations.
        paired: as in `difference`.
        span: the range of the metric.
    """
    apart = variance_of(first, span).minus(variance_of(second, span, ratio**2))
    if apart.flaw or not paired:
        return apart
    (squares, reach), (others, other_reach) = (
        _squares(first, span),
        _squares(second, span, ratio**2),
    )
    both = squares - others
    lower, upper = _with_extra(both, -other_reach, 1), _with_extra(both, reach, 1)
    return replace(apart, lower=lower, upper=upper)


def slope_of(values: np.ndarray, shares: np.ndarray, span: Span | None = None) -> Estimate:
    """The slope of the straight line through each seed's values over p, averaged over seeds.

    Args:
        values: (..., n, shares) a number a seed and p.
        shares: (shares,) the values of p.
        span: as in `mean_of`, of a single value.
    """
    centered = shares - shares.mean()
    weights = centered / (centered**2).sum()
    if span:
        steepest = (span.high - span.low) * weights[weights > 0].sum()
        span = Span(-steepest, steepest, extra=1)
    return mean_of(values @ weights, span)


def _too_few(n: int, span: Span | None) -> str:
    """Why so few runs give no verdict; empty if they may."""
    if span and n < FEWEST_RUNS_OF_MIXTURE:
        return f"n = {n}: accuracies that may collapse take {FEWEST_RUNS_OF_MIXTURE} runs"
    return f"n = {n}: a mean takes {FEWEST_RUNS} runs" if n < FEWEST_RUNS else ""


def _without_limits(value: Numbers, flaw: str) -> Estimate:
    unknown = Side(np.nan, np.nan, 1)
    return Estimate(value, unknown, unknown, flaw)


def _with_extra(values: np.ndarray, end: Numbers, extra: int) -> Side:
    """Center and standard error of (..., n) values and ``extra`` ones at ``end``."""
    n = values.shape[-1]
    counted = n + extra
    center = (values.sum(axis=-1) + extra * end) / counted
    squares = ((values - np.expand_dims(center, -1)) ** 2).sum(axis=-1)
    squares = squares + extra * (end - center) ** 2
    return Side(center, np.sqrt(squares / (counted - 1) / counted), n - 1)


def _apart(side: Side, other: Side) -> Side:
    """Of the difference; the smaller number of degrees of freedom never errs too often."""
    error = np.hypot(side.error, other.error)
    return Side(side.center - other.center, error, min(side.df, other.df))


def _squares(values: np.ndarray, span: Span, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Squared deviations whose mean is the variance, and the largest there can be; by a factor."""
    n = values.shape[-1]
    mean = values.mean(axis=-1)
    squares = (values - mean[..., np.newaxis]) ** 2 * n / max(n - 1, 1)
    return factor * squares, factor * np.maximum(mean - span.low, span.high - mean) ** 2

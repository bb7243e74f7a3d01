"""Spreads, ratios of spreads and shares: what rules judge beside means and their differences."""

import bisect
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from advprune.claims.estimates import (
    ALPHA,
    Estimate,
    Numbers,
    Span,
    spread_difference,
    variance_of,
)


@dataclass(frozen=True)
class Spread:
    """A standard deviation, judged by its square.

    Attributes:
        runs: (..., n) a number a seed.
        span: the range of the metric.
    """

    runs: np.ndarray
    span: Span

    @cached_property
    def _variance(self) -> Estimate:
        return variance_of(self.runs, self.span)

    @property
    def value(self) -> Numbers:
        """The standard deviation of the runs."""
        return np.sqrt(self._variance.value)

    @property
    def flaw(self) -> str:
        """As `Judged` says."""
        return self._variance.flaw

    @property
    def varied(self) -> Numbers:
        """As `Judged` says."""
        return self._variance.varied

    def low(self) -> Numbers:
        """As `Judged` says."""
        return np.sqrt(np.maximum(self._variance.low(), 0))

    def high(self) -> Numbers:
        """As `Judged` says."""
        return np.sqrt(self._variance.high())

    def p_above(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return self._variance.p_above(bound**2)

    def p_below(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return self._variance.p_below(bound**2)


# Ratios of spreads, in percent, among which the limits are looked for.
RATIOS = np.geomspace(1, 10_000, 4001)


@dataclass(frozen=True)
class SpreadPercent:
    """A standard deviation in percent of another, judged by `spread_difference` at the bound.

    Attributes:
        first, second: (..., n) and (..., m), as in `difference`.
        paired: as in `difference`.
        span: the range of the metric.
    """

    first: np.ndarray
    second: np.ndarray
    paired: bool
    span: Span

    def _apart(self, percent: float) -> Estimate:
        return spread_difference(
            self.first, self.second, ratio=percent / 100, paired=self.paired, span=self.span
        )

    @property
    def value(self) -> Numbers:
        """The ratio of the runs' standard deviations, in percent."""
        first, second = (
            runs.std(axis=-1, ddof=1) if runs.shape[-1] > 1 else np.nan
            for runs in (self.first, self.second)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100 * np.divide(first, second)

    @property
    def flaw(self) -> str:
        """As `Judged` says."""
        return self._apart(100).flaw

    @property
    def varied(self) -> Numbers:
        """As `Judged` says."""
        return self._apart(100).varied

    def low(self) -> Numbers:
        """The largest of `RATIOS` that the truth is shown to be above; NaN for many experiments."""
        if self.first.ndim > 1:
            return np.nan
        first = bisect.bisect_left(RATIOS, True, key=lambda ratio: self.p_above(ratio) > ALPHA)
        return float(RATIOS[first - 1]) if first else 0.0

    def high(self) -> Numbers:
        """The smallest of `RATIOS` the truth is shown to be below; NaN for many experiments."""
        if self.first.ndim > 1:
            return np.nan
        first = bisect.bisect_left(RATIOS, True, key=lambda ratio: self.p_below(ratio) <= ALPHA)
        return float(RATIOS[first]) if first < len(RATIOS) else np.inf

    def p_above(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return self._apart(bound).p_above(0)

    def p_below(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return self._apart(bound).p_below(0)


@dataclass(frozen=True)
class Share:
    """A share of runs in percent, by exact binomial tests (Clopper and Pearson 1934).

    Attributes:
        successes: how many of ``n`` runs.
        n: runs.
    """

    successes: Numbers
    n: int
    flaw = ""
    varied = True

    @property
    def value(self) -> Numbers:
        """The share of these runs."""
        return 100 * np.divide(self.successes, self.n)

    def low(self) -> Numbers:
        """As `Judged` says."""
        limit = scipy.stats.beta.ppf(ALPHA, self.successes, self.n - self.successes + 1)
        return 100 * np.nan_to_num(limit, nan=0.0)

    def high(self) -> Numbers:
        """As `Judged` says."""
        limit = scipy.stats.beta.isf(ALPHA, self.successes + 1, self.n - self.successes)
        return 100 * np.nan_to_num(limit, nan=1.0)

    def p_above(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return scipy.stats.binom.sf(np.asarray(self.successes) - 1, self.n, bound / 100)

    def p_below(self, bound: float) -> Numbers:
        """As `Judged` says."""
        return scipy.stats.binom.cdf(self.successes, self.n, bound / 100)

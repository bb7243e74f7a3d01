"""What a referee would ask of a difference between two groups of runs, beside Welch's test.

The accuracies are bimodal (some runs collapse to 0%), so that Welch's test on few runs is fragile:
a permutation test and a bootstrap interval stand beside it. All by SciPy and statsmodels.
"""

import bisect
from dataclasses import dataclass

import numpy as np
import scipy
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

from advprune.analysis.statistics import (
    COLLAPSE_BELOW,
    CONFIDENCE,
    ShareInterval,
    share_interval,
    welch,
    welch_greater,
)

ALPHA = 0.05
POWER = 0.8
SMALLEST_EFFECT = 1e-5
RESAMPLES = 9999
RESAMPLING_SEED = 0


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided 95% interval; NaN where the data allow none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two groups of runs, measured by one metric.

    Attributes:
        difference: of the means, first less second, with Welch's interval.
        hedges_g: the difference in standard deviations, corrected for small groups.
        welch_p, permutation_p: one-sided, of the first mean not being the greater.
        bootstrap: the same difference, with the percentile bootstrap's interval.
        collapsed: each group's share of runs below 1%.
        collapsed_p: two-sided, of the two shares being equal (Boschloo's exact test).
        runs_for_power: how many runs a group would show the observed difference at the 5% level
            with 80% power; infinite where it points the other way.
    """

    difference: Interval
    hedges_g: Interval
    welch_p: float
    permutation_p: float
    bootstrap: Interval
    collapsed: tuple[ShareInterval, ShareInterval]
    collapsed_p: float
    runs_for_power: float


def compare(first: np.ndarray, second: np.ndarray) -> Comparison:
    """Compare two groups of robust accuracies, in percent."""
    lost = [np.asarray(group) < COLLAPSE_BELOW for group in (first, second)]
    g = hedges_g(first, second)
    return Comparison(
        difference=difference_interval(first, second),
        hedges_g=g,
        welch_p=welch_greater(first, second).p_value,
        permutation_p=permutation_greater(first, second),
        bootstrap=bootstrap_difference(first, second),
        collapsed=tuple(share_interval(int(group.sum()), len(group)) for group in lost),
        collapsed_p=equal_shares_p(*lost),
        runs_for_power=runs_for_power(g.value),
    )


def difference_interval(first: np.ndarray, second: np.ndarray) -> Interval:
    """Mean of ``first`` less mean of ``second``, with Welch's interval."""
    if not (len(first) and len(second)):
        return Interval(np.nan, np.nan, np.nan)
    difference = float(np.mean(first) - np.mean(second))
    if min(len(first), len(second)) < 2:
        return Interval(difference, np.nan, np.nan)
    if np.ptp(first) == np.ptp(second) == 0:
        return Interval(difference, difference, difference)
    found = welch(first, second, alternative="two-sided").confidence_interval(CONFIDENCE)
    return Interval(difference, float(found.low), float(found.high))


def hedges_g(first: np.ndarray, second: np.ndarray) -> Interval:
    """Hedges' g, with its interval by the normal approximation."""
    if not _comparable(first, second):
        return Interval(np.nan, np.nan, np.nan)
    moments = [(np.mean(group), np.std(group, ddof=1), len(group)) for group in (first, second)]
    g, variance = effectsize_smd(*moments[0], *moments[1])
    reach = scipy.stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(variance)
    return Interval(float(g), float(g - reach), float(g + reach))


def permutation_greater(first: np.ndarray, second: np.ndarray) -> float:
    """The p-value of a one-sided permutation test of the difference of means."""
    if not _comparable(first, second):
        return np.nan
    return float(
        scipy.stats.permutation_test(
            (first, second),
            _difference_of_means,
            alternative="greater",
            n_resamples=RESAMPLES,
            vectorized=True,
            rng=np.random.default_rng(RESAMPLING_SEED),
        ).pvalue
    )


def bootstrap_difference(first: np.ndarray, second: np.ndarray) -> Interval:
    """The difference of means with the percentile bootstrap's 95% interval."""
    if not _comparable(first, second):
        return Interval(np.nan, np.nan, np.nan)
    found = scipy.stats.bootstrap(
        (first, second),
        _difference_of_means,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(RESAMPLING_SEED),
    ).confidence_interval
    difference = float(np.mean(first) - np.mean(second))
    return Interval(difference, float(found.low), float(found.high))


def percentiles(drawn: np.ndarray) -> tuple[float, float]:
    """The percentile bootstrap's interval of what was drawn; infinite values are values too."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def equal_shares_p(first: np.ndarray, second: np.ndarray) -> float:
    """The p-value of Boschloo's exact test that two shares of true values are equal."""
    table = [[int(group.sum()), int((~group).sum())] for group in (first, second)]
    if min(map(sum, table)) == 0:
        return np.nan
    if 0 in np.sum(table, axis=0):  # all alike in both groups
        return 1.0
    return float(scipy.stats.boschloo_exact(np.transpose(table), alternative="two-sided").pvalue)


def runs_for_power(effect_size: float, *, alpha: float = ALPHA) -> float:
    """How many runs a group give 80% power in a one-sided test.

    Args:
        effect_size: the difference in standard deviations. NaN gives NaN; 0 or less, and what
            would take a trillion runs, infinity.
        alpha: the level of the test.
    """
    if np.isnan(effect_size):
        return np.nan
    if effect_size <= SMALLEST_EFFECT:
        return np.inf

    def power(n: int) -> float:
        return _power(effect_size, n, alpha)

    enough = 2
    while power(enough) < POWER:
        enough *= 2
    return float(bisect.bisect_left(range(enough), POWER, lo=max(2, enough // 2), key=power))


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for testing all of them at once (Holm 1979); NaN stays NaN."""
    p_values = np.asarray(p_values, dtype=float)
    corrected = np.full_like(p_values, np.nan)
    there = ~np.isnan(p_values)
    if there.any():
        corrected[there] = multipletests(p_values[there], alpha=ALPHA, method="holm")[1]
    return corrected


def _power(effect_size: float, n: int, alpha: float) -> float:
    power = TTestIndPower().power(effect_size, nobs1=n, alpha=alpha, alternative="larger")
    # In places far out, where the power is 1, SciPy's noncentral t has no value.
    return 1.0 if np.isnan(power) else float(power)


def _difference_of_means(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(first, axis=axis) - np.mean(second, axis=axis)


def _comparable(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether both groups have at least two runs, and the runs some spread."""
    enough = min(len(first), len(second)) >= 2
    return enough and not np.ptp(first) == np.ptp(second) == 0

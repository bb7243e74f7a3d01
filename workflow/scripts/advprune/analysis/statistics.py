"""The statistics of the tables: intervals, tests and fits, by SciPy."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from advprune.analysis.metrics import (
    AUTOATTACK,
    AUTOATTACK_RUNS,
    ROBUST_ACCURACIES,
    collapse_column,
)
from advprune.analysis.two_way import accuracy_estimate, t_quantile
from advprune.analysis.verdict_table import VerdictTable

CONFIDENCE = 0.95
# Percent: a run collapsed if its accuracy under an attack is below the first; the others show
# whether what is concluded from the shares of collapsed runs depends on that.
COLLAPSE_LEVELS = (1.0, 5.0, 10.0)
COLLAPSE_BELOW = COLLAPSE_LEVELS[0]
RUN_KEYS = ["dataset", "method", "p", "e"]


@dataclass(frozen=True)
class MeanInterval:
    """A mean with its two-sided t-based confidence interval.

    Attributes:
        n: how many values.
        mean: NaN for no values.
        half_width: half the width of the 95% interval; NaN for fewer than two values.
        standard_deviation: of the values, with n - 1; NaN for fewer than two.
    """

    n: int
    mean: float
    half_width: float
    standard_deviation: float


def mean_interval(values: pd.Series | np.ndarray) -> MeanInterval:
    """The mean of ``values`` and its 95% interval (Table 1's "confidence interval")."""
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n < 2:
        return MeanInterval(n, values.mean() if n else np.nan, np.nan, np.nan)
    deviation = float(values.std(ddof=1))
    half_width = t_quantile((1 + CONFIDENCE) / 2, n - 1) * deviation / math.sqrt(n)
    return MeanInterval(n, values.mean(), half_width, deviation)


def mean_interval_of_pairs(values: np.ndarray) -> MeanInterval:
    """The mean of what is measured of every two of n runs, and its 95% interval.

    Pairs that share a run are not independent, so n (n - 1) / 2 of them are no such sample. The
    interval is the jackknife's: of n pseudo-values, each what the mean owes to one run.

    Args:
        values: (n, n), symmetric; the diagonal is not read.

    Returns:
        with ``n`` the number of runs. For two runs, which are one pair, there is no interval.
    """
    n = len(values)
    if n < 2:
        return MeanInterval(n, np.nan, np.nan, np.nan)
    of_each = (values.sum(axis=1) - np.diag(values)) / (n - 1)  # with all others
    mean = float(of_each.mean())
    if n == 2:
        return MeanInterval(n, mean, np.nan, np.nan)
    without_each = (n * mean - 2 * of_each) / (n - 2)  # the mean over pairs of the others
    return mean_interval(n * mean - (n - 1) * without_each)


def count_collapsed(
    robust_accuracy: pd.Series | np.ndarray, *, below: float = COLLAPSE_BELOW
) -> int:
    """How many runs ended with no robustness: an accuracy under attack below 1%, or another."""
    return int((np.asarray(robust_accuracy) < below).sum())


def collapsed_share(robust_accuracy: pd.Series | np.ndarray) -> float:
    """The share of collapsed runs, in [0, 1]; NaN for no runs."""
    n = len(robust_accuracy)
    return count_collapsed(robust_accuracy) / n if n else np.nan


@dataclass(frozen=True)
class ShareInterval:
    """A share of runs with its Wilson score interval.

    Attributes:
        n: how many runs.
        share: in [0, 1]; NaN for no runs.
        low, high: the ends of the 95% interval, in [0, 1]; NaN for no runs.
    """

    n: int
    share: float
    low: float
    high: float


def share_interval(successes: int, n: int) -> ShareInterval:
    """The share ``successes / n`` and its 95% interval by Wilson's score method.

    Unlike the t-based interval of a mean it stays in [0, 1] and has a width where all runs, or
    none, succeed.
    """
    if not n:
        return ShareInterval(0, np.nan, np.nan, np.nan)
    found = scipy.stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    share = successes / n
    # At 0 and 1 rounding puts an end a little past the share.
    return ShareInterval(n, share, min(float(found.low), share), max(float(found.high), share))


@dataclass(frozen=True)
class WelchTest:
    """A one-sided Welch's t-test.

    Attributes:
        difference: mean of the first sample less mean of the second.
        statistic: t.
        degrees_of_freedom: by Welch and Satterthwaite.
        p_value: of the difference being 0 or less; NaN where a sample has fewer than two values.
    """

    difference: float
    statistic: float
    degrees_of_freedom: float
    p_value: float


def welch_greater(first: np.ndarray, second: np.ndarray) -> WelchTest:
    """Test whether the mean of ``first`` is greater than that of ``second`` (appendix B)."""
    difference = np.mean(first) - np.mean(second) if len(first) and len(second) else np.nan
    if min(len(first), len(second)) < 2 or np.ptp(first) == np.ptp(second) == 0:
        return WelchTest(difference, np.nan, np.nan, np.nan)
    found = welch(first, second, alternative="greater")
    return WelchTest(difference, found.statistic, found.df, found.pvalue)


def welch(first: np.ndarray, second: np.ndarray, *, alternative: str) -> Any:
    """SciPy's Welch's t-test of two samples of two values or more, at least one with spread."""
    with warnings.catch_warnings():
        # One sample may be without spread, of which SciPy warns: the other's is enough.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        return scipy.stats.ttest_ind(first, second, equal_var=False, alternative=alternative)


def summarise(
    runs: pd.DataFrame, metrics: list[str], verdicts: VerdictTable | None = None
) -> pd.DataFrame:
    """One row for each (data set, method, p, e): n, and mean and spread of each metric.

    Also how many of them AutoAttack was run on, the share of runs that collapsed, by each attack,
    and how many diverged.

    Args:
        runs: a table of runs.
        metrics: columns of it.
        verdicts: of those runs, with which the intervals of robust accuracies hold the choice of
            the attacked images as well; without, they are over seeds alone, as all others are.
    """
    rows = []
    for key, group in runs.groupby(RUN_KEYS, sort=True):
        row = dict(zip(RUN_KEYS, key, strict=True)) | {"n": len(group)}
        row[AUTOATTACK_RUNS] = int(group[AUTOATTACK].notna().sum())
        for metric in metrics:
            # Some runs are not attacked, and those trained in a stack have no time of their own.
            measured = group.dropna(subset=[metric])
            interval = mean_interval(measured[metric])
            row[f"{metric}_mean"] = interval.mean
            row[f"{metric}_half_width"] = interval.half_width
            if verdicts and metric in ROBUST_ACCURACIES and len(measured):
                both = accuracy_estimate(measured, metric, verdicts)
                row[f"{metric}_half_width"] = both.half_width(CONFIDENCE)
            row[f"{metric}_standard_deviation"] = interval.standard_deviation
        for metric in ROBUST_ACCURACIES:
            row[collapse_column(metric)] = collapsed_share(group[metric].dropna())
        row["diverged"] = int(group["diverged_epoch"].notna().sum())
        rows.append(row)
    return pd.DataFrame(rows)

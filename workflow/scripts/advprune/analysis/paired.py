"""Two groups of runs compared seed by seed, where the runs of a seed share their random numbers.

With ``paired_seeds`` a seed's runs share initial weights, the order of the data and random starts,
whatever the method (see `training.seeds`). What they owe to these cancels in the differences of
pairs, so that paired tests see smaller effects than Welch's test, the paper's, which takes all
runs to be independent.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from statsmodels.stats.proportion import proportion_confint

from advprune.analysis.comparison import RESAMPLES, RESAMPLING_SEED, Interval
from advprune.analysis.statistics import CONFIDENCE, ShareInterval


@dataclass(frozen=True)
class PairedComparison:
    """Two groups of runs, compared over the seeds that both have.

    Attributes:
        n: how many pairs.
        difference: the mean difference, first less second, with the paired t-test's interval.
        correlation: Pearson's, of the pairs; NaN where a group has no spread. Only where it is
            positive does pairing help.
        t_p: one-sided, of the mean difference not being above 0, by the paired t-test.
        sign_flip_p: the same by flipping signs at random: no difference is likelier than its
            negative. Exact up to 13 pairs.
        ties: how many pairs are equal (as where both runs collapsed to 0%).
        won: the share of pairs in which the first is higher, equal ones counted as half, with
            Wilson's interval.
    """

    n: int
    difference: Interval
    correlation: float
    t_p: float
    sign_flip_p: float
    ties: int
    won: ShareInterval


def pairs_of(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The values of the seeds that both groups have, in the order of the seeds.

    Args:
        first: values with their seeds as index, each once.
        second: the same of the other group.

    Returns:
        (n,) of the first, (n,) of the second.
    """
    shared = first.index.intersection(second.index).sort_values()
    return first.loc[shared].to_numpy(dtype=float), second.loc[shared].to_numpy(dtype=float)


def compare_pairs(first: pd.Series, second: pd.Series) -> PairedComparison:
    """Compare two groups of accuracies over the seeds that both have.

    Args:
        first: accuracies in percent with their seeds as index, each once.
        second: the same of the other group.
    """
    one, other = pairs_of(first, second)
    differences = one - other
    found = paired_t(differences)
    return PairedComparison(
        n=len(differences),
        difference=found[0],
        correlation=correlation(one, other),
        t_p=found[1],
        sign_flip_p=sign_flip_greater(differences),
        ties=int((differences == 0).sum()),
        won=share_won(differences),
    )


def paired_t(differences: np.ndarray) -> tuple[Interval, float]:
    """The mean of (n,) differences with its t-based interval, and the one-sided p-value.

    Fewer than two give no interval, and no p-value; nor do differences without spread give one.
    """
    if not len(differences):
        return Interval(np.nan, np.nan, np.nan), np.nan
    mean = float(np.mean(differences))
    if len(differences) < 2:
        return Interval(mean, np.nan, np.nan), np.nan
    if np.ptp(differences) == 0:
        return Interval(mean, mean, mean), np.nan
    two_sided = scipy.stats.ttest_1samp(differences, 0).confidence_interval(CONFIDENCE)
    p_value = scipy.stats.ttest_1samp(differences, 0, alternative="greater").pvalue
    return Interval(mean, float(two_sided.low), float(two_sided.high)), float(p_value)


def sign_flip_greater(differences: np.ndarray) -> float:
    """The p-value of a one-sided permutation test that swaps the runs of pairs.

    Args:
        differences: (n,), of the pairs. Fewer than two, or all of them 0, give NaN.
    """
    if len(differences) < 2 or not np.any(differences):
        return np.nan
    return float(
        scipy.stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            alternative="greater",
            n_resamples=RESAMPLES,
            vectorized=True,
            rng=np.random.default_rng(RESAMPLING_SEED),
        ).pvalue
    )


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation of (n,) and (n,) values; NaN below two pairs or without spread."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(scipy.stats.pearsonr(one, other).statistic)


def share_won(differences: np.ndarray) -> ShareInterval:
    """The share of (n,) differences above 0, those of 0 counted as half."""
    n = len(differences)
    if not n:
        return ShareInterval(0, np.nan, np.nan, np.nan)
    won = float((differences > 0).sum() + (differences == 0).sum() / 2)
    # SciPy's interval takes whole numbers alone. Halves vary less than what it is made for, so
    # that with ties it is wider than it need be.
    low, high = proportion_confint(won, n, alpha=1 - CONFIDENCE, method="wilson")
    share = won / n
    return ShareInterval(n, share, min(float(low), share), max(float(high), share))


def resampled_seeds(
    first: pd.Series, second: pd.Series, *, paired: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Both groups with their seeds drawn anew with replacement, many times.

    Args:
        first: (n,) values with their seeds as index, each once.
        second: (m,) of the other group.
        paired: whether a seed that both have is drawn for both at once. How many seeds are shared
            stays as it is.

    Returns:
        (RESAMPLES, n) and (RESAMPLES, m) values.
    """
    random = np.random.default_rng(RESAMPLING_SEED)
    shared = first.index.intersection(second.index) if paired else first.index[:0]
    drawn = random.integers(len(shared), size=(RESAMPLES, len(shared))) if len(shared) else None
    groups = []
    for group in (first, second):
        alone = group.drop(shared).to_numpy(dtype=float)
        parts = [random.choice(alone, (RESAMPLES, len(alone)))] if len(alone) else []
        if drawn is not None:
            parts.append(group.loc[shared].to_numpy(dtype=float)[drawn])
        groups.append(np.concatenate(parts, axis=1) if parts else np.empty((RESAMPLES, 0)))
    return groups[0], groups[1]

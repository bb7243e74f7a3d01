"""How probably a network of one method is more robust than a network of another.

The question of who has one network to train, where a test of means asks after the average of many;
and with a bimodal accuracy the two may differ.
"""

import numpy as np
import scipy

from advprune.analysis.comparison import Interval
from advprune.analysis.statistics import CONFIDENCE

BELOW_ONE = 1 - 1e-12


def probability_higher(first: np.ndarray, second: np.ndarray) -> Interval:
    """P(X > Y) + P(X = Y) / 2 for X drawn from ``first`` and Y from ``second``, in [0, 1].

    This is Mann and Whitney's U over the number of pairs. The interval is Newcombe's score interval
    (2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic",
    part 2, method 5): unlike a bootstrap's it stays in [0, 1] and has a width where all of one
    group are above the other. It takes the groups to be independent, so it is too wide where the
    runs of a seed are correlated, or where many are equal.

    Args:
        first: (n,) accuracies; no runs in either group give NaN.
        second: (m,) accuracies.
    """
    n, m = len(first), len(second)
    if not (n and m):
        return Interval(np.nan, np.nan, np.nan)
    u = scipy.stats.mannwhitneyu(first, second, method="asymptotic").statistic
    share = float(u / (n * m))
    return Interval(share, _lower_end(share, n, m), 1 - _lower_end(1 - share, n, m))


def _lower_end(share: float, n: int, m: int) -> float:
    """The smallest probability that ``share``, of n times m pairs, does not contradict."""
    if share == 0:
        return 0.0
    z = scipy.stats.norm.ppf((1 + CONFIDENCE) / 2)
    more = (n + m) / 2 - 1

    def gap(true: float) -> float:
        # Hanley and McNeil's variance, with the mean of both groups' sizes in place of each.
        inflated = 1 + more * ((1 - true) / (2 - true) + true / (1 + true))
        return (share - true) ** 2 - z**2 * true * (1 - true) * inflated / (n * m)

    # At a share of 1 the gap is 0 there too, which is not the end that is looked for.
    return float(scipy.optimize.brentq(gap, 0, min(share, BELOW_ONE)))

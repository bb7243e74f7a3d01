"""Intervals that hold both samples that a robust accuracy is made of: the seeds and the images.

Every run of a data set is attacked on the same test images, so what the choice of these images adds
to a mean does not average out over seeds: more seeds shrink one part of the error alone.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from advprune.analysis.verdict_table import VerdictTable


def t_quantile(share: float, degrees_of_freedom: float) -> float:
    """What a share in (0, 1) of Student's t distribution is below.

    As `scipy.stats.t.ppf`, whose module takes a table or figure half a second of CPU to import.
    """
    return float(scipy.special.stdtrit(degrees_of_freedom, share))


@dataclass(frozen=True)
class Estimate:
    """A mean, and how far it may be off.

    Attributes:
        value: in the unit of what went in.
        standard_error: over seeds and images, in the same unit; NaN for fewer than two of either.
        degrees_of_freedom: of the t distribution of (value - truth) / standard_error.
    """

    value: float
    standard_error: float
    degrees_of_freedom: float

    def half_width(self, confidence: float) -> float:
        """Half the width of the two-sided interval, which has its middle at the value."""
        return t_quantile((1 + confidence) / 2, self.degrees_of_freedom) * self.standard_error


def two_way_mean(values: np.ndarray) -> Estimate:
    """The mean of a matrix whose rows (seeds) and columns (images) are both random samples.

    By the crossed random-effects formula ``Var = S2_seed / n + S2_image / m - S2_residual / (n m)``
    with the variances of the row means, of the column means and of what both leave; it needs no
    normal distribution, and without its last term the residual would be counted twice. A component
    that comes out below 0 counts as 0. The t quantile has the seeds' n - 1 degrees of freedom.

    How often 95% intervals held the truth (percent), of networks with 80 to 90% on images of unlike
    difficulty, some of them collapsed to 0 to 1%, in 1,000 to 2,000 simulated experiments each, 400
    for the bootstrap:

    =========  =====  ======  ==========  ============  =============  ==========
    collapsed  seeds  images  seeds only  this formula  Satterthwaite  pigeonhole
    =========  =====  ======  ==========  ============  =============  ==========
    none       3      1,000   93          98            91             86
    none       30     1,000   81          96            95             93
    none       120    1,000   57          95            95             95
    none       120    100     28          94            94             91
    3 in 10    8      100     93          93            93             94
    1 in 10    8      1,000   58          58            58             61
    1 in 10    120    1,000   93          94            94             93
    =========  =====  ======  ==========  ============  =============  ==========

    So the formula rather than percentiles of the two-way ("pigeonhole") bootstrap, which are too
    narrow where few seeds are resampled, or Satterthwaite's more degrees of freedom, which are no
    better with many seeds and too many with few. The price is a wide interval for few seeds on few
    images. No interval knows of a rare collapse that is not in the sample (1 in 10, 8 seeds).

    The attacked images count as a sample of all that there could be; with the 10,000 of a whole
    test set their part is small.

    Args:
        values: (n, m), row a seed, column an image: 0 or 1, or 0 or 100 for percent, or
            differences of such.
    """
    if not values.size:
        return Estimate(np.nan, np.nan, np.nan)
    seeds, images = values.shape
    value = float(np.mean(values))
    if min(seeds, images) < 2:
        return Estimate(value, np.nan, np.nan)
    of_seeds = np.mean(values, axis=1).var(ddof=1) / seeds
    of_images = np.mean(values, axis=0).var(ddof=1) / images
    # Both of them hold it once.
    residual = _residual_variance(values) / values.size
    variance = residual + max(0, of_seeds - residual) + max(0, of_images - residual)
    return Estimate(value, float(np.sqrt(variance)), seeds - 1)


def accuracy_estimate(runs: pd.DataFrame, metric: str, verdicts: VerdictTable) -> Estimate:
    """The mean robust accuracy of some runs of one data set, in percent.

    Args:
        runs: rows of the table of runs that the verdicts were collected with.
        metric: a key of `metrics.ROBUST_ACCURACIES`.
        verdicts: of those runs, and perhaps of others.
    """
    return two_way_mean(100.0 * verdicts.withstood(runs, metric))


def accuracy_gap(runs: pd.DataFrame, metric: str, less: str, verdicts: VerdictTable) -> Estimate:
    """The mean robust accuracy of some runs by one attack less that by another, in points.

    On the images that both attacked, run by run: what a seed or an image adds to both cancels.

    Args:
        runs: rows of the table of runs that the verdicts were collected with, of one data set.
        metric: a key of `metrics.ROBUST_ACCURACIES`.
        less: another.
        verdicts: of those runs, and perhaps of others.
    """
    if runs.empty:
        return Estimate(np.nan, np.nan, np.nan)
    first, second = verdicts.on_shared_images(runs, metric, less)
    return two_way_mean(100.0 * first - 100.0 * second)


def _residual_variance(values: np.ndarray) -> float:
    """What is left of an (n, m) matrix without the means of its rows and columns, as a variance."""
    rows, columns = np.mean(values, axis=1, keepdims=True), np.mean(values, axis=0, keepdims=True)
    left = values - rows - columns + np.mean(values)
    return float((left**2).sum() / ((len(rows) - 1) * (columns.size - 1)))

"""The difference of two means split: how many runs collapse, and how good the others are.

A mean is m = (1 - c) w + c v, with c the share of collapsed runs, w the mean of those that work and
v that of the collapsed ones, which is below 1% and next to nothing. Two methods of equal means may
be a reliable one and one that is better whenever it does not fail.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from advprune.analysis.comparison import Interval, percentiles
from advprune.analysis.paired import resampled_seeds
from advprune.analysis.statistics import COLLAPSE_BELOW


@dataclass(frozen=True)
class Split:
    """What a difference of means comes from; NaN where a group has no runs.

    Attributes:
        working: the mean of each group's runs that work, in percent; NaN where none does.
        from_collapse: points of the difference that are due to the shares of collapsed runs.
        from_the_rest: points that are due to how good the runs are. The two add up to the
            difference of the means. Both with the percentile bootstrap's interval over seeds; none
            for fewer than two runs a group.
    """

    working: tuple[float, float]
    from_collapse: Interval
    from_the_rest: Interval


def split_difference(
    first: pd.Series, second: pd.Series, *, paired: bool, below: float = COLLAPSE_BELOW
) -> Split:
    """Split the mean of ``first`` less that of ``second``.

    Args:
        first: accuracies in percent with their seeds as index, each once.
        second: the same of the other group.
        paired: whether the bootstrap draws the runs of a seed together.
        below: runs of a lower accuracy have collapsed, in percent.
    """
    working = working_mean(first, below=below), working_mean(second, below=below)
    if not (len(first) and len(second)):
        nothing = Interval(np.nan, np.nan, np.nan)
        return Split(working, nothing, nothing)
    values = first.to_numpy(dtype=float), second.to_numpy(dtype=float)
    found = parts_of_difference(*values, below=below)
    ends = [(np.nan, np.nan)] * 2
    if min(len(first), len(second)) >= 2:
        drawn = parts_of_difference(*resampled_seeds(first, second, paired=paired), below=below)
        ends = [percentiles(part) for part in drawn]
    intervals = [Interval(float(part), *end) for part, end in zip(found, ends, strict=True)]
    return Split(working, *intervals)


def working_mean(accuracies: pd.Series | np.ndarray, *, below: float = COLLAPSE_BELOW) -> float:
    """The mean accuracy of the runs that did not collapse, in percent; NaN where all did."""
    accuracies = np.asarray(accuracies, dtype=float)
    working = accuracies[accuracies >= below]
    return float(np.mean(working)) if len(working) else np.nan


def parts_of_difference(
    first: np.ndarray, second: np.ndarray, *, below: float = COLLAPSE_BELOW
) -> tuple[np.ndarray, np.ndarray]:
    """The part of a difference of means that is due to collapse, and the rest, in points.

    Each part is the mean of two answers: what changing it alone brings if the other is as in the
    first group, and as in the second (Shapley's value). So neither group is the yardstick, and
    the parts add up. Where a group has no run of a kind (none collapsed, or all did), the other
    group's mean of that kind stands for its own: what is not there brings no difference.

    Args:
        first: (..., n) accuracies in percent, n of 1 or more.
        second: (..., m).
        below: runs of a lower accuracy have collapsed, in percent.

    Returns:
        (...) and (...).
    """
    groups = (_shares_and_means(group, below) for group in (first, second))
    shares, working, collapsed = zip(*groups, strict=True)
    working, collapsed = _filled(*working), _filled(*collapsed)
    height = np.mean(working, axis=0) - np.mean(collapsed, axis=0)
    lost = np.mean(shares, axis=0)
    from_collapse = (shares[1] - shares[0]) * height
    from_the_rest = (1 - lost) * (working[0] - working[1]) + lost * (collapsed[0] - collapsed[1])
    return from_collapse, from_the_rest


def _shares_and_means(group: np.ndarray, below: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The share of collapsed runs, the mean of those that work, and that of the collapsed ones."""
    lost = group < below
    means = []
    for kind in (~lost, lost):
        count = kind.sum(axis=-1)
        total = np.where(kind, group, 0).sum(axis=-1)
        means.append(np.where(count, total / np.maximum(count, 1), np.nan))
    return lost.mean(axis=-1), means[0], means[1]


def _filled(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both, each with the other in place of NaN; 0 where both are NaN, and weigh nothing."""
    return (
        np.nan_to_num(np.where(np.isnan(first), second, first)),
        np.nan_to_num(np.where(np.isnan(second), first, second)),
    )

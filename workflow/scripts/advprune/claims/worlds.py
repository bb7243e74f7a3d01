"""Worlds to try the rules in: distributions of accuracies over seeds, and experiments from them.

Robust accuracies are mixtures of collapsed and working runs with the means and standard deviations
of the paper's Table 1; natural accuracies are bells, or have a tail of less good runs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
import scipy
from scipy.special import ndtr

from advprune.analysis.statistics import COLLAPSE_BELOW
from advprune.claims.estimates import Estimate, known

RUNS_OF_THE_PAPER = 120
# Table 1: mean and half the width of the 95% interval, percent.
ROBUST = {
    "low-deepfool": (56.62, 5.13),
    "low-loss": (64.17, 4.67),
    "random": (56.66, 5.90),
    "full": (51.39, 6.61),
}
NATURAL = {
    "low-deepfool": (97.83, 0.33),
    "low-loss": (97.45, 0.07),
    "random": (98.32, 0.16),
    "full": (98.46, 0.14),
}
SPREAD_OF_WORKING_RUNS = 10.0  # points; our choice, since the paper shows no single runs

Function = Callable[[np.ndarray], np.ndarray]


class Population(Protocol):
    """A distribution over seeds of a metric, in the metric's unit."""

    @property
    def mean(self) -> float:
        """Over all seeds."""

    def at(self, ranks: np.ndarray) -> np.ndarray:
        """The values at ranks in (0, 1), an array of any shape."""


@dataclass(frozen=True)
class Bell:
    """A normal distribution; one of skewness -1, by a gamma distribution, if ``tailed``."""

    mean: float
    deviation: float
    tailed: bool = False

    def at(self, ranks: np.ndarray) -> np.ndarray:
        """The values at ranks."""
        return self.mean + self.deviation * _standard(self.tailed)(ranks)


@dataclass(frozen=True)
class Mixture:
    """Robust accuracies: runs that collapse lie evenly in 0 to 1%, others have a beta distribution.

    Attributes:
        collapsed: the share of runs that collapse, in [0, 1).
        working: mean of the others, percent.
        spread: their standard deviation, points.
    """

    collapsed: float
    working: float
    spread: float = SPREAD_OF_WORKING_RUNS

    @property
    def mean(self) -> float:
        """Over all seeds, percent."""
        return self.collapsed * COLLAPSE_BELOW / 2 + (1 - self.collapsed) * self.working

    def at(self, ranks: np.ndarray) -> np.ndarray:
        """The accuracies at ranks: the lowest are those of the collapsed runs."""
        lost = COLLAPSE_BELOW * ranks / max(self.collapsed, 1e-12)
        others = self._working((ranks - self.collapsed) / (1 - self.collapsed))
        return np.where(ranks < self.collapsed, lost, others)

    @cached_property
    def _working(self) -> Function:
        share = self.working / 100
        size = share * (1 - share) / (self.spread / 100) ** 2 - 1
        beta = scipy.stats.beta(share * size, (1 - share) * size)
        return _tabulated(lambda ranks: 100 * beta.ppf(ranks))


def mixture_of(mean: float, deviation: float) -> Mixture:
    """The mixture with a mean and a standard deviation, both in percent."""
    middle, own = COLLAPSE_BELOW / 2, COLLAPSE_BELOW**2 / 12
    apart, spread = (mean - middle) ** 2, SPREAD_OF_WORKING_RUNS**2
    # deviation² = c apart / (1 - c) + (1 - c) spread + c own, for the share c of collapsed runs.
    roots = np.roots([spread - own, apart + own + deviation**2 - 2 * spread, spread - deviation**2])
    collapsed = float(roots[roots >= 0].min())
    return Mixture(collapsed, (mean - collapsed * middle) / (1 - collapsed))


def deviation_of(half_width: float) -> float:
    """The standard deviation behind a t-based 95% interval of Table 1."""
    return (
        half_width * math.sqrt(RUNS_OF_THE_PAPER) / scipy.stats.t.isf(0.025, RUNS_OF_THE_PAPER - 1)
    )


def robust_as_printed(method: str) -> Mixture:
    """Robust accuracies with Table 1's mean and standard deviation."""
    mean, half_width = ROBUST[method]
    return mixture_of(mean, deviation_of(half_width))


def natural_as_printed(method: str, *, tailed: bool = False) -> Bell:
    """Natural accuracies with Table 1's mean and standard deviation."""
    mean, half_width = NATURAL[method]
    return Bell(mean, deviation_of(half_width), tailed)


@dataclass(frozen=True)
class Experiment:
    """Draws the runs of many repetitions of an experiment.

    Attributes:
        n: seeds of each method.
        repetitions: how often the experiment is made.
        random: where randomness comes from.
    """

    n: int
    repetitions: int
    random: np.random.Generator

    def runs(self, *populations: Population, correlation: float = 0.0) -> list[np.ndarray]:
        """(repetitions, n) values of each population.

        A seed's are correlated: by ``correlation`` before they are given the populations' shapes.
        """
        shape = (self.repetitions, self.n)
        shared = math.sqrt(correlation) * self.random.standard_normal(shape)
        own = math.sqrt(1 - correlation)
        return [
            population.at(ndtr(shared + own * self.random.standard_normal(shape)))
            for population in populations
        ]

    def printed(self, population: Population) -> Estimate:
        """What the paper prints of 120 runs of its own, with the error that its interval tells."""
        n = RUNS_OF_THE_PAPER
        theirs = population.at(self.random.random((self.repetitions, n)))
        return known(theirs.mean(axis=-1), theirs.std(axis=-1, ddof=1) / math.sqrt(n), n - 1)


@lru_cache
def _standard(tailed: bool) -> Function:
    """Quantiles of mean 0 and standard deviation 1."""
    if not tailed:
        return _tabulated(scipy.stats.norm.ppf)
    return _tabulated(lambda ranks: 2 - scipy.stats.gamma(4, scale=0.5).isf(ranks))


def _tabulated(quantile: Function) -> Function:
    """The same function by linear interpolation, which takes a hundredth of the time."""
    ranks = ndtr(np.linspace(-5, 5, 4001))
    values = quantile(ranks)
    return lambda wanted: np.interp(wanted, ranks, values)

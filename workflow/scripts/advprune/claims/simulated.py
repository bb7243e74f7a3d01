"""Runs as they would be where pruning does nothing: every method is training on all data."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from advprune.analysis.statistics import COLLAPSE_BELOW
from advprune.claims.cells import ALL_DATA, COLLAPSED, CONVERGENCE, GAP, ROBUST, Cell
from advprune.claims.worlds import (
    Bell,
    Population,
    deviation_of,
    natural_as_printed,
    robust_as_printed,
)

NATURAL, SECONDS = "natural_accuracy", "training_seconds"
CORRELATED = 0.6  # seeds, before shapes; about 0.45 between robust accuracies
# Of training on all data: on MNIST those of Table 1, on CIFAR10, of which it has none, ours.
POPULATIONS: dict[str, dict[str, Population]] = {
    "mnist": {
        NATURAL: natural_as_printed("full"),
        ROBUST: robust_as_printed("full"),
        SECONDS: Bell(39.09, deviation_of(0.12)),
        CONVERGENCE: Bell(90, 2),
    },
    "cifar10": {
        NATURAL: Bell(80, 0.5),
        ROBUST: Bell(45, 0.7),
        SECONDS: Bell(95, 1),
        CONVERGENCE: Bell(50, 1),
    },
}


@dataclass
class SimulatedRuns:
    """Draws runs as `cells.Runs` says, many repetitions of an experiment at once.

    Attributes:
        n: seeds of each method.
        repetitions: how often the experiment is made.
        random: where randomness comes from.
        paired: whether methods share the random numbers of a seed.
        below_1: the p below 1, as they stand in paths.
    """

    n: int
    repetitions: int
    random: np.random.Generator
    paired: bool
    below_1: tuple[str, ...]
    _shared: dict[str, np.ndarray] = field(default_factory=dict)
    _drawn: dict[tuple[str, str, str], np.ndarray] = field(default_factory=dict)

    def shares_below_1(self, study: str) -> tuple[str, ...]:
        """The same of every study."""
        return self.below_1

    def values(self, study: str, cell: Cell, metric: str) -> np.ndarray:
        """(repetitions, n) a number a seed, averaged over the cell's p."""
        if metric == COLLAPSED:
            return 100.0 * (self.values(study, cell, ROBUST) < COLLAPSE_BELOW)
        if metric == GAP:
            return self.values(study, cell, NATURAL) - self.values(study, cell, ROBUST)
        drawn = [self._single(study, cell.method, p, metric) for p in cell.shares]
        return np.mean(drawn, axis=0)

    def pair(
        self, study: str, first: Cell, second: Cell, metric: str, *, by_seed: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same of two cells."""
        return self.values(study, first, metric), self.values(study, second, metric)

    def along(self, study: str, method: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """(repetitions, n, shares) a number a seed and p; the p."""
        cells = [Cell(method, (p,)) for p in self.below_1] + [Cell("full", (ALL_DATA,))]
        values = [self.values(study, cell, metric) for cell in cells]
        shares = np.array([float(cell.shares[0]) for cell in cells])
        return np.stack(values, axis=-1), shares

    def _single(self, study: str, method: str, p: str, metric: str) -> np.ndarray:
        """Of a method at one p: drawn once, however many comparisons it is part of."""
        key = metric, "full" if p == ALL_DATA else method, p
        if key not in self._drawn:
            shape = (self.repetitions, self.n)
            correlation = CORRELATED if self.paired else 0.0
            if metric not in self._shared:
                self._shared[metric] = self.random.standard_normal(shape)
            own = math.sqrt(1 - correlation) * self.random.standard_normal(shape)
            ranks = ndtr(math.sqrt(correlation) * self._shared[metric] + own)
            self._drawn[key] = POPULATIONS[study][metric].at(ranks)
        return self._drawn[key]

"""The cells that claims compare: a method at one p, or averaged over several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from advprune.spec.methods import METHODS
from advprune.spec.runs import share_text

ROBUST = "robust_accuracy"
# How much of the natural accuracy an adversary takes.
GAP = "natural_less_robust"
COLLAPSED = "collapsed"  # 100 for a run that has collapsed, else 0
CONVERGENCE = "convergence"  # accuracy on attacked training images, percent
# Metrics that a collapsed run has an extreme value of.
BOUNDED = (ROBUST, GAP, COLLAPSED, CONVERGENCE)
AVERAGED = "below 1"
EACH = "each below 1"
ALL_DATA = "1.0"


@dataclass(frozen=True)
class Cell:
    """The runs of one method, pruned at e = 1, at one p or averaged over several by seed.

    Attributes:
        method: its name.
        shares: p as it stands in paths; more than one are averaged.
    """

    method: str
    shares: tuple[str, ...]

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.method} at p = {', '.join(self.shares)}"


@dataclass(frozen=True)
class Cells:
    """What a claim's ``first`` or ``second`` names: a list of methods and of p, all combined.

    Attributes:
        methods: by name.
        shares: p as it stands in paths, or `AVERAGED` or `EACH` alone.
    """

    methods: tuple[str, ...]
    shares: tuple[str, ...]

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Cells":
        """From a claim, where what is single is no list.

        Raises:
            ValueError: a method is unknown.
        """
        methods, shares = (_listed(content[name]) for name in ("method", "p"))
        texts = [p if p in (AVERAGED, EACH) else share_text(p) for p in shares]
        return cls(tuple(map(known_method, methods)), tuple(texts))

    def resolve(self, below_1: Sequence[str]) -> list[Cell]:
        """The single cells.

        Args:
            below_1: the p below 1 that an experiment has.
        """
        shares: list[tuple[str, ...]] = [(p,) for p in self.shares]
        if self.shares == (AVERAGED,):
            shares = [tuple(below_1)]
        if self.shares == (EACH,):
            shares = [(p,) for p in below_1]
        return [Cell(method, each) for method in self.methods for each in shares]


class Runs(Protocol):
    """Where the values of runs come from: real ones (`Evidence`), or simulated ones.

    Arrays may have an axis of repetitions before that of runs.

    Attributes:
        paired: whether methods share the random numbers of a seed.
    """

    paired: bool

    def shares_below_1(self, study: str) -> tuple[str, ...]:
        """The p below 1 that a study's experiment ``accuracy`` has."""

    def values(self, study: str, cell: Cell, metric: str) -> np.ndarray:
        """(..., n) a number a seed.

        Raises:
            NotMeasuredError: there is none.
        """

    def pair(
        self, study: str, first: Cell, second: Cell, metric: str, *, by_seed: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same of two cells; averages over p are over those p that both were run at.

        Args:
            study: whose runs.
            first: one cell.
            second: the other.
            metric: of the runs.
            by_seed: whether to take those seeds alone that both have, in the same order.
        """

    def along(self, study: str, method: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """(..., n, shares) a number a seed and p, p = 1 being training on all data; the p."""


def known_method(name: str) -> str:
    """A method's name, if it is one.

    Raises:
        ValueError: it is unknown.
    """
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; known are {', '.join(METHODS)}")
    return name


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

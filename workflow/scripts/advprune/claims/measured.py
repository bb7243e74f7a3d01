"""What a quantity is, and what measuring it gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from advprune.claims.estimates import Estimate, Judged, Numbers


class NotMeasuredError(Exception):
    """What a quantity needs is not there; the message says what."""


@dataclass(frozen=True)
class Found:
    """What was found in one cell, or of one comparison of two.

    Attributes:
        estimate: what is judged.
        scatter: the single values behind it, of each side of a difference; a number that is printed
            without an interval is taken to scatter as they do.
        reference: of a difference of accuracies, the mean of the second side.
        needs_reference: whether there is nothing to compare where that is 0, since all collapse.
        works: whether it is shown that most runs work; claims on what robustness costs need it.
    """

    estimate: Judged
    scatter: Sequence[np.ndarray] = ()
    reference: Estimate | None = None
    needs_reference: bool = False
    works: Numbers = True


@dataclass(frozen=True)
class Measured:
    """What was measured for a claim.

    Attributes:
        cells: one for most quantities; several where a claim is about all or most of them.
        n: how many runs each side has, the fewest of all cells.
    """

    cells: Sequence[Found]
    n: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """Of a check: what the config or the runs have; exact, so no rule has to allow for chance.

    Attributes:
        found: a number, a text, or a mapping of such.
        n: of how many runs; 0 where it is of the config.
    """

    found: object
    n: int = 0


class Quantity(ABC):
    """One kind of quantity, and what is true of every quantity of that kind.

    Attributes:
        studies: how many studies it is about.
        settings: the parts of a config, besides its studies, that decide it.
        several: whether it may be measured in several cells, of which a claim says "all" or "most".
        is_check: whether it is compared exactly, by ``equal`` alone.
        has_reference: whether it is a loss against something, as ``no_loss`` needs.
        is_spread: whether it is no estimate that a printed number could be subtracted from.
        decimals: with which it is shown.
    """

    studies: ClassVar[int] = 1
    settings: ClassVar[tuple[str, ...]] = ()
    several: ClassVar[bool] = False
    is_check: ClassVar[bool] = False
    has_reference: ClassVar[bool] = False
    is_spread: ClassVar[bool] = False
    decimals: ClassVar[int] = 2

    @property
    def is_robust(self) -> bool:
        """Whether it depends on which attack stands for the paper's."""
        return False

    @property
    def unit(self) -> str:
        """Of what is measured, for axes."""
        return ""

    @abstractmethod
    def measure(self, evidence: Any, study: str) -> Measured | Comparison:
        """Measure it for a study.

        Args:
            evidence: an `evidence.Evidence`, or for quantities of runs any `cells.Runs`.
            study: whose numbers.

        Raises:
            NotMeasuredError: what it needs is not there.
        """

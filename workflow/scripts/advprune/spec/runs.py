"""What a run is: its name and its place on disk."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Self

from advprune.paths import RUN_FOLDER, START_FOLDER, seed_text

FULL_SHARE = "1.0"


@dataclass(frozen=True, order=True)
class Run:
    """One network trained by one method: the unit of work.

    Attributes:
        dataset: a name in ``datasets.DATASETS``.
        method: a name in ``methods.METHODS``.
        p: the share of the data that is kept, as it stands in paths: a decimal string.
        e: the pruning epoch, from 1.
        seed: tells repetitions apart.

    Methods that never prune have p = "1.0" and e = 1, so that each of their runs has one name.
    """

    dataset: str
    method: str
    p: str
    e: int
    seed: int

    @property
    def folder(self) -> PurePosixPath:
        """The run's folder below the folder of all runs of a scale."""
        return PurePosixPath(RUN_FOLDER.format(**vars(self) | {"seed": seed_text(self.seed)}))

    @classmethod
    def from_wildcards(cls, dataset: str, method: str, p: str, e: str, seed: str) -> Self:
        """The run that the parts of a path name."""
        return cls(dataset, method, p, int(e), int(seed))

    def __str__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True, order=True)
class Start:
    """What the runs of a seed have in common: training on all data up to the end of an epoch.

    Attributes:
        dataset: a name in ``datasets.DATASETS``.
        epoch: the pruning epoch e, or the one after which examples are scored, from 1.
        seed: as of a run.
    """

    dataset: str
    epoch: int
    seed: int

    @property
    def folder(self) -> PurePosixPath:
        """Its folder below the folder of all starts of a scale."""
        names = {"dataset": self.dataset, "e": self.epoch, "seed": seed_text(self.seed)}
        return PurePosixPath(START_FOLDER.format(**names))


def share_text(share: float) -> str:
    """How a share p is written in paths and tables: 0.6, and 1.0 for all."""
    text = format(Decimal(str(share)).normalize(), "f")
    return "1.0" if text == "1" else text


def training_seconds(seconds: dict[str, float], *, with_validation: bool = False) -> float:
    """The training time from seconds by phase; validation is part of it only if asked for."""
    return sum(
        value for phase, value in seconds.items() if with_validation or phase != "validation"
    )

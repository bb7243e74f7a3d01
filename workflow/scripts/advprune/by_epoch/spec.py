"""What a trained run is attacked with after every epoch."""

from dataclasses import dataclass
from typing import Any, Self

from advprune.spec.specification import EvaluationSpec, Specification

BY_EPOCH_FILES = ("by_epoch.csv", "by_epoch.json")


@dataclass(frozen=True)
class ByEpochSpec(Specification):
    """Everything that decides what is found of a run's networks; how it is trained its record says.

    Attributes:
        evaluation: the attacks that are run alone, and on which test images.
        steps: of the weak attack, early stopping's PGD, on the same images.
    """

    evaluation: EvaluationSpec
    steps: int

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(EvaluationSpec.from_dict(content["evaluation"]), content["steps"])

"""What an evaluation found: of each test image, and in all."""

from dataclasses import dataclass

from torch import Tensor

from advprune.data.examples import Examples


@dataclass(frozen=True)
class Evaluation:
    """What became of each test image.

    Attributes:
        prediction: (n,) int64, the class of the natural image; -1 where a logit is not finite.
        correct: (n,) bool, whether that is the label.
        robust_after: attack to (m,) bool for the first m images: whether each is still classified
            rightly after this attack and those before it. In the order of standard AutoAttack.
        robust_alone: name in `spec.attacks.ATTACKS` to (m,) bool, the same under it alone.
        seconds: phase to seconds.
    """

    prediction: Tensor
    correct: Tensor
    robust_after: dict[str, Tensor]
    robust_alone: dict[str, Tensor]
    seconds: dict[str, float]

    @property
    def robust(self) -> Tensor:
        """(m,) bool, robust under the whole of standard AutoAttack."""
        return list(self.robust_after.values())[-1]


def accuracies(result: Evaluation) -> dict[str, float | int]:
    """One row of percentages: of all test images if natural, of those attacked if robust."""

    def percentage(which: Tensor) -> float:
        return 100 * which.sum().item() / len(which)

    after = {
        f"robust_after_{attack.replace('-', '_')}": percentage(standing)
        for attack, standing in result.robust_after.items()
    }
    return {
        "natural_accuracy": percentage(result.correct),
        "autoattack_accuracy": percentage(result.robust),
        **{f"{name}_accuracy": percentage(robust) for name, robust in result.robust_alone.items()},
        **after,
        "test_examples": len(result.correct),
        "attacked_examples": len(result.robust),
    }


def verdicts(result: Evaluation, test: Examples) -> list[dict[str, int | str]]:
    """What became of each test image, a row each.

    ``broken_by`` is the first attack of standard AutoAttack that changed the class, ``natural`` if
    the image was misclassified from the start, ``none`` if it withstood all, and empty if it was
    not attacked. Each attack that was run alone has a column, 1 where the image withstood it.
    """
    broken_by = ["none"] * len(result.robust)
    for attack, standing in reversed(result.robust_after.items()):
        for index in (~standing).nonzero().flatten().tolist():
            broken_by[index] = attack
    correct = result.correct.tolist()
    broken_by = [
        how if right else "natural" for how, right in zip(broken_by, correct, strict=False)
    ]
    unattacked = [""] * (len(correct) - len(broken_by))
    columns = {
        "index": list(range(len(correct))),
        "label": test.labels.tolist(),
        "prediction": result.prediction.tolist(),
        "broken_by": broken_by + unattacked,
        **{
            name: robust.int().tolist() + unattacked for name, robust in result.robust_alone.items()
        },
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

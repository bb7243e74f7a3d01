"""What an evaluation found: of each test image, and in all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from advprune.data.examples import Examples
from advprune.spec.attacks import STANDARD_ATTACKS

SQUARE = "square after all others"
NO_CLASS = -1  # the prediction where a logit is not finite


@dataclass(frozen=True)
class Evaluation:
    """What became of each test image.

    Attributes:
        prediction: (n,) int64, the class of the natural image; -1 where a logit is not finite.
        correct: (n,) bool, whether that is the label.
        order: (n,) int64, the images in the order in which they are taken to be attacked.
        robust_after: attack to (m,) bool for the first m of that order: whether each is still
            classified rightly after this attack and those before it. In the order of AutoAttack;
            empty where that was not run.
        robust_alone: name in `spec.attacks.ATTACKS` to (k,) bool for the first k of that order, the
            same under it alone.
        warnings: phase to what AutoAttack warned of in it, or in `SQUARE` of all together.
        seconds: phase to seconds.
    """

    prediction: Tensor
    correct: Tensor
    order: Tensor
    robust_after: dict[str, Tensor]
    robust_alone: dict[str, Tensor]
    warnings: Mapping[str, list[str]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def robust(self) -> Tensor:
        """(m,) bool, robust under the whole of standard AutoAttack; m is 0 where it was not run."""
        return [self.correct[:0], *self.robust_after.values()][-1]


def accuracies(result: Evaluation) -> dict[str, float | int | None]:
    """One row of percentages: of all test images if natural, of those attacked if robust.

    None where no image was attacked.
    """

    def percentage(which: Tensor) -> float | None:
        return 100 * which.sum().item() / len(which) if len(which) else None

    after = {
        f"robust_after_{attack.replace('-', '_')}": percentage(
            result.robust_after.get(attack, result.robust)
        )
        for attack in result.robust_after or STANDARD_ATTACKS
    }
    samples = {"autoattack_examples": len(result.robust)}
    if result.robust_alone:
        samples["single_attack_examples"] = len(next(iter(result.robust_alone.values())))
    return {
        "natural_accuracy": percentage(result.correct),
        "autoattack_accuracy": percentage(result.robust),
        **{f"{name}_accuracy": percentage(robust) for name, robust in result.robust_alone.items()},
        **after,
        "test_examples": len(result.correct),
        **samples,
        **{
            f"natural_accuracy_{name}": percentage(result.correct[result.order[:count]])
            for name, count in samples.items()
        },
        **_warnings(result),
    }


def notes(prediction: Tensor) -> list[str]:
    """What an accuracy does not tell, in sentences: that a network answers with no numbers.

    Args:
        prediction: (n,) int64, as in `Evaluation`.
    """
    without = int((prediction == NO_CLASS).sum())
    if not without:
        return []
    whole = len(prediction)
    which = f"all {whole:,}" if without == whole else f"{without:,} of {whole:,}"
    return [
        f"the network's logits are NaN or infinite for {which} test images, which count as "
        "misclassified: its training diverged, its weights are not what they should be, or it is "
        "given images that it does not expect"
    ]


def in_words(result: Evaluation) -> str:
    """The accuracies in a line, and below it what they do not tell."""
    row = accuracies(result)
    found = f"natural accuracy {row['natural_accuracy']:.2f}% of {row['test_examples']:,} images"
    if count := row["autoattack_examples"]:
        found += f", AutoAttack accuracy {row['autoattack_accuracy']:.2f}% of {count:,}"
    return "\n".join([found, *notes(result.prediction)])


def _warnings(result: Evaluation) -> dict[str, int]:
    """1 for each kind of warning that AutoAttack gave, else 0."""
    messages = {
        message for phase, said in result.warnings.items() if phase != SQUARE for message in said
    }
    gradient = {message for message in messages if "zero gradient" in message}
    return {
        "square_warning": int(bool(result.warnings.get(SQUARE))),
        "gradient_warning": int(bool(gradient)),
        "other_warning": int(bool(messages - gradient)),
    }


def verdicts(result: Evaluation, test: Examples) -> list[dict[str, int | str]]:
    """What became of each test image, a row each.

    ``broken_by`` is the first attack of standard AutoAttack that changed the class, ``natural`` if
    the image was misclassified from the start, ``none`` if it withstood all, and empty if it was
    not attacked. Each attack that was run alone has a column: 1 where the image withstood it, 0
    where it did not, empty where it was not attacked.
    """
    order, correct = result.order.tolist(), result.correct.tolist()
    broken_by = [""] * len(correct)
    for place, index in enumerate(order[: len(result.robust)]):
        attacks = (a for a, standing in result.robust_after.items() if not standing[place])
        broken_by[index] = next(attacks, "none") if correct[index] else "natural"
    alone = {}
    for name, robust in result.robust_alone.items():
        alone[name] = [""] * len(correct)
        for index, stands in zip(order, robust.int().tolist(), strict=False):
            alone[name][index] = stands
    columns = {
        "index": list(range(len(correct))),
        "label": test.labels.tolist(),
        "prediction": result.prediction.tolist(),
        "broken_by": broken_by,
        **alone,
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

"""Natural accuracy and robust accuracy: standard AutoAttack and APGD-CE with 40 steps, 5 restarts.

"AutoAttack" in the paper is, in the code that its authors released, APGD-CE alone with 40 steps
and 5 restarts: an upper bound of the accuracy under the standard AutoAttack. Both are measured.
"""

import logging
import sys
import time
from dataclasses import dataclass

import torch
from pyautoattack import AutoAttack
from torch import Tensor, nn

from advprune.examples import Examples
from advprune.runs import EvaluationSpec

log = logging.getLogger(__name__)

STANDARD_ATTACKS = ("apgd-ce", "apgd-t", "fab-t", "square")
NATURAL_BATCH = 500


@dataclass(frozen=True)
class Evaluation:
    """What became of each test image.

    Attributes:
        prediction: (n,) int64, the class of the natural image; -1 where a logit is not finite.
        correct: (n,) bool, whether that is the label.
        robust_after: attack to (m,) bool for the first m images: whether each is still classified
            rightly after this attack and those before it. In the order of standard AutoAttack.
        robust_apgd_ce_40x5: (m,) bool, the same under APGD-CE with 40 steps and 5 restarts alone.
        seconds: phase to seconds.
    """

    prediction: Tensor
    correct: Tensor
    robust_after: dict[str, Tensor]
    robust_apgd_ce_40x5: Tensor
    seconds: dict[str, float]

    @property
    def robust(self) -> Tensor:
        """(m,) bool, robust under the whole of standard AutoAttack."""
        return self.robust_after[STANDARD_ATTACKS[-1]]


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
        "apgd_ce_40x5_accuracy": percentage(result.robust_apgd_ce_40x5),
        **after,
        "test_examples": len(result.correct),
        "attacked_examples": len(result.robust),
    }


def verdicts(result: Evaluation, test: Examples) -> list[dict[str, int | str]]:
    """What became of each test image, a row each.

    ``broken_by`` is the first attack of standard AutoAttack that changed the class, ``natural`` if
    the image was misclassified from the start, ``none`` if it withstood all, and empty if it was
    not attacked; ``apgd_ce_40x5`` is 1 where the image withstood that attack.
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
        "apgd_ce_40x5": result.robust_apgd_ce_40x5.int().tolist() + unattacked,
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class FiniteLogits(nn.Module):
    """Zeroes the logits of a network that gives none that are finite.

    A run that diverged gives NaN, which attacks cannot digest. Such images count as misclassified
    (see `predict`), so they are never handed to an attack; this guards the attacks' own checks.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Logits, all finite."""
        return torch.nan_to_num(self.model(images))


def evaluate(model: nn.Module, test: Examples, spec: EvaluationSpec) -> Evaluation:
    """Natural accuracy on all test images and robust accuracy on the first of them.

    Args:
        model: maps images in [0, 1] to logits; put in evaluation mode and left there.
        test: the test set, on the device to work on.
        spec: the bound, how many images are attacked, batch size and seed.
    """
    model.eval()
    clock = time.perf_counter
    started = clock()
    prediction = predict(model, test)
    correct = prediction == test.labels
    seconds = {"natural": clock() - started}
    log.info("natural accuracy %.2f%% of %d", 100 * correct.float().mean(), len(test))

    attacked = test.first(spec.test_examples)
    images, labels = attacked.batch(slice(None))
    standing = correct[: len(attacked)]

    robust_after: dict[str, Tensor] = {}
    adversary = _autoattack(model, spec, images.device)
    for attack in STANDARD_ATTACKS:
        started = clock()
        standing = survivors(adversary, attack, images, labels, standing, spec.batch_size)
        robust_after[attack] = standing
        seconds[attack] = clock() - started
        _log_attack(attack, standing, seconds[attack])

    started = clock()
    adversary = _autoattack(model, spec, images.device)
    # Set after construction, the step-size checkpoints stay those of 100 iterations: as released.
    adversary.apgd.n_iter, adversary.apgd.n_restarts = 40, 5
    upper_bound = survivors(
        adversary, "apgd-ce", images, labels, correct[: len(attacked)], spec.batch_size
    )
    seconds["apgd-ce-40x5"] = clock() - started
    _log_attack("apgd-ce-40x5 alone", upper_bound, seconds["apgd-ce-40x5"])
    return Evaluation(prediction, correct, robust_after, upper_bound, seconds)


@torch.no_grad()
def predict(model: nn.Module, examples: Examples) -> Tensor:
    """(n,) int64, the predicted classes; -1, which is no class, where a logit is not finite."""
    parts = []
    for first in range(0, len(examples), NATURAL_BATCH):
        images, _ = examples.batch(slice(first, first + NATURAL_BATCH))
        logits = model(images)
        parts.append(logits.argmax(dim=1).where(logits.isfinite().all(dim=1), -1))
    return torch.cat(parts)


def survivors(
    adversary: AutoAttack,
    attack: str,
    images: Tensor,
    labels: Tensor,
    standing: Tensor,
    batch_size: int,
) -> Tensor:
    """(m,) bool: which of the images that stand still stand after one more attack.

    AutoAttack hands to each attack, in batches, the images that have withstood those before; so
    calling it attack by attack on what stands gives what calling it once gives.
    """
    if not standing.any():
        return standing
    adversary.attacks_to_run = [attack]
    tracing = sys.gettrace()
    try:
        _, after = adversary.run_standard_evaluation(
            images[standing], labels[standing], batch_size=batch_size
        )
    finally:
        sys.settrace(tracing)  # one of AutoAttack's checks switches a debugger or coverage off
    still = standing.clone()
    still[standing] = after == labels[standing]
    return still


def _autoattack(model: nn.Module, spec: EvaluationSpec, device: torch.device) -> AutoAttack:
    return AutoAttack(
        FiniteLogits(model).eval(),
        device=device,
        eps=spec.epsilon,
        norm="Linf",
        seed=spec.seed,
        version="standard",
    )


def _log_attack(attack: str, standing: Tensor, seconds: float) -> None:
    log.info(
        "%s: %d of %d images robust (%.2f%%), %.1f s",
        attack,
        standing.sum(),
        len(standing),
        100 * standing.float().mean(),
        seconds,
    )

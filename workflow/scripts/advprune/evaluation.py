"""Natural accuracy and robust accuracy: standard AutoAttack, and attacks that are run alone.

"AutoAttack" in the paper is, in the code that its authors released, APGD-CE alone with 40 steps
and 5 restarts: an upper bound of the accuracy under the standard AutoAttack. Both are measured, the
latter as one of `registry.ATTACKS`.
"""

import logging
import pkgutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from pyautoattack import AutoAttack
from torch import Tensor, nn

from advprune.devices import hold_to_determinism
from advprune.examples import Examples
from advprune.registry import ATTACKS
from advprune.runs import EvaluationSpec

log = logging.getLogger(__name__)

STANDARD_ATTACKS = ("apgd-ce", "apgd-t", "fab-t", "square")
NATURAL_BATCH = 500
ROUNDING = 1e-5  # what floating point may add to the length of a step


@dataclass(frozen=True)
class Evaluation:
    """What became of each test image.

    Attributes:
        prediction: (n,) int64, the class of the natural image; -1 where a logit is not finite.
        correct: (n,) bool, whether that is the label.
        robust_after: attack to (m,) bool for the first m images: whether each is still classified
            rightly after this attack and those before it. In the order of standard AutoAttack.
        robust_alone: name in ``registry.ATTACKS`` to (m,) bool, the same under this attack alone.
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


@dataclass
class Progress:
    """What an evaluation has found so far; saved and restored between its phases.

    Attributes:
        found: phase to what it found: ``natural`` to the predicted classes, (n,) int64, and each
            attack to the survivors, (m,) bool.
        seconds: phase to seconds.
        save: called at the end of every phase.
    """

    found: dict[str, Tensor] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    save: Callable[[], None] = lambda: None

    def once(self, phase: str, work: Callable[[], Tensor], device: torch.device) -> Tensor:
        """What a phase finds: by working, or as it was found before."""
        if phase in self.found:
            log.info("%s was done before", phase)
        else:
            started = time.perf_counter()
            self.found[phase] = work()
            self.seconds[phase] = time.perf_counter() - started
            self.save()
        return self.found[phase].to(device)


def evaluate(
    model: nn.Module, test: Examples, spec: EvaluationSpec, progress: Progress | None = None
) -> Evaluation:
    """Natural accuracy on all test images and robust accuracy on the first of them.

    Args:
        model: maps images in [0, 1] to logits; put in evaluation mode and left there.
        test: the test set, on the device to work on.
        spec: the bound, how many images are attacked, batch size, seed, the attacks that are run
            alone and whether PyTorch is held to deterministic algorithms.
        progress: what an evaluation that was interrupted has found; None to start anew.
    """
    hold_to_determinism(spec.deterministic)
    model.eval()
    progress = progress or Progress()
    prediction = progress.once("natural", lambda: predict(model, test), test.device)
    correct = prediction == test.labels
    log.info("natural accuracy %.2f%% of %d", 100 * correct.float().mean(), len(test))

    attacked = test.first(spec.test_examples)
    images, labels = attacked.batch(slice(None))

    def phase(name: str, attack: Callable[[], Tensor]) -> Tensor:
        still = progress.once(name, attack, test.device)
        _log_attack(name, still, progress.seconds[name])
        return still

    standing = correct[: len(attacked)]
    robust_after: dict[str, Tensor] = {}
    adversary = _autoattack(model, spec, images.device)
    for name in STANDARD_ATTACKS:
        attack = partial(survivors, adversary, name, images, labels, standing, spec.batch_size)
        standing = robust_after[name] = phase(name, attack)

    robust_alone: dict[str, Tensor] = {}
    for name in spec.attacks:
        attack = partial(withstand, name, model, images, labels, correct[: len(attacked)], spec)
        robust_alone[name] = phase(f"{name} alone", attack)
    return Evaluation(prediction, correct, robust_after, robust_alone, progress.seconds)


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
    with _tracing_kept():
        _, after = adversary.run_standard_evaluation(
            images[standing], labels[standing], batch_size=batch_size
        )
    still = standing.clone()
    still[standing] = after == labels[standing]
    return still


def withstand(
    name: str,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    standing: Tensor,
    spec: EvaluationSpec,
) -> Tensor:
    """(m,) bool: which of the images that stand still stand after one attack of `ATTACKS`.

    The attack's function is given the model, which gives finite logits, a batch of images in [0, 1]
    and their labels, all of them classified rightly, and the specification, whose epsilon bounds it
    in the l-infinity norm. It returns attacked images; it may draw from PyTorch's global generator,
    which is seeded for each batch.

    Raises:
        ValueError: the attacked images are out of bounds.
    """
    if not standing.any():
        return standing
    attack = pkgutil.resolve_name(ATTACKS[name].code)
    model = FiniteLogits(model).eval()
    still = standing.clone()
    for batch in standing.nonzero().flatten().split(spec.batch_size):
        with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
            torch.manual_seed(spec.seed)
            attacked = attack(model, images[batch], labels[batch], spec)
        _check_bounds(name, attacked, images[batch], spec.epsilon)
        with torch.no_grad():
            still[batch] = model(attacked).argmax(dim=1) == labels[batch]
    return still


def _check_bounds(name: str, attacked: Tensor, images: Tensor, epsilon: float) -> None:
    farthest = (attacked - images).abs().max().item()
    # Written so that NaN is refused too.
    if not (farthest <= epsilon + ROUNDING and attacked.min() >= 0 and attacked.max() <= 1):
        raise ValueError(
            f"the attack {name} moved a value by {farthest:.6f} where {epsilon:.6f} is allowed, or "
            "out of [0, 1]"
        )


def apgd_ce_40x5(model: nn.Module, images: Tensor, labels: Tensor, spec: EvaluationSpec) -> Tensor:
    """APGD-CE with 40 steps and 5 restarts, as released; see `withstand`."""
    adversary = _autoattack(model, spec, images.device)
    # Set after construction, the step-size checkpoints stay those of 100 iterations: as released.
    adversary.apgd.n_iter, adversary.apgd.n_restarts = 40, 5
    adversary.attacks_to_run = ["apgd-ce"]
    with _tracing_kept():
        attacked, _ = adversary.run_standard_evaluation(images, labels, batch_size=len(images))
    return attacked


@contextmanager
def _tracing_kept() -> Iterator[None]:
    """Keep a debugger or coverage, which one of AutoAttack's checks switches off."""
    tracing = sys.gettrace()
    try:
        yield
    finally:
        sys.settrace(tracing)


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

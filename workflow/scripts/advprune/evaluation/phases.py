"""The phases of an evaluation: natural accuracy, standard AutoAttack, attacks run alone."""

import logging
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from advprune.data.examples import Examples
from advprune.data.subset import balanced_order
from advprune.evaluation.autoattack import (
    build_autoattack,
    check_square,
    listening,
    survivors,
)
from advprune.evaluation.outcome import NO_CLASS, SQUARE, Evaluation, notes
from advprune.evaluation.single_attacks import withstand
from advprune.machine.devices import tf32, use_deterministic_algorithms
from advprune.networks.classifier import Classifier
from advprune.spec.attacks import ATTACKS
from advprune.spec.specification import EvaluationSpec

log = logging.getLogger(__name__)
NATURAL_BATCH = 500
ALONE = "{} alone"  # the phase of an attack that is run alone


@dataclass
class Progress:
    """What an evaluation has found so far; saved and restored between its phases.

    Attributes:
        found: phase to what it found: ``natural`` to the predicted classes, (n,) int64, and each
            attack to the survivors, (m,) bool.
        seconds: phase to seconds.
        warnings: phase to what AutoAttack warned of in it.
        stacked: with how many networks an attack was run at once, itself among them.
        save: called at the end of every phase.
    """

    found: dict[str, Tensor] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    stacked: int = 1
    save: Callable[[], None] = lambda: None

    def once(self, phase: str, work: Callable[[], Tensor], device: torch.device) -> Tensor:
        """What a phase finds: by working, or as it was found before."""
        if phase in self.found:
            log.info("%s was done before", phase)
        else:
            started = time.perf_counter()
            with listening() as messages:
                self.found[phase] = work()
            self.seconds[phase] = time.perf_counter() - started
            if messages:
                self.warnings[phase] = messages
            self.save()
        return self.found[phase].to(device)


@tf32(False)
def evaluate(
    model: nn.Module, test: Examples, spec: EvaluationSpec, progress: Progress | None = None
) -> Evaluation:
    """Natural accuracy on all test images and robust accuracy on a sample of them.

    Args:
        model: maps images in [0, 1] to logits; put in evaluation mode and left there.
        test: the test set, on the device to work on.
        spec: the bound, how many images are attacked, batch size, seed, the attacks, and whether
            PyTorch is held to deterministic algorithms.
        progress: what an evaluation that was interrupted has found; None to start anew.
    """
    use_deterministic_algorithms(spec.deterministic)
    model.eval()
    progress = progress or Progress()
    prediction = progress.once("natural", lambda: predict(model, test), test.device)
    correct = prediction == test.labels
    log.info("natural accuracy %.2f%% of %d", 100 * correct.float().mean(), len(test))
    for note in notes(prediction):
        log.warning("%s", note)
    order = torch.from_numpy(balanced_order(test.labels.cpu().numpy(), spec.seed)).to(test.device)

    def phase(name: str, attack: Callable[[], Tensor]) -> Tensor:
        still = progress.once(name, attack, test.device)
        _log_attack(name, still, progress.seconds[name])
        return still

    sample = order[: spec.autoattack_examples]
    images, labels = test.batch(sample)
    standing = correct[sample]
    robust_after: dict[str, Tensor] = {}
    adversary = build_autoattack(model, spec, images) if len(sample) else None
    for name in spec.autoattack.attacks if adversary else ():
        attack = partial(survivors, adversary, name, images, labels, standing, spec.batch_size)
        standing = robust_after[name] = phase(name, attack)
    warnings = dict(progress.warnings)
    if adversary and (said := check_square(robust_after, correct[sample])):
        warnings[SQUARE] = said
        log.warning("%s", said[0])

    sample = order[: spec.single_attack_examples]
    images, labels = test.batch(sample)
    robust_alone: dict[str, Tensor] = {}
    for name in spec.attacks:
        attack = partial(withstand, name, model, images, labels, correct[sample], spec)
        robust_alone[name] = phase(ALONE.format(name), attack)
    return Evaluation(
        prediction, correct, order, robust_after, robust_alone, warnings, progress.seconds
    )


@tf32(False)
def attack_together(
    models: Sequence[Classifier],
    test: Examples,
    spec: EvaluationSpec,
    progresses: Sequence[Progress],
) -> None:
    """Do the phases of a stack of networks that can be done for all at once, before `evaluate`.

    Args:
        models: the networks.
        test: the test set, on the device to work on.
        spec: as `evaluate` takes it.
        progresses: what the evaluation of each has found; what is found now is put there.
    """
    use_deterministic_algorithms(spec.deterministic)
    sample = torch.from_numpy(balanced_order(test.labels.cpu().numpy(), spec.seed)).to(test.device)
    sample = sample[: spec.single_attack_examples]
    images, labels = test.batch(sample)
    for name, settings in spec.attacks.items():
        code, phase = ATTACKS[name].together, ALONE.format(name)
        if not code or all(phase in progress.found for progress in progresses):
            continue
        standing = [
            progress.once("natural", partial(predict, model.eval(), test), test.device)[sample]
            == labels
            for model, progress in zip(models, progresses, strict=True)
        ]
        attack = pkgutil.resolve_name(code)
        started = time.perf_counter()
        still = attack(models, images, labels, torch.stack(standing), spec, **settings).cpu()
        seconds = (time.perf_counter() - started) / len(models)
        for of_one, progress in zip(still, progresses, strict=True):
            progress.found[phase], progress.seconds[phase] = of_one, seconds
            progress.stacked = len(models)
            progress.save()


@torch.no_grad()
def predict(model: nn.Module, examples: Examples) -> Tensor:
    """(n,) int64, the predicted classes; `NO_CLASS` where a logit is not finite."""
    parts = []
    for first in range(0, len(examples), NATURAL_BATCH):
        images, _ = examples.batch(slice(first, first + NATURAL_BATCH))
        logits = model(images)
        parts.append(logits.argmax(dim=1).where(logits.isfinite().all(dim=1), NO_CLASS))
    return torch.cat(parts)


def _log_attack(attack: str, standing: Tensor, seconds: float) -> None:
    log.info(
        "%s: %d of %d images robust (%.2f%%), %.1f s",
        attack,
        standing.sum(),
        len(standing),
        100 * standing.float().mean(),
        seconds,
    )

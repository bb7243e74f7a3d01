"""Scoring every example by its distance to the decision boundary (Algorithm 1, lines 4 to 6)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.machine.devices import tf32
from advprune.spec.specification import DeepFoolSettings
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.deepfool import DeepFoolResult, deepfool

SCORING_BATCH = 500  # what suits a CPU's caches
GPU_SCORING_BATCH = (
    2000  # a GPU waits for launches, which are as many however many images there are
)


@dataclass(frozen=True)
class Scores:
    """What has been measured of n examples, by the way in which it was taken.

    Attributes:
        losses: way to (n,) losses.
        distances: way to what DeepFool found.
        seconds: ``"loss"`` or ``"deepfool"`` with the way, to the seconds that measuring took.
    """

    losses: dict[str, Tensor] = field(default_factory=dict)
    distances: dict[str, DeepFoolResult] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def deepfool_all(
    classifier: nn.Module,
    examples: Examples,
    settings: DeepFoolSettings,
    *,
    threat: Threat,
    generator: torch.Generator,
) -> DeepFoolResult:
    """`deepfool` for every example, batch after batch.

    Args:
        classifier: the network f.
        examples: what to score.
        settings: of DeepFool. Where its points are ``"adversarial"``, distances are measured from
            x + delta, as Algorithm 1 writes, else from x, as section 3.2 does.
        threat: bounds delta.
        generator: draws the random start of delta, on the examples' device.
    """
    parts = []
    for images, labels in _batches(examples):
        if settings.points == "adversarial":
            images = _attacked(classifier, images, labels, threat, generator)
        parts.append(deepfool(classifier, images, settings))
    return DeepFoolResult(
        distance=torch.cat([part.distance for part in parts]),
        converged=torch.cat([part.converged for part in parts]),
        iterations=torch.cat([part.iterations for part in parts]),
    )


@tf32(False)
def loss_of_all(
    classifier: nn.Module, examples: Examples, *, threat: Threat, generator: torch.Generator
) -> Tensor:
    """(n,) the loss of every example at x + delta, by a pass of its own in evaluation mode.

    For pruning before an epoch: there is then no training pass that has just recorded it.
    """
    parts = []
    for images, labels in _batches(examples):
        images = _attacked(classifier, images, labels, threat, generator)
        with torch.no_grad():
            parts.append(functional.cross_entropy(classifier(images), labels, reduction="none"))
    return torch.cat(parts)


def _attacked(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    threat: Threat,
    generator: torch.Generator,
) -> Tensor:
    """Lines 26 to 28: x + delta, in evaluation mode, so that batch statistics stay as they are."""
    classifier.eval()
    return rs_fgsm(classifier, images, labels, threat=threat, generator=generator)


def _batches(examples: Examples) -> Iterator[tuple[Tensor, Tensor]]:
    size = SCORING_BATCH if examples.device.type == "cpu" else GPU_SCORING_BATCH
    for first in range(0, len(examples), size):
        yield examples.batch(slice(first, first + size))

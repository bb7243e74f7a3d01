#!/usr/bin/env python3
"""DeepFool's distances: those of the library and those of foolbox, which must be the same.

Both walk in the l2 norm and choose the other class anew at every step. foolbox goes on with every
image until the last one has left its class, and computes the logits anew for each class.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

import measuring
from advprune.spec.specification import DeepFoolSettings
from advprune.training.deepfool import deepfool
from digits import CONFIG, digits, trained

IMAGES, ROUNDS = 500, 3
TRAINED_ON = 6_000
CLOSE = 0.01  # of a distance


def foolbox_distances(
    model: nn.Module, images: Tensor, settings: DeepFoolSettings
) -> Callable[[], Tensor]:
    """What measures (n,) lengths of foolbox's perturbations, which go past the boundary."""
    try:
        import foolbox
    except ImportError:
        sys.exit("error: foolbox is not installed: make .venv/bench")
    # It clips images to these bounds, which DeepFool as published does not.
    wrapped = foolbox.PyTorchModel(model, bounds=(-1000, 1000), device=images.device)
    attack = foolbox.attacks.L2DeepFoolAttack(
        steps=settings.max_iterations, candidates=None, overshoot=settings.overshoot
    )
    with torch.no_grad():
        predicted = model(images).argmax(dim=1)

    def measure() -> Tensor:
        moved = attack.run(wrapped, images, foolbox.criteria.Misclassification(predicted))
        return (moved - images).flatten(1).norm(dim=1)

    return measure


def measure(table: measuring.Table, tiny: bool) -> None:
    """Compare distances, then speeds."""
    torch.set_num_threads(1)
    classifier = trained(256 if tiny else TRAINED_ON)
    images, _ = digits("test").batch(slice(0, 10 if tiny else IMAGES))
    settings = DeepFoolSettings(**CONFIG["deepfool"])
    recomputed = DeepFoolSettings(**CONFIG["deepfool"] | {"fixed_target": False})
    by_foolbox = foolbox_distances(classifier, images, recomputed)

    theirs = by_foolbox()
    ours = (1 + settings.overshoot) * deepfool(classifier, images, recomputed).distance
    differences = (ours / theirs - 1).abs()
    table.add("distance: difference", "median", "of the distance", [differences.median().item()])
    close = (differences < CLOSE).float().mean().item()
    table.add("distance: share of images within 1%", "", "of images", [close])

    ways = {
        "foolbox": by_foolbox,
        "ours": lambda: deepfool(classifier, images, recomputed),
        "ours, the paper's fixed class": lambda: deepfool(classifier, images, settings),
    }
    table.compare(
        "DeepFool",
        ways,
        rounds=1 if tiny else ROUNDS,
        per=(len(images), "CPU milliseconds an image"),
    )


if __name__ == "__main__":
    measuring.run_benchmark("distances", __doc__, measure)

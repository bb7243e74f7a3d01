#!/usr/bin/env python3
"""Standard AutoAttack: attack by attack, as the library calls it, and in one call of its package.

The verdicts must be the same. Besides: what the size of a batch costs on this CPU.
"""

import dataclasses

import torch
from pyautoattack import AutoAttack

import measuring
from advprune.evaluation.autoattack import build_autoattack, survivors
from advprune.plan.specify import evaluation_spec
from advprune.spec.runs import FULL_SHARE, Run
from advprune.spec.specification import EvaluationSpec
from digits import CONFIG, digits, trained

IMAGES, ROUNDS = 24, 2
EPSILON = 0.1  # a third of what it is trained for: a network of little training withstands that
TRAINED_ON = 12_000
TIMED, SIZES = 500, (25, 50, 100, 250, 500)


def standing_after_all(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, spec: EvaluationSpec
) -> torch.Tensor:
    """(m,) bool, by the library."""
    adversary = build_autoattack(model, spec, images)
    with torch.no_grad():
        standing = model(images).argmax(dim=1) == labels
    for attack in spec.autoattack.attacks:
        standing = survivors(adversary, attack, images, labels, standing, spec.batch_size)
    return standing


def standing_by_package(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, spec: EvaluationSpec
) -> torch.Tensor:
    """(m,) bool, by the package alone."""
    adversary = AutoAttack(
        model,
        device="cpu",
        eps=spec.epsilon,
        norm="Linf",
        seed=spec.seed,
        version=spec.autoattack.version,
    )
    _, found = adversary.run_standard_evaluation(images, labels, batch_size=spec.batch_size)
    return found == labels


def measure(table: measuring.Table, tiny: bool) -> None:
    """Compare verdicts, then speeds, then sizes of batches."""
    torch.set_num_threads(1)
    model = trained(512 if tiny else TRAINED_ON)
    spec = evaluation_spec(Run("mnist", "full", FULL_SHARE, 1, 0), CONFIG)
    spec = dataclasses.replace(spec, epsilon=EPSILON)
    images, labels = digits("test").batch(slice(0, 2 if tiny else IMAGES))
    found = {}

    def ours() -> None:
        found["ours"] = standing_after_all(model, images, labels, spec)

    def theirs() -> None:
        found["theirs"] = standing_by_package(model, images, labels, spec)

    table.compare(
        "standard AutoAttack",
        {"pyautoattack": theirs, "ours": ours},
        rounds=1 if tiny else ROUNDS,
        per=(len(images), "CPU seconds an image"),
    )
    same = (found["ours"] == found["theirs"]).float().mean().item()
    table.add("standard AutoAttack: share of equal verdicts", "", "of images", [same])
    table.add("standard AutoAttack: robust", "", "of images", [found["ours"].float().mean().item()])

    many, _ = digits("test").batch(slice(0, 20 if tiny else TIMED))

    def gradients(size: int) -> None:
        for batch in many.split(size):
            point = batch.clone().requires_grad_()
            torch.autograd.grad(model(point)[:, 0].sum(), point)

    table.compare(
        "gradient of images",
        {f"batches of {size}": lambda size=size: gradients(size) for size in SIZES[::-1]},
        rounds=1 if tiny else 5,
        per=(len(many), "CPU milliseconds an image"),
    )


if __name__ == "__main__":
    measuring.run_benchmark("attacks", __doc__, measure)

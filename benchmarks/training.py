#!/usr/bin/env python3
"""Training: a pass of RS+FGSM over MNIST by the library, and by the loop that is usually written.

That loop is as in Wong et al.'s code (github locuslab/fast_adversarial), once with its data loader
and once with the images at hand, so that it is seen what either costs.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision.transforms.functional import to_tensor

import measuring
from advprune.data.examples import Examples
from advprune.spec.specification import TrainingSpec
from advprune.training.algorithm import train
from advprune.training.state import start
from digits import digits, spec_of

IMAGES, ROUNDS = 6_400, 5


class Pictures(torch.utils.data.Dataset):
    """Images one by one, each made into a tensor when it is asked for, as torchvision does."""

    def __init__(self, examples: Examples) -> None:
        self.images = examples.images.numpy().transpose(0, 2, 3, 1)
        self.labels = examples.labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        picture = Image.fromarray(self.images[index][:, :, 0], mode="L")
        return to_tensor(picture), self.labels[index]


def textbook_epoch(
    model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], count: int, spec: TrainingSpec
) -> None:
    """RS+FGSM (Wong et al. 2020, algorithm 3) with Adam."""
    optimiser = torch.optim.Adam(model.parameters())
    seen, epsilon = 0.0, spec.epsilon
    for number, (images, labels) in enumerate(batches, 1):
        rate = np.interp(number / count, [0, spec.peak, 1], [0, spec.max_learning_rate, 0])
        optimiser.param_groups[0].update(lr=rate)
        delta = torch.zeros_like(images).uniform_(-epsilon, epsilon).requires_grad_()
        functional.cross_entropy(model(images + delta), labels).backward()
        moved = delta.detach() + spec.step_size * delta.grad.sign()
        moved = moved.clamp(-epsilon, epsilon)
        moved = torch.max(torch.min(1 - images, moved), 0 - images)
        loss = functional.cross_entropy(model((images + moved).clamp(0, 1)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen += loss.item() * len(labels)


def ours(examples: Examples, spec: TrainingSpec, *, fused: bool | None = None) -> None:
    """One epoch, as in a job; with Adam fused or not, if that is said."""
    state = start(spec, examples)
    if fused is not None:
        state.optimiser = torch.optim.Adam(state.classifier.parameters(), fused=fused)
    train(spec, examples, state=state)


def measure(table: measuring.Table, tiny: bool) -> None:
    """Compare the ways to train for one pass."""
    torch.set_num_threads(1)
    examples = digits().first(256 if tiny else IMAGES)
    spec = spec_of(epochs=1)
    plain, laid_out = (
        dataclasses.replace(spec, numerics=dataclasses.replace(spec.numerics, channels_last=last))
        for last in (False, True)
    )
    loader = DataLoader(Pictures(examples), batch_size=spec.batch_size, shuffle=True)
    at_hand = list(loader)

    def textbook(batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        textbook_epoch(start(spec, examples).classifier, batches, len(at_hand), spec)

    table.compare(
        "training pass",
        {
            "textbook loop with its data loader": lambda: textbook(loader),
            "textbook loop, images at hand": lambda: textbook(at_hand),
            "ours, as the config says": lambda: ours(examples, spec),
            "ours, channels first": lambda: ours(examples, plain, fused=False),
            "ours, channels first, fused Adam": lambda: ours(examples, plain, fused=True),
            "ours, channels last": lambda: ours(examples, laid_out, fused=False),
            "ours, channels last, fused Adam": lambda: ours(examples, laid_out, fused=True),
        },
        rounds=1 if tiny else ROUNDS,
        per=(len(examples), "CPU milliseconds an image"),
    )


if __name__ == "__main__":
    measuring.run_benchmark("training", __doc__, measure)

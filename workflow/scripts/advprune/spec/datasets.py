"""The data sets that can be named in the config, and what is known of each beforehand.

To add one, write a function in ``data/`` that returns its arrays, and enter it in `DATASETS`.
"""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set.

    Attributes:
        title: its name in figures.
        shape: (channels, height, width) of an image.
        classes: how many classes.
        examples: how many images there are to train on and to test on.
        mean: per channel, of the training images in [0, 1].
        standard_deviation: per channel, their standard deviation.
        stands_in_for: the paper's data set that this one replaces where the real one is not to be
            had, or None if it is one of the paper's own.
        load: where the function is that reads or makes the arrays ``train_images`` and
            ``test_images`` (uint8, (n, channels, height, width)) and ``train_labels`` and
            ``test_labels`` (whole numbers from 0, (n,)). It is given the folder that holds data
            sets, or None; what it returns is held against this entry.
    """

    title: str
    shape: tuple[int, int, int]
    classes: int
    examples: tuple[int, int]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]
    stands_in_for: str | None
    load: str

    def architecture(self, *, normalise: bool) -> dict[str, Any]:
        """What `networks.build_classifier` must know of the data: shape, classes, normalisation."""
        return {
            "shape": self.shape,
            "classes": self.classes,
            "normalisation": (self.mean, self.standard_deviation) if normalise else None,
        }


DATASETS: dict[str, Dataset] = {
    "mnist": Dataset(
        "MNIST",
        (1, 28, 28),
        10,
        (60_000, 10_000),
        (0.1307,),
        (0.3081,),
        None,
        "advprune.data.sources:mnist",
    ),
    "cifar10": Dataset(
        "CIFAR10",
        (3, 32, 32),
        10,
        (50_000, 10_000),
        (0.4914, 0.4822, 0.4465),
        (0.2471, 0.2435, 0.2616),
        None,
        "advprune.data.sources:cifar10",
    ),
    "mnist5k": Dataset(
        "5,000 MNIST training digits",
        (1, 28, 28),
        10,
        (4_000, 1_000),
        (0.1307,),
        (0.3081,),
        "MNIST",
        "advprune.data.sources:mnist5k",
    ),
    "fashion_mnist": Dataset(
        "Fashion-MNIST",
        (1, 28, 28),
        10,
        (60_000, 10_000),
        (0.2860,),
        (0.3530,),
        "MNIST",
        "advprune.data.sources:fashion_mnist",
    ),
    "shapes10": Dataset(
        "Shapes10 (drawn by code)",
        (3, 32, 32),
        10,
        (4_000, 1_000),
        (0.5, 0.5, 0.5),
        (0.28, 0.28, 0.28),
        "CIFAR10",
        "advprune.data.shapes10:shapes10",
    ),
}


def wrong_in_entry(name: str) -> str:
    """What is wrong with an entry by itself, and what is allowed; empty if nothing is."""
    entry = DATASETS[name]
    channels, height, width = [*entry.shape, 0, 0, 0][:3]
    if not re.fullmatch("[a-z0-9_]+", name):
        return f"the name {name!r} must be of a to z, 0 to 9 and _ alone, since it stands in paths"
    if len(entry.shape) != 3 or height != width or min(entry.shape) < 1:
        return f"shape is {entry.shape}, but must be (channels, height, width), height as width"
    if len(entry.examples) != 2 or min(entry.examples) < 1:
        return f"examples is {entry.examples}, but must be (to train on, to test on), 1 or more"
    for key, least in (("mean", 0), ("standard_deviation", 1e-6)):
        values = getattr(entry, key)
        if len(values) != channels or not all(least <= value <= 1 for value in values):
            return f"{key} is {values}, but must be {channels} numbers from 0 to 1, one a channel"
    return ""

"""Shapes10: ten coloured shapes on coloured ground, drawn by code.

A stand-in for CIFAR10 on a machine that has neither the data nor a network: images of the same
size, classes that a small convolutional network can tell apart and that differ in how near they
lie to each other. It says nothing about CIFAR10, and everything made from it says so.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from advprune.data.sources import Arrays

SIZE = 32
COUNTS = {"train": 4_000, "test": 1_000}

Mask = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Each shape, as the set of points (u, v) inside it; u and v run from about -1.5 to 1.5.
SHAPES: dict[str, Mask] = {
    "disc": lambda u, v: u**2 + v**2 < 1,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.8) < 0.25,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) < 0.85,
    "frame": lambda u, v: np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.75) < 0.22,
    "triangle": lambda u, v: (v > -0.7) & (v + 1.7 * np.abs(u) < 1),
    "cross": lambda u, v: (
        (np.minimum(np.abs(u), np.abs(v)) < 0.28) & (np.maximum(np.abs(u), np.abs(v)) < 1)
    ),
    "bar": lambda u, v: (np.abs(u) < 1.2) & (np.abs(v) < 0.3),
    "stripes": lambda u, v: (np.hypot(u, v) < 1.1) & (np.sin(9 * v) > 0),
    "chequers": lambda u, v: (
        (np.maximum(np.abs(u), np.abs(v)) < 1) & (np.sin(6 * u) * np.sin(6 * v) > 0)
    ),
    "dots": lambda u, v: np.hypot(np.abs(u) - 0.65, v) < 0.45,
}


def shapes10(root: Path | None) -> Arrays:
    """The arrays of Shapes10: the same at every call, every class equally often."""
    generator = np.random.default_rng(10)
    arrays = {}
    for part, count in COUNTS.items():
        labels = generator.permutation(np.arange(count) % len(SHAPES)).astype(np.uint8)
        arrays[f"{part}_images"] = np.stack([_draw(int(label), generator) for label in labels])
        arrays[f"{part}_labels"] = labels
    return arrays


def _draw(label: int, generator: np.random.Generator) -> np.ndarray:
    """One (3, SIZE, SIZE) uint8 image: place, size, angle, colours and noise at random."""
    grid = (np.arange(SIZE) + 0.5) / SIZE * 3 - 1.5
    down, across = np.meshgrid(grid, grid, indexing="ij")
    shift = generator.uniform(-0.25, 0.25, 2)
    scale = generator.uniform(0.85, 1.15)
    angle = generator.uniform(-0.2, 0.2)
    x, y = (across - shift[0]) / scale, (down - shift[1]) / scale
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    inside = list(SHAPES.values())[label](u, v)

    ground = generator.uniform(0.1, 0.9, 3)
    contrast = generator.uniform(0.4, 0.8, 3) * np.where(ground > 0.5, -1, 1)
    colour = ground[:, None, None] + contrast[:, None, None] * inside
    noisy = colour + generator.normal(0, 0.04, (3, SIZE, SIZE))
    return (noisy.clip(0, 1) * 255).round().astype(np.uint8)

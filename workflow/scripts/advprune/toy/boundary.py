"""Figure 1's toy problem: two classes of points in the plane that overlap where they meet.

A small network is trained on it as the pipeline trains its networks on images: RS+FGSM for e
epochs, distances by DeepFool, pruning, RS+FGSM for the rest (Algorithm 1). The paper draws the
idea; here it is carried out, by the same attack, distance and pruning.

To those a point is an image of two values: points have the shape (n, 1, 1, 2), values in [0, 1].
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from contourpy import contour_generator
from torch import Tensor, nn
from torch.nn import functional

from advprune.spec.methods import METHODS
from advprune.spec.specification import AFTER_PASS, DeepFoolSettings, PruningSettings
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.deepfool import deepfool
from advprune.training.pruning import keep_indices
from advprune.training.schedule import cyclic_learning_rate
from advprune.training.seeds import stream_seed

NAME = "toy_boundary"  # stands where a data set's name stands in the names of random streams
POINTS = 240
SPACING = 0.16  # from the middle of a class to the true boundary
SPREAD = 0.09  # so 4% of the points lie on the other class's side
HIDDEN = 64
EPOCHS = 60
PRUNING_EPOCH = 40  # e
PROPORTION = "0.75"  # p
BATCH_SIZE = 40
MAX_LEARNING_RATE = 0.01
PEAK = 0.4
THREAT = Threat(epsilon=0.03, step_size=0.0375)  # Figure 7's ratio of the two
PRUNING = PruningSettings(
    "after_epoch", taken=AFTER_PASS, rounding="exact", odd_one=None, class_balanced=False
)
GRID = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class ToyPoints:
    """The points of both classes.

    Attributes:
        images: (n, 1, 1, 2) float32 in [0, 1].
        labels: (n,) int64, 0 below the true boundary and 1 above it, as many of each.
    """

    images: Tensor
    labels: Tensor

    @property
    def coordinates(self) -> np.ndarray:
        """(n, 2), what is drawn."""
        return self.images.flatten(1).numpy()


@dataclass(frozen=True)
class ToyRun:
    """A trained network and what it was trained on.

    Attributes:
        network: maps (n, 1, 1, 2) points to (n, 2) logits.
        distance: (n,) from DeepFool at the end of the pruning epoch.
        scored_margins: (201, 201) `margins` at that time.
        kept: (m,) int64, the points trained on to the end, in increasing order.
    """

    network: nn.Module
    distance: np.ndarray
    scored_margins: np.ndarray
    kept: np.ndarray


def draw_points(seed: int) -> ToyPoints:
    """Points on either side of a wave, at normally distributed heights from it.

    A few of each class come to lie among the other: no boundary is right about all of them.
    """
    random = np.random.default_rng(stream_seed("points", dataset=NAME, seed=seed))
    labels = np.arange(POINTS) % 2
    across = random.uniform(0.04, 0.96, POINTS)
    wave = 0.5 + 0.13 * np.sin(2 * np.pi * across)
    height = wave + SPACING * (2 * labels - 1) + random.normal(0, SPREAD, POINTS)
    points = np.stack([across, height.clip(0.02, 0.98)], axis=1)
    return ToyPoints(
        images=torch.from_numpy(points).float().view(-1, 1, 1, 2),
        labels=torch.from_numpy(labels),
    )


def build_network(seed: int) -> nn.Module:
    """Two hidden layers of rectified units; the same initial weights for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed("initialisation", dataset=NAME, seed=seed))
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(2, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, 2),
        )


def train_toy(points: ToyPoints, *, method: str, settings: DeepFoolSettings, seed: int) -> ToyRun:
    """Train a network on the points, pruning by ``method`` after the pruning epoch.

    Runs with the same seed are the same run until then.

    Args:
        points: what to train on.
        method: a name in `methods.METHODS`; the distance is DeepFool's for all of them.
        settings: of DeepFool, which is run at the points as they are.
        seed: decides the initial weights, the order of the points and the attack's random starts.
    """
    network = build_network(seed)
    optimiser = torch.optim.Adam(network.parameters())
    kept = np.arange(len(points.labels))
    for epoch in range(1, EPOCHS + 1):
        _train_one_epoch(network, optimiser, points, kept, seed, epoch)
        if epoch == PRUNING_EPOCH:
            distance = deepfool(network, points.images, settings).distance.numpy()
            scored_margins = margins(network)
            if METHODS[method].select:
                kept = keep_indices(
                    distance,
                    points.labels.numpy(),
                    method=method,
                    proportion=PROPORTION,
                    settings=PRUNING,
                    generator=np.random.default_rng(
                        stream_seed("pruning", dataset=NAME, seed=seed)
                    ),
                )
    return ToyRun(network=network, distance=distance, scored_margins=scored_margins, kept=kept)


def _train_one_epoch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    points: ToyPoints,
    kept: np.ndarray,
    seed: int,
    epoch: int,
) -> None:
    """Lines 24 to 30 of Algorithm 1."""
    noise = _generator("random start", seed, epoch)
    order = torch.randperm(len(kept), generator=_generator("order", seed, epoch))
    batches = torch.from_numpy(kept)[order].split(BATCH_SIZE)
    for batch, which in enumerate(batches, 1):
        learning_rate = cyclic_learning_rate(
            epoch=epoch,
            batch=batch,
            batches=len(batches),
            epochs=EPOCHS,
            maximum=MAX_LEARNING_RATE,
            peak=PEAK,
        )
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        images, labels = points.images[which], points.labels[which]
        attacked = rs_fgsm(network, images, labels, threat=THREAT, generator=noise)
        loss = functional.cross_entropy(network(attacked), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _generator(purpose: str, seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream_seed(purpose, dataset=NAME, seed=seed, epoch=epoch))


def margins(network: nn.Module) -> np.ndarray:
    """The logit of class 1 less that of class 0 on a grid over the unit square.

    Returns:
        (201, 201): rows are heights, columns are places across, both as in `GRID`.
    """
    across, height = np.meshgrid(GRID, GRID)
    images = torch.from_numpy(np.stack([across, height], axis=2)).float().view(-1, 1, 1, 2)
    with torch.no_grad():
        logits = network(images)
    return (logits[:, 1] - logits[:, 0]).view(len(GRID), len(GRID)).numpy()


def boundary_lines(margins: np.ndarray) -> Iterator[np.ndarray]:
    """The decision boundary, where the margin is 0, as (k, 2) lines from point to point."""
    yield from contour_generator(GRID, GRID, margins).lines(0.0)


def count_misclassified(run: ToyRun, points: ToyPoints) -> int:
    """How many of the points that a run was trained on to the end lie on the wrong side."""
    with torch.no_grad():
        predicted = run.network(points.images[run.kept]).argmax(dim=1)
    return int((predicted != points.labels[run.kept]).sum())

"""All that changes while a run is trained, and how it begins."""

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from advprune.data.examples import Examples
from advprune.machine.provenance import now
from advprune.machine.stopwatch import Stopwatch
from advprune.networks.classifier import Classifier, build_classifier
from advprune.spec.datasets import DATASETS
from advprune.spec.networks import NETWORKS
from advprune.spec.specification import AUTO, TrainingSpec
from advprune.training.deepfool import DeepFoolResult
from advprune.training.early_stopping import Validation
from advprune.training.scoring import Scores
from advprune.training.seeds import run_seed


@dataclass(frozen=True)
class EpochRecord:
    """One row of the training curve.

    Attributes:
        epoch: from 1.
        examples: how many were trained on.
        learning_rate: at the epoch's last update.
        loss: the mean cross-entropy of the images trained on, before each update.
        accuracy: the share of them classified rightly, before each update.
        seconds: training time so far: forward, backward, attack, scoring and pruning.
        validation_accuracy: the share of test images that withstand early stopping's attack; None
            where there is no early stopping.
    """

    epoch: int
    examples: int
    learning_rate: float
    loss: float
    accuracy: float
    seconds: float
    validation_accuracy: float | None


@dataclass
class TrainingState:
    """All that changes while a run is trained; saved and restored between epochs.

    Attributes:
        classifier: the network f with its parameters theta.
        optimiser, scaler: what updates them; the scaler acts in float16 alone.
        kept: (m,) int64, the examples that are still in the training set S, on the CPU.
        pruned: whether data have been pruned.
        stopwatch: seconds spent in the phases ``training``, ``scoring``, ``pruning`` and
            ``validation``.
        validation: what early stopping has seen, nothing where there is none.
        started: when the first attempt at the run was started.
        epoch: the last epoch that is done; 0 before the first.
        distance: (n,) the score that was pruned by, larger is farther from the boundary; None
            before pruning and for methods that use none.
        converged: (n,) bool, whether DeepFool moved each example to another class; None where
            distances are not DeepFool's.
        curve: a record for every epoch done.
        losses: (n,) the loss of each example in the last epoch done, as it was trained on.
        distances: what DeepFool found of each example in the last epoch's pass, if it was asked to.
        scores: what else has been measured of it after that epoch, by a start that several runs go
            on from (`training.start`); None where the run began by itself. It is not saved.
        diverged_epoch: the first epoch with a loss that is not finite, or None.
        stacked: how many networks have been computed together with it, itself among them.
    """

    classifier: Classifier
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    kept: Tensor
    stopwatch: Stopwatch
    pruned: bool = False
    started: datetime.datetime = field(default_factory=now)
    epoch: int = 0
    distance: np.ndarray | None = None
    converged: np.ndarray | None = None
    curve: list[EpochRecord] = field(default_factory=list)
    losses: Tensor | None = None
    distances: DeepFoolResult | None = None
    scores: Scores | None = None
    diverged_epoch: int | None = None
    stacked: int = 1
    validation: Validation = field(default_factory=Validation)

    def add_epoch(self, record: EpochRecord) -> None:
        """Count an epoch as done."""
        self.epoch = record.epoch
        self.curve.append(record)
        if not math.isfinite(record.loss) and self.diverged_epoch is None:
            self.diverged_epoch = record.epoch


def start(spec: TrainingSpec, examples: Examples) -> TrainingState:
    """The state before the first epoch: initial weights and the whole training set."""
    classifier = untrained(spec).to(examples.device)
    if has_channels_last(spec, examples.device):
        classifier.lay_out_channels_last()
    return TrainingState(
        classifier=classifier,
        optimiser=build_optimiser(spec, classifier.parameters()),
        scaler=torch.amp.GradScaler(
            examples.device.type, enabled=spec.numerics.precision == "float16"
        ),
        kept=torch.arange(len(examples)),
        stopwatch=Stopwatch(examples.device),
    )


def has_channels_last(spec: TrainingSpec, device: torch.device) -> bool:
    """Whether images and weights are laid out in memory with the channels last."""
    asked = spec.numerics.channels_last
    if asked == AUTO:
        return device.type == "cpu" and NETWORKS[spec.network].is_safe_channels_last(spec.width)
    return asked


def untrained(spec: TrainingSpec) -> Classifier:
    """The network with its initial weights, on the CPU."""
    return build_classifier(
        spec.network,
        width=spec.width,
        **DATASETS[spec.run.dataset].architecture(normalise=spec.normalise),
        seed=run_seed("initialisation", spec.run, paired=spec.paired_seeds),
    )


def build_optimiser(spec: TrainingSpec, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Figure 7's optimiser; the schedule sets its learning rate before every update."""
    if spec.optimiser == "adam":
        return torch.optim.Adam(parameters, weight_decay=spec.weight_decay)
    return torch.optim.SGD(parameters, momentum=spec.momentum, weight_decay=spec.weight_decay)


def generator_for(
    spec: TrainingSpec, purpose: str, epoch: int, device: torch.device
) -> torch.Generator:
    """A generator on ``device``, seeded for one purpose in one epoch (see `seeds`)."""
    seed = run_seed(purpose, spec.run, paired=spec.paired_seeds, epoch=epoch)
    return torch.Generator(device).manual_seed(seed)

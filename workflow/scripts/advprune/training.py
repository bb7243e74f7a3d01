"""RS+FGSM adversarial training with data pruning: reads in the order of Algorithm 1.

Where the printed algorithm and the text disagree, the text is followed (docs/paper_notes.md): the
network learns from x + delta, and data are pruned at the end of epoch e, unless told otherwise.
"""

import dataclasses
import datetime
import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from advprune.attacks import Threat, rs_fgsm
from advprune.augmentation import crop_and_flip
from advprune.datasets import DATASETS
from advprune.devices import hold_to_determinism, kernels_chosen_by_trial
from advprune.early_stopping import Validation, robust_share
from advprune.examples import Examples
from advprune.networks import Classifier, build_classifier
from advprune.provenance import now
from advprune.pruning import METHODS, keep_indices
from advprune.runs import Numerics, TrainingSpec, training_seconds
from advprune.schedules import cyclic_learning_rate
from advprune.scoring import deepfool_all, loss_of_all
from advprune.seeds import run_seed
from advprune.timing import Stopwatch

log = logging.getLogger(__name__)


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
        diverged_epoch: the first epoch with a loss that is not finite, or None.
    """

    classifier: Classifier
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    kept: Tensor
    stopwatch: Stopwatch
    started: datetime.datetime = field(default_factory=now)
    epoch: int = 0
    distance: np.ndarray | None = None
    converged: np.ndarray | None = None
    curve: list[EpochRecord] = field(default_factory=list)
    losses: Tensor | None = None
    diverged_epoch: int | None = None
    validation: Validation = field(default_factory=Validation)


def train(
    spec: TrainingSpec,
    examples: Examples,
    *,
    validation: Examples | None = None,
    state: TrainingState | None = None,
    after_epoch: Callable[[TrainingState], None] = lambda state: None,
    stop_after: int | None = None,
) -> TrainingState:
    """Train one run (Algorithm 1).

    Args:
        spec: what to train and how.
        examples: the training set, on the device to train on; `TrainingSpec.train_examples` has
            been applied to it already.
        validation: the test set, on the same device, where early stopping needs it.
        state: where to go on from; None to start anew.
        after_epoch: called at the end of every epoch, to save a checkpoint say.
        stop_after: the epoch to stop after, before pruning at its end; None for the last of all.
    """
    hold_to_determinism(spec.numerics.deterministic)
    state = state or start(spec, examples)
    with kernels_chosen_by_trial(not spec.numerics.deterministic):
        model = prepare(state.classifier, spec, examples)
    last = stop_after or spec.epochs
    while state.epoch < last and not state.validation.stopped_epoch:
        epoch = state.epoch + 1
        if is_pruned(spec, epoch, "before_epoch"):
            prune(spec, state, examples)
        with (
            kernels_chosen_by_trial(not spec.numerics.deterministic),
            state.stopwatch.time("training"),
        ):
            state.losses = train_one_epoch(spec, state, model, examples, epoch)
        if spec.early_stopping:
            validate(spec, state, validation, epoch)
        ended = epoch == stop_after or state.validation.stopped_epoch
        if is_pruned(spec, epoch, "after_epoch") and not ended:
            prune(spec, state, examples)
        seconds = training_seconds(state.stopwatch.seconds)
        state.curve[-1] = dataclasses.replace(state.curve[-1], seconds=seconds)
        state.epoch = epoch
        after_epoch(state)
    return state


def start(spec: TrainingSpec, examples: Examples) -> TrainingState:
    """The state before the first epoch: initial weights and the whole training set."""
    classifier = build_classifier(
        spec.network,
        width=spec.width,
        **DATASETS[spec.run.dataset].architecture(normalise=spec.normalise),
        seed=run_seed("initialisation", spec.run, paired=spec.paired_seeds),
    ).to(examples.device)
    if spec.numerics.channels_last:
        classifier.lay_out_channels_last()
    return TrainingState(
        classifier=classifier,
        optimiser=build_optimiser(spec, classifier),
        scaler=torch.amp.GradScaler(
            examples.device.type, enabled=spec.numerics.precision == "float16"
        ),
        kept=torch.arange(len(examples)),
        stopwatch=Stopwatch(examples.device),
    )


def build_optimiser(spec: TrainingSpec, classifier: Classifier) -> torch.optim.Optimizer:
    """Figure 7's optimiser; the schedule sets its learning rate before every update."""
    parameters = classifier.parameters()
    if spec.optimiser == "adam":
        return torch.optim.Adam(parameters, weight_decay=spec.weight_decay)
    return torch.optim.SGD(parameters, momentum=spec.momentum, weight_decay=spec.weight_decay)


def train_one_epoch(
    spec: TrainingSpec,
    state: TrainingState,
    model: Callable[[Tensor], Tensor],
    examples: Examples,
    epoch: int,
) -> Tensor:
    """Lines 24 to 30: one pass over the examples that are kept.

    Returns:
        (n,) the loss of each example as it was trained on, at x + delta and before its update: the
        loss proxy, free. NaN for examples that are not in the training set any more.
    """
    device = examples.device
    noise = generator_for(spec, "random start", epoch, device)
    crops = generator_for(spec, "augmentation", epoch, device)
    losses = torch.full((len(examples),), torch.nan, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    threat = spec.epsilon and Threat(spec.epsilon, spec.step_size)

    state.classifier.train()
    order = shuffled(state.kept, generator_for(spec, "order", epoch, torch.device("cpu")))
    batches = split_into_batches(
        order.to(device), spec.batch_size, normalised=state.classifier.normalises_batches
    )
    for batch, which in enumerate(batches, 1):
        learning_rate = cyclic_learning_rate(
            epoch=epoch,
            batch=batch,
            batches=len(batches),
            epochs=spec.epochs,
            maximum=spec.max_learning_rate,
            peak=spec.peak,
        )
        images, labels = examples.batch(which)
        if spec.augment:
            images = crop_and_flip(images, generator=crops)
        if spec.numerics.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with autocast(spec.numerics, device):
            if threat:
                images = rs_fgsm(model, images, labels, threat=threat, generator=noise)
            logits = model(images)
        each_loss = functional.cross_entropy(logits.float(), labels, reduction="none")
        update(state, each_loss.mean(), learning_rate)
        losses[which] = each_loss.detach()
        correct += (logits.argmax(dim=1) == labels).sum()

    record_epoch(spec, state, epoch, learning_rate, losses[order.to(device)], correct)
    return losses


def split_into_batches(order: Tensor, size: int, *, normalised: bool) -> list[Tensor]:
    """Batches of ``size``, the last one smaller.

    Where batches are ``normalised`` the last one is never a single image: batch normalisation has
    no statistics of one value, so that image joins the batch before.
    """
    batches = list(order.split(size))
    if normalised and len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def update(state: TrainingState, loss: Tensor, learning_rate: float) -> None:
    """Line 29: one step of the optimiser."""
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate
    state.optimiser.zero_grad(set_to_none=True)
    state.scaler.scale(loss).backward()
    state.scaler.step(state.optimiser)
    state.scaler.update()


def record_epoch(
    spec: TrainingSpec,
    state: TrainingState,
    epoch: int,
    learning_rate: float,
    losses: Tensor,
    correct: Tensor,
) -> None:
    """Add the epoch to the curve and note the first whose loss is not finite."""
    loss = losses.mean().item()
    if not math.isfinite(loss) and state.diverged_epoch is None:
        state.diverged_epoch = epoch
        log.warning("epoch %d: the loss is not finite; the run is recorded as diverged", epoch)
    record = EpochRecord(
        epoch=epoch,
        examples=len(losses),
        learning_rate=learning_rate,
        loss=loss,
        accuracy=correct.item() / len(losses),
        seconds=math.nan,  # known when the epoch is over, as is the next
        validation_accuracy=None,
    )
    state.curve.append(record)
    log.info(
        "epoch %d of %d: %d examples, loss %.4f, accuracy on training images as attacked %.1f%%",
        epoch,
        spec.epochs,
        record.examples,
        record.loss,
        100 * record.accuracy,
    )


def validate(spec: TrainingSpec, state: TrainingState, test: Examples | None, epoch: int) -> None:
    """Attack the test images after an epoch and note whether training goes on (`early_stopping`).

    Raises:
        ValueError: there are no test images.
    """
    if test is None:
        raise ValueError(f"{spec.run} is stopped early, which needs the test set")
    settings = spec.early_stopping
    with state.stopwatch.time("validation"):
        accuracy = robust_share(
            state.classifier,
            test.first(settings.examples),
            epsilon=spec.epsilon,
            steps=settings.steps,
            generator=generator_for(spec, "validation", epoch, test.device),
        )
        state.validation.note(
            state.classifier.network, epoch=epoch, accuracy=accuracy, patience=settings.patience
        )
    state.curve[-1] = dataclasses.replace(state.curve[-1], validation_accuracy=accuracy)
    log.info("epoch %d: %.1f%% of test images withstand PGD", epoch, 100 * accuracy)
    if state.validation.stopped_epoch:
        log.info("stopped early; the best epoch was %d", state.validation.best_epoch)


def is_pruned(spec: TrainingSpec, epoch: int, when: str) -> bool:
    """Whether data are pruned before, or after, an epoch."""
    return spec.pruning is not None and (spec.run.e, spec.pruning.when) == (epoch, when)


def prune(spec: TrainingSpec, state: TrainingState, examples: Examples) -> None:
    """Lines 3 to 23: score every example and keep the share p of them."""
    state.distance, state.converged = score(spec, state, examples)
    with state.stopwatch.time("pruning"):
        scores = np.zeros(len(examples)) if state.distance is None else state.distance
        kept = keep_indices(
            scores,
            examples.labels.cpu().numpy(),
            method=spec.run.method,
            proportion=spec.run.p,
            settings=spec.pruning,
            generator=np.random.default_rng(
                run_seed("pruning", spec.run, paired=spec.paired_seeds)
            ),
        )
        state.kept = torch.from_numpy(kept)
    log.info("pruned by %s: %d of %d kept", spec.run.method, len(kept), len(examples))


def score(
    spec: TrainingSpec, state: TrainingState, examples: Examples
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Lines 4 to 6: ``distance`` and ``converged`` of `TrainingState`, by the run's proxy."""
    proxy = METHODS[spec.run.method].proxy
    if proxy is None:
        return None, None
    if proxy == "loss" and spec.pruning.when == "after_epoch":
        # 1/loss in the paper; the order is the same and a loss of 0 does no harm.
        return -state.losses.cpu().numpy(), None
    attack = attack_for_scoring(spec, examples)
    with state.stopwatch.time("scoring"):
        if proxy == "loss":
            return -loss_of_all(state.classifier, examples, **attack).cpu().numpy(), None
        found = deepfool_all(state.classifier, examples, spec.deepfool, **attack)
        converged = found.converged.cpu().numpy()
        log.info("DeepFool moved %d of %d to another class", converged.sum(), len(converged))
        return found.distance.cpu().numpy(), converged


def attack_for_scoring(spec: TrainingSpec, examples: Examples) -> dict[str, Any]:
    """What bounds and draws delta where examples are scored at x + delta."""
    return {
        "threat": Threat(spec.epsilon, spec.step_size),
        "generator": generator_for(spec, "scoring", spec.run.e, examples.device),
    }


def generator_for(
    spec: TrainingSpec, purpose: str, epoch: int, device: torch.device
) -> torch.Generator:
    """A generator on ``device``, seeded for one purpose in one epoch (see `seeds`)."""
    seed = run_seed(purpose, spec.run, paired=spec.paired_seeds, epoch=epoch)
    return torch.Generator(device).manual_seed(seed)


def shuffled(indices: Tensor, generator: torch.Generator) -> Tensor:
    """``indices`` in random order."""
    return indices[torch.randperm(len(indices), generator=generator)]


def autocast(numerics: Numerics, device: torch.device) -> AbstractContextManager:
    """The context in which forward passes are done in the precision asked for."""
    return torch.autocast(
        device.type,
        dtype=getattr(torch, numerics.precision),
        enabled=numerics.precision != "float32",
    )


def prepare(
    classifier: Classifier, spec: TrainingSpec, examples: Examples
) -> Callable[[Tensor], Tensor]:
    """The network as it is called in training: itself, or compiled; and already warm.

    Compilation, a GPU's start and the trial of its kernels happen at the first calls. These are
    made here, outside the time measured, with batch statistics put back as they were.
    """
    numerics = spec.numerics
    if examples.device.type == "cpu" and not numerics.compile:
        return classifier
    model = torch.compile(classifier, dynamic=True) if numerics.compile else classifier
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    images, _ = examples.batch(slice(0, spec.batch_size))
    if numerics.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    with autocast(numerics, examples.device):
        # The attack asks for the images' gradient and the update does not: each is a first call.
        for attacked in (True, False):
            model(images.clone().requires_grad_(attacked)).sum().backward()
    classifier.load_state_dict(before)
    classifier.zero_grad(set_to_none=True)
    return model

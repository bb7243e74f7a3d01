"""RS+FGSM adversarial training with data pruning: reads in the order of Algorithm 1.

Where the printed algorithm and the text disagree, the text is followed (docs/paper_notes.md): the
network learns from x + delta, and data are pruned at the end of epoch e, unless told otherwise.
"""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.machine.devices import cudnn_benchmark, tf32, use_deterministic_algorithms
from advprune.networks.classifier import Classifier
from advprune.spec.methods import METHODS
from advprune.spec.runs import training_seconds
from advprune.spec.specification import IN_PASS, DeepFoolSettings, Numerics, TrainingSpec
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.augmentation import crop_and_flip
from advprune.training.deepfool import DeepFoolResult, deepfool
from advprune.training.early_stopping import robust_share
from advprune.training.pruning import keep_indices
from advprune.training.schedule import cyclic_learning_rate
from advprune.training.scoring import Scores, deepfool_all, loss_of_all
from advprune.training.seeds import run_seed
from advprune.training.state import EpochRecord, TrainingState, generator_for, start

log = logging.getLogger(__name__)

CPU = torch.device("cpu")


@tf32(False)
def train(
    spec: TrainingSpec,
    examples: Examples,
    *,
    validation: Examples | None = None,
    state: TrainingState | None = None,
    save: Callable[[TrainingState], None] = lambda state: None,
    stop_after: int | None = None,
    in_pass: DeepFoolSettings | None = None,
) -> TrainingState:
    """Train one run (Algorithm 1).

    Args:
        spec: what to train and how.
        examples: the training set, on the device to train on; `TrainingSpec.train_examples` has
            been applied to it already.
        validation: the test set, on the same device, where early stopping needs it.
        state: where to go on from; None to start anew.
        save: called at the end of every epoch and after pruning, to save a checkpoint say.
        stop_after: the epoch to stop after, before pruning at its end; None for the last of all.
        in_pass: how every example's distance is measured in the pass of that epoch; None if not.
    """
    use_deterministic_algorithms(spec.numerics.deterministic)
    state = state or start(spec, examples)
    with cudnn_benchmark(not spec.numerics.deterministic), tf32(spec.numerics.tf32):
        model = prepare(state.classifier, spec, examples)
    last = stop_after or spec.epochs
    while state.epoch < last and not state.validation.stopped_epoch:
        epoch = state.epoch + 1
        if is_pruned_before(spec, epoch) and not state.pruned:
            prune(spec, state, examples)
            save(state)
        with (
            cudnn_benchmark(not spec.numerics.deterministic),
            tf32(spec.numerics.tf32),
            state.stopwatch.time("training"),
        ):
            measured = in_pass if epoch == stop_after else distances_to_prune_by(spec, epoch)
            done = train_one_epoch(spec, state, model, examples, epoch, measured)
        log_epoch(spec, done, epoch)
        state.losses, state.distances = done.losses, done.distances
        accuracy = validate(spec, state, validation, epoch) if spec.early_stopping else None
        state.add_epoch(
            EpochRecord(
                epoch=epoch,
                examples=done.examples,
                learning_rate=done.learning_rate,
                loss=done.loss,
                accuracy=done.accuracy,
                seconds=training_seconds(state.stopwatch.seconds),
                validation_accuracy=accuracy,
            )
        )
        save(state)
    ended = stop_after or state.validation.stopped_epoch or state.pruned
    if is_pruned_before(spec, spec.epochs + 1) and not ended:  # e is the last epoch
        prune(spec, state, examples)
        save(state)
    return state


@dataclass(frozen=True)
class EpochOutcome:
    """What one pass over the examples that are kept has seen.

    Attributes:
        losses: (n,) the loss of each example as it was trained on, at x + delta and before its
            update: the loss proxy, free. NaN for examples not in the training set any more.
        distances: what DeepFool found of each at that moment, from the image as it was augmented
            and not attacked, in evaluation mode; None if it was not asked to.
        examples: how many were trained on.
        learning_rate: at the last update.
        loss: their mean loss.
        accuracy: the share of them classified rightly, before each update.
    """

    losses: Tensor
    distances: DeepFoolResult | None
    examples: int
    learning_rate: float
    loss: float
    accuracy: float


def train_one_epoch(
    spec: TrainingSpec,
    state: TrainingState,
    model: Callable[[Tensor], Tensor],
    examples: Examples,
    epoch: int,
    measured: DeepFoolSettings | None = None,
) -> EpochOutcome:
    """Lines 24 to 30: one pass over the examples that are kept.

    Where ``measured`` is given, DeepFool measures the distances of each batch before its update.
    """
    device = examples.device
    noise = generator_for(spec, "random start", epoch, device)
    crops = generator_for(spec, "augmentation", epoch, device)
    losses = torch.full((len(examples),), torch.nan, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    threat = spec.epsilon and Threat(spec.epsilon, spec.step_size)
    distances = DeepFoolResult.unknown(len(examples), device) if measured else None

    state.classifier.train()
    order = shuffled(state.kept, generator_for(spec, "order", epoch, CPU))
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
            attacked = images
            if threat:
                attacked = rs_fgsm(model, images, labels, threat=threat, generator=noise)
            logits = model(attacked)
        each_loss = functional.cross_entropy(logits.float(), labels, reduction="none")
        if measured:
            from_images = attacked if measured.points == "adversarial" else images
            with state.stopwatch.time("scoring"):
                distances.put(which, deepfool(state.classifier, from_images, measured))
        update(state, each_loss.mean(), learning_rate)
        losses[which] = each_loss.detach()
        correct += (logits.argmax(dim=1) == labels).sum()

    return EpochOutcome(
        losses=losses,
        distances=distances,
        examples=len(order),
        learning_rate=learning_rate,
        loss=losses[order.to(device)].mean().item(),
        accuracy=correct.item() / len(order),
    )


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


def log_epoch(spec: TrainingSpec, done: EpochOutcome, epoch: int) -> None:
    """A line in the log for every epoch, and a warning where its loss is not finite."""
    if not math.isfinite(done.loss):
        log.warning("epoch %d: the loss is not finite; the run is recorded as diverged", epoch)
    log.info(
        "epoch %d of %d: %d examples, loss %.4f, accuracy on training images as attacked %.1f%%",
        epoch,
        spec.epochs,
        done.examples,
        done.loss,
        100 * done.accuracy,
    )


def validate(spec: TrainingSpec, state: TrainingState, test: Examples | None, epoch: int) -> float:
    """Attack the test images after an epoch and note whether training goes on (`early_stopping`).

    Returns:
        the share of them that withstand PGD, in [0, 1].

    Raises:
        ValueError: there are no test images.
    """
    if test is None:
        raise ValueError(f"{spec.run} is stopped early, which needs the test set")
    settings = spec.early_stopping
    with state.stopwatch.time("validation"):
        accuracy = robust_share(
            state.classifier,
            test.take(validation_images(spec, len(test)).to(test.device)),
            epsilon=spec.epsilon,
            steps=settings.steps,
            generator=generator_for(spec, "validation", epoch, test.device),
        )
        state.validation.note(
            state.classifier.network, epoch=epoch, accuracy=accuracy, patience=settings.patience
        )
    log.info("epoch %d: %.1f%% of test images withstand PGD", epoch, 100 * accuracy)
    if state.validation.stopped_epoch:
        log.info("stopped early; the best epoch was %d", state.validation.best_epoch)
    return accuracy


def validation_images(spec: TrainingSpec, count: int) -> Tensor:
    """(m,) int64: which of ``count`` test images are attacked after each epoch of a run."""
    order = shuffled(torch.arange(count), generator_for(spec, "validation images", 0, CPU))
    return order[: spec.early_stopping.examples]


def is_pruned_before(spec: TrainingSpec, epoch: int) -> bool:
    """Whether data are pruned before an epoch: before epoch e, or at its end, before the next."""
    if spec.pruning is None:
        return False
    return epoch == spec.run.e + (spec.pruning.when == "after_epoch")


def distances_to_prune_by(spec: TrainingSpec, epoch: int) -> DeepFoolSettings | None:
    """How distances are measured in an epoch's pass, if the run is pruned by them at its end."""
    wanted = is_pruned_before(spec, epoch + 1) and spec.pruning.taken == IN_PASS
    return spec.deepfool if wanted else None


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
        state.kept, state.pruned = torch.from_numpy(kept), True
    log.info("pruned by %s: %d of %d kept", spec.run.method, len(kept), len(examples))


def score(
    spec: TrainingSpec, state: TrainingState, examples: Examples
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Lines 4 to 6: ``distance`` and ``converged`` of `TrainingState`, by the run's proxy."""
    proxy, taken = METHODS[spec.run.method].proxy, spec.pruning.taken
    if proxy is None:
        return None, None
    if proxy == "loss" and taken == IN_PASS:
        # 1/loss in the paper; the order is the same and a loss of 0 does no harm.
        return -state.losses.cpu().numpy(), None
    known = state.scores or Scores()
    attack = attack_for_scoring(spec, spec.run.e, examples)
    with state.stopwatch.time("scoring", known.seconds.get(f"{proxy} {taken}", 0.0)):
        if proxy == "loss":
            losses = known.losses.get(taken)
            if losses is None:
                losses = loss_of_all(state.classifier, examples, **attack)
            return -losses.cpu().numpy(), None
        found = state.distances if taken == IN_PASS else known.distances.get(taken)
        if found is None:
            found = deepfool_all(state.classifier, examples, spec.deepfool, **attack)
        converged = found.converged.cpu().numpy()
        log.info("DeepFool moved %d of %d to another class", converged.sum(), len(converged))
        return found.distance.cpu().numpy(), converged


def attack_for_scoring(spec: TrainingSpec, epoch: int, examples: Examples) -> dict[str, Any]:
    """What bounds and draws delta where examples are scored at x + delta."""
    return {
        "threat": Threat(spec.epsilon, spec.step_size),
        "generator": generator_for(spec, "scoring", epoch, examples.device),
    }


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

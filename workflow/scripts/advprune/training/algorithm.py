"""RS+FGSM adversarial training with data pruning: reads in the order of Algorithm 1.

Where the printed algorithm and the text disagree, the text is followed (docs/paper_notes.md): the
network learns from x + delta, and data are pruned at the end of epoch e, unless told otherwise.
"""

import copy
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from advprune.data.examples import Examples
from advprune.machine.devices import cudnn_benchmark, tf32, use_deterministic_algorithms
from advprune.machine.stopwatch import Stopwatch
from advprune.spec.methods import METHODS
from advprune.spec.runs import training_seconds
from advprune.spec.specification import IN_PASS, DeepFoolSettings, TrainingSpec
from advprune.training.attacks import Threat
from advprune.training.early_stopping import robust_share
from advprune.training.epoch import CPU, EpochOutcome, prepare, shuffled, train_one_epoch
from advprune.training.pruning import keep_indices
from advprune.training.scoring import Scores, deepfool_all, loss_of_all
from advprune.training.seeds import run_seed
from advprune.training.state import EpochRecord, TrainingState, generator_for, start

log = logging.getLogger(__name__)


@dataclass
class Member:
    """A run among those that are trained together.

    Attributes:
        spec: what to train and how.
        state: where to begin, and at the end what has come of it.
        save: called at the end of every epoch and after pruning, to save a checkpoint say.
    """

    spec: TrainingSpec
    state: TrainingState
    save: Callable[[TrainingState], None] = lambda state: None


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
    """Train one run; see `train_together`.

    Args:
        spec: what to train and how.
        examples: the training set.
        validation: the test set.
        state: where to go on from; None to start anew.
        save: as of a `Member`.
        stop_after: as of `train_together`.
        in_pass: likewise.
    """
    member = Member(spec, state or start(spec, examples), save)
    train_together(
        [member], examples, validation=validation, stop_after=stop_after, in_pass=in_pass
    )
    return member.state


@tf32(False)
def train_together(
    members: Sequence[Member],
    examples: Examples,
    *,
    validation: Examples | None = None,
    stop_after: int | None = None,
    in_pass: DeepFoolSettings | None = None,
) -> None:
    """Train runs that differ in the seed alone (Algorithm 1).

    Those whose state says that they are stacked take their epochs together, and no result of one
    depends on another but by rounding. The rest are trained one after the other.

    Args:
        members: the runs.
        examples: the training set, on the device to train on; `TrainingSpec.train_examples` has
            been applied to it already.
        validation: the test set, on the same device, where early stopping needs it.
        stop_after: the epoch to stop after, before pruning at its end; None for the last of all.
        in_pass: how every example's distance is measured in the pass of that epoch; None if not.
    """
    spec = members[0].spec
    use_deterministic_algorithms(spec.numerics.deterministic)
    last = stop_after or spec.epochs
    models: dict[int, Callable[[Tensor], Tensor]] = {}  # by seed, of those that are not stacked
    while group := next_to_train(members, examples, last):
        epoch = group[0].state.epoch + 1
        measured = in_pass if epoch == stop_after else distances_to_prune_by(spec, epoch)
        watch = Stopwatch(examples.device)
        with cudnn_benchmark(not spec.numerics.deterministic), tf32(spec.numerics.tf32):
            seed = group[0].spec.run.seed
            if group[0].state.stacked == 1 and seed not in models:
                models[seed] = prepare(group[0].state.classifier, spec, examples)
            specs, states = filled_up(group)
            with watch.time("training"):
                outcomes = train_one_epoch(
                    specs, states, models.get(seed), examples, epoch, watch, measured
                )
        for member, done in zip(group, outcomes, strict=False):
            member.state.stopwatch.add(watch, 1 / len(group))
            end_epoch(member, done, epoch, validation)
    for member in members:
        ended = stop_after or member.state.validation.stopped_epoch or member.state.pruned
        if is_pruned_before(spec, spec.epochs + 1) and not ended:  # e is the last epoch
            prune(member.spec, member.state, examples)
            member.save(member.state)


def next_to_train(members: Sequence[Member], examples: Examples, last: int) -> list[Member]:
    """Those whose next epoch comes first, one or a stack; pruned, if they are before that epoch.

    Args:
        members: the runs that are trained together.
        examples: the training set.
        last: the epoch after which none goes on.
    """
    waiting = [
        member
        for member in members
        if member.state.epoch < last and not member.state.validation.stopped_epoch
    ]
    if not waiting:
        return []
    done = min(member.state.epoch for member in waiting)
    group = [member for member in waiting if member.state.epoch == done]
    for member in group:
        if is_pruned_before(member.spec, done + 1) and not member.state.pruned:
            prune(member.spec, member.state, examples)
            member.save(member.state)
    first = group[0].state
    if first.stacked == 1:
        return group[:1]
    return [
        member
        for member in group
        if member.state.stacked == first.stacked and len(member.state.kept) == len(first.kept)
    ]


def filled_up(group: Sequence[Member]) -> tuple[list[TrainingSpec], list[TrainingState]]:
    """The specifications and states of a stack, filled up to the size that it had at first.

    A kernel may round otherwise for another number of networks. So where some have been stopped, or
    were further on when a job was killed, copies take their places, and the bits of the rest stay.
    """
    specs, states = [each.spec for each in group], [each.state for each in group]
    for _ in range(states[0].stacked - len(group)):
        specs.append(specs[0])
        states.append(copy.deepcopy(states[0]))
    return specs, states


def end_epoch(member: Member, done: EpochOutcome, epoch: int, validation: Examples | None) -> None:
    """Record an epoch, attack the test images where early stopping asks for it, and save."""
    spec, state = member.spec, member.state
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
    member.save(state)


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

"""Training as a job does it: resumably, whatever is made of its end."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from advprune.data.examples import Examples, load_examples
from advprune.machine.provenance import provenance
from advprune.paths import checkpoint_of
from advprune.spec.specification import DeepFoolSettings, StartSpec, TrainingSpec
from advprune.storage.files import digest, sha256_of
from advprune.training.algorithm import Member, train_together
from advprune.training.checkpoints import resume, save_checkpoint
from advprune.training.stack import can_be_stacked
from advprune.training.state import TrainingState, start, untrained


@dataclass(frozen=True)
class TrainingData:
    """A data set on the device that is trained on.

    Attributes:
        examples: the training set, as far as it is used.
        test: the test set, where early stopping needs it.
        sha256: of the data set's file.
    """

    examples: Examples
    test: Examples | None
    sha256: str


def load_data(spec: TrainingSpec, dataset: Path, device: torch.device) -> TrainingData:
    """Read what a specification trains on from the data set's file."""
    examples = load_examples(dataset, spec.run.dataset, "train").first(spec.train_examples)
    test = load_examples(dataset, spec.run.dataset, "test") if spec.early_stopping else None
    return TrainingData(examples.to(device), test and test.to(device), sha256_of(dataset))


def stacks(
    specs: Sequence[TrainingSpec], device: torch.device, *, alone: int
) -> list[list[TrainingSpec]]:
    """Which runs are trained as one stack, and which by themselves.

    A GPU waits for a small network, not for a stack of them. On a CPU, in half precision, compiled,
    or where the network is none that can be stacked, each run is trained by itself.

    Args:
        specs: of the runs; they differ in the seed alone.
        device: where to train.
        alone: seeds below this number are trained by themselves all the same, for their seconds.
    """
    one, numerics = specs[0], specs[0].numerics
    fit = device.type != "cpu" and numerics.precision == "float32" and not numerics.compile
    if not fit or not can_be_stacked(untrained(one)):
        return [[spec] for spec in specs]
    together = [spec for spec in specs if spec.run.seed >= alone]
    by_itself = [[spec] for spec in specs if spec.run.seed < alone]
    return [*by_itself, together] if together else by_itself


def run_training(
    specs: Mapping[Path, TrainingSpec],
    data: TrainingData,
    *,
    made_by: Mapping[str, Any],
    stop_after: int | None = None,
    in_pass: DeepFoolSettings | None = None,
    begin: Callable[[TrainingSpec], TrainingState | None] = lambda spec: None,
) -> dict[Path, TrainingState]:
    """Train as one stack, or go on from the last epoch that a job that was killed had done.

    Args:
        specs: what to train and how, by the record that will be written last of each; its
            checkpoint lies beside it.
        data: what to train on.
        made_by: what `environment` says; work done under another one is not gone on with.
        stop_after: the epoch to stop after, see `train_together`.
        in_pass: how distances are measured in that epoch's pass, see `train_together`.
        begin: is asked for the state to begin with where there is none to go on from; None is
            that before the first epoch.

    Returns:
        the state of each at its end, by its record.
    """
    in_pass_settings = dataclasses.asdict(in_pass) if in_pass else None
    members, begun = {}, []
    for record, spec in specs.items():
        checkpoint = checkpoint_of(record)
        key = digest([spec.to_dict(), stop_after, in_pass_settings, data.sha256, made_by])
        state = resume(checkpoint, spec, data.examples, key)
        if state is None:
            state = begin(spec) or start(spec, data.examples)
            begun.append(state)
        members[record] = Member(spec, state, partial(save_checkpoint, checkpoint, key=key))
    for state in begun:  # those that go on stay in the stack that they began in
        state.stacked = max(state.stacked, len(begun))
    train_together(
        list(members.values()),
        data.examples,
        validation=data.test,
        stop_after=stop_after,
        in_pass=in_pass,
    )
    return {record: member.state for record, member in members.items()}


def about_training(
    spec: TrainingSpec | StartSpec,
    data: TrainingData,
    state: TrainingState,
    made_by: Mapping[str, Any],
) -> dict[str, Any]:
    """What every record of a training job says."""
    return {
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "dataset_sha256": data.sha256,
        "stacked": state.stacked,
        "provenance": provenance(made_by, state.started),
    }

"""One training as a job does it: resumably, whatever is made of its end."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from advprune.data.examples import Examples, load_examples
from advprune.machine.provenance import provenance
from advprune.paths import checkpoint_of
from advprune.spec.specification import DeepFoolSettings, StartSpec, TrainingSpec
from advprune.storage.files import digest, sha256_of
from advprune.training.algorithm import train
from advprune.training.checkpoints import resume, save_checkpoint
from advprune.training.state import TrainingState, start


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


def run_training(
    spec: TrainingSpec,
    data: TrainingData,
    *,
    record: Path,
    made_by: Mapping[str, Any],
    stop_after: int | None = None,
    in_pass: DeepFoolSettings | None = None,
    begin: Callable[[], TrainingState | None] = lambda: None,
) -> TrainingState:
    """Train, or go on from the last epoch that a job that was killed had done.

    Args:
        spec: what to train and how.
        data: what to train on.
        record: the record that will be written last; the checkpoint lies beside it.
        made_by: what `environment` says; work done under another one is not gone on with.
        stop_after: the epoch to stop after, see `train`.
        in_pass: how distances are measured in that epoch's pass, see `train`.
        begin: is asked for the state to begin with where there is none to go on from; None is
            that before the first epoch.
    """
    checkpoint = checkpoint_of(record)
    in_pass_settings = dataclasses.asdict(in_pass) if in_pass else None
    key = digest([spec.to_dict(), stop_after, in_pass_settings, data.sha256, made_by])
    state = resume(checkpoint, spec, data.examples, key)
    return train(
        spec,
        data.examples,
        validation=data.test,
        state=state or begin() or start(spec, data.examples),
        save=lambda state: save_checkpoint(checkpoint, state, key),
        stop_after=stop_after,
        in_pass=in_pass,
    )


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
        "provenance": provenance(made_by, state.started),
    }

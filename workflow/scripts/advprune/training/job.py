"""A training job: from a specification and the data set's file to a trained state, resumably."""

import dataclasses
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from advprune.data.examples import Examples, load_examples
from advprune.machine.provenance import provenance
from advprune.paths import checkpoint_of
from advprune.spec.specification import DeepFoolSettings, ScoreSpec, TrainingSpec
from advprune.storage.files import digest, sha256_of
from advprune.storage.tensors import atomic_write_tensors
from advprune.training.algorithm import train
from advprune.training.checkpoints import save_checkpoint, start_or_resume
from advprune.training.state import TrainingState


def run_training(
    spec: TrainingSpec,
    dataset: Path,
    *,
    record: Path,
    device: torch.device,
    made_by: Mapping[str, Any],
    stop_after: int | None = None,
    in_pass: DeepFoolSettings | None = None,
) -> tuple[TrainingState, Examples]:
    """Train, or go on from the last epoch that a job that was killed had done.

    Args:
        spec: what to train and how.
        dataset: the data set's file.
        record: the record that will be written last; the checkpoint lies beside it.
        device: where to train.
        made_by: what `environment` says; work done under another one is not gone on with.
        stop_after: the epoch to stop after, see `train`.
        in_pass: how distances are measured in that epoch's pass, see `train`.

    Returns:
        the state at the end, and the training set, on the device.
    """
    load = partial(load_examples, dataset, spec.run.dataset)
    examples = load("train").first(spec.train_examples).to(device)
    test = load("test").to(device) if spec.early_stopping else None
    checkpoint = checkpoint_of(record)
    in_pass_settings = dataclasses.asdict(in_pass) if in_pass else None
    key = digest([spec.to_dict(), stop_after, in_pass_settings, sha256_of(dataset), made_by])
    state = start_or_resume(checkpoint, spec, examples, key)
    train(
        spec,
        examples,
        validation=test,
        state=state,
        after_epoch=lambda state: save_checkpoint(checkpoint, state, key),
        stop_after=stop_after,
        in_pass=in_pass,
    )
    return state, examples


def write_pruning(path: Path, state: TrainingState, examples: Examples) -> None:
    """Write of each example whether it was kept, what it was pruned by, and its class.

    The tensors are ``kept`` and ``label`` (uint8, as labels are in every data set), and where they
    are known ``distance`` and ``converged``, as in `TrainingState`.
    """
    kept = torch.zeros(len(examples), dtype=torch.uint8)
    kept[state.kept] = 1
    tensors = {"kept": kept, "label": examples.labels.cpu().to(torch.uint8)}
    for name in ("distance", "converged"):
        if (values := getattr(state, name)) is not None:
            tensors[name] = torch.from_numpy(values)
    with atomic_write_tensors(path) as temporary:
        save_file(tensors, temporary)


def about_training(
    spec: TrainingSpec | ScoreSpec, dataset: Path, state: TrainingState, made_by: Mapping[str, Any]
) -> dict[str, Any]:
    """What every record of a training job says."""
    return {
        "spec": spec.to_dict(),
        "spec_digest": spec.digest,
        "dataset_sha256": sha256_of(dataset),
        "provenance": provenance(made_by, state.started),
    }

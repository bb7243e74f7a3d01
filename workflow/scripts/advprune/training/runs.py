"""The runs of a block: each trained, and its files written, if it is not there already."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from advprune.data.examples import Examples
from advprune.networks.weights import save_weights
from advprune.spec.specification import TrainingSpec
from advprune.storage.files import sha256_of, write_csv
from advprune.storage.locking import turns_at
from advprune.storage.records import is_as_asked_for, write_record
from advprune.storage.tensors import atomic_write_tensors
from advprune.training.job import (
    TrainingData,
    about_training,
    load_data,
    run_training,
    stacks,
)
from advprune.training.starts import begin_from
from advprune.training.state import TrainingState

log = logging.getLogger(__name__)


def train_runs(
    specs: Sequence[TrainingSpec],
    dataset: Path,
    *,
    runs: Path,
    starts: Path | None,
    device: torch.device,
    made_by: Mapping[str, Any],
    alone: int = 0,
) -> list[Path]:
    """Train the runs of a cell, but for those that are there already.

    Args:
        specs: of each run; they differ in the seed alone.
        dataset: the data set's file.
        runs: the folder of all runs, where each has its own.
        starts: that of all starts, which runs go on from; None if each is to begin by itself.
        device: where to train.
        made_by: what `environment` says; work done under another one is not gone on with.
        alone: see `job.stacks`.

    Returns:
        the records of all of them.
    """
    data = load_data(specs[0], dataset, device)

    def record_of(spec: TrainingSpec) -> Path:
        return runs / spec.run.folder / "run.json"

    for together in stacks(specs, device, alone=alone):
        with turns_at(map(record_of, together)):
            missing = {}
            for spec in together:
                if is_as_asked_for(record_of(spec), spec.to_dict(), dataset_sha256=data.sha256):
                    log.info("%s is there", spec.run)
                else:
                    missing[record_of(spec)] = spec
            if not missing:
                continue
            log.info("%s", ", ".join(map(str, [spec.run for spec in missing.values()])))
            states = run_training(
                missing,
                data,
                made_by=made_by,
                begin=lambda spec: begin_from(starts, spec, data, made_by),
            )
            for record, state in states.items():
                write_run(record, missing[record], data, state, made_by)
    return [record_of(spec) for spec in specs]


def write_run(
    record: Path,
    spec: TrainingSpec,
    data: TrainingData,
    state: TrainingState,
    made_by: Mapping[str, Any],
) -> None:
    """Write the files of a trained run, the record last.

    The last checkpoint stays until the run is evaluated: a run that is lost before is not trained
    again.
    """
    model, curve, pruning = (
        record.with_name(name)
        for name in ("model.safetensors", "training.csv", "pruning.safetensors")
    )
    save_weights(model, state.classifier)
    write_pruning(pruning, state, data.examples)
    write_csv(curve, [dataclasses.asdict(epoch) for epoch in state.curve])
    write_record(
        record,
        {
            **about_training(spec, data, state, made_by),
            "seconds": state.stopwatch.seconds,
            "train_examples": len(data.examples),
            "kept_examples": len(state.kept),
            "diverged_epoch": state.diverged_epoch,
            "stopped_epoch": state.validation.stopped_epoch,
            "model_sha256": sha256_of(model),
        },
        [model, pruning, curve],
    )


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

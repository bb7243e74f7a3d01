"""Starts: what the runs of a seed have in common until data are pruned, done once for all of them.

A start is the training on all data up to the end of an epoch, and every example's loss and distance
then. Its state is the checkpoint beside its record. It may be deleted: whoever needs it next trains
it again.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from advprune.data.examples import Examples
from advprune.machine.provenance import source_digest
from advprune.machine.stopwatch import Stopwatch
from advprune.networks.weights import save_weights
from advprune.paths import PROGRAMS
from advprune.spec.runs import Start
from advprune.spec.specification import AFTER_PASS, IN_PASS, StartSpec, TrainingSpec
from advprune.storage.locking import turn_at, turns_at
from advprune.storage.records import (
    REDUCED_FROM,
    check_file,
    is_as_asked_for,
    read_record,
    write_record,
)
from advprune.storage.tensors import atomic_write_tensors
from advprune.training.algorithm import attack_for_scoring
from advprune.training.deepfool import DeepFoolResult
from advprune.training.job import (
    TrainingData,
    about_training,
    load_data,
    run_training,
    stacks,
)
from advprune.training.scoring import Scores, deepfool_all, loss_of_all
from advprune.training.state import TrainingState

log = logging.getLogger(__name__)
PROGRAM = PROGRAMS / "start.py"


def make_starts(
    specs: Sequence[StartSpec],
    dataset: Path,
    *,
    starts: Path,
    device: torch.device,
    made_by: Mapping[str, Any],
    alone: int = 0,
) -> list[Path]:
    """Make starts, but for those that are there already.

    Args:
        specs: of each start; they differ in the seed alone.
        dataset: the data set's file.
        starts: the folder of all starts, where each has its own.
        device: where to train and score.
        made_by: what `environment` says; work done under another one is not gone on with.
        alone: see `job.stacks`.

    Returns:
        the records of all of them.
    """
    data = load_data(specs[0].training, dataset, device)
    by_record = {starts / spec.start.folder / "start.json": spec for spec in specs}
    record_of = {spec.training.run.seed: record for record, spec in by_record.items()}
    for trained in stacks([spec.training for spec in specs], device, alone=alone):
        together = [record_of[spec.run.seed] for spec in trained]
        with turns_at(together):
            missing = {}
            for record in together:
                spec = by_record[record]
                if is_as_asked_for(record, spec.to_dict(), dataset_sha256=data.sha256):
                    log.info("the start %s is there", spec.start.folder)
                else:
                    missing[record] = spec
            if not missing:
                continue
            log.info(
                "the starts %s", ", ".join(str(each.start.folder) for each in missing.values())
            )
            for record, state in trained_starts(missing, data, made_by).items():
                scores = measure(missing[record], state, data.examples)
                write_start(record, missing[record], data, state, scores, made_by)
    return list(by_record)


def trained_starts(
    specs: Mapping[Path, StartSpec], data: TrainingData, made_by: Mapping[str, Any]
) -> dict[Path, TrainingState]:
    """The states of starts at their end, by their records: as a job has left them, or trained."""
    spec = next(iter(specs.values()))
    return run_training(
        {record: each.training for record, each in specs.items()},
        data,
        made_by=made_by,
        stop_after=spec.epoch,
        in_pass=spec.deepfool if IN_PASS in spec.distances else None,
    )


def measure(spec: StartSpec, state: TrainingState, examples: Examples) -> Scores:
    """Every example's scores at the end of a start, in the ways that are asked for."""
    watch = Stopwatch(examples.device)

    def attack() -> dict[str, Any]:
        # Each of them draws the delta that it would draw if it were measured alone.
        return attack_for_scoring(spec.training, spec.epoch, examples)

    losses, distances = {}, {}
    if IN_PASS in spec.losses:
        losses[IN_PASS] = state.losses
    if AFTER_PASS in spec.losses:
        with watch.time(f"loss {AFTER_PASS}"):
            losses[AFTER_PASS] = loss_of_all(state.classifier, examples, **attack())
    if IN_PASS in spec.distances:
        distances[IN_PASS] = state.distances
        watch.seconds[f"deepfool {IN_PASS}"] = state.stopwatch.seconds.pop("scoring")
    if AFTER_PASS in spec.distances:
        with watch.time(f"deepfool {AFTER_PASS}"):
            found = deepfool_all(state.classifier, examples, spec.deepfool, **attack())
            distances[AFTER_PASS] = found
    return Scores(losses, distances, watch.seconds)


def write_start(
    record: Path,
    spec: StartSpec,
    data: TrainingData,
    state: TrainingState,
    scores: Scores,
    made_by: Mapping[str, Any],
) -> None:
    """Write the files of a start, the record last.

    The scores' tensors are ``label``, and for each way ``loss.<way>``, ``distance.<way>``,
    ``converged.<way>`` (uint8) and ``iterations.<way>``.
    """
    tensors = {"label": data.examples.labels}
    tensors |= {f"loss.{way}": values for way, values in scores.losses.items()}
    for way, found in scores.distances.items():
        tensors |= {
            f"distance.{way}": found.distance,
            f"converged.{way}": found.converged.to(torch.uint8),
            f"iterations.{way}": found.iterations,
        }
    files = [record.with_name(name) for name in ("scores.safetensors", "model.safetensors")]
    with atomic_write_tensors(files[0]) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, temporary)
    save_weights(files[1], state.classifier)
    write_record(
        record,
        {
            **about_training(spec, data, state, made_by),
            "seconds": state.stopwatch.seconds,
            "scoring_seconds": scores.seconds,
        },
        files,
    )


def read_scores(record: Path, content: Mapping[str, Any]) -> Scores:
    """What `write_start` wrote of the examples.

    Args:
        record: the start's.
        content: what `read_record` found there.

    Raises:
        UserError: the file is missing, or is not what was written.
    """
    tensors = load_file(check_file(record, content, "scores.safetensors"))
    spec = StartSpec.from_dict(content["spec"])
    distances = {
        way: DeepFoolResult(
            distance=tensors[f"distance.{way}"],
            converged=tensors[f"converged.{way}"].bool(),
            iterations=tensors[f"iterations.{way}"],
        )
        for way in spec.distances
    }
    losses = {way: tensors[f"loss.{way}"] for way in spec.losses}
    return Scores(losses, distances, content["scoring_seconds"])


def begin_from(
    starts: Path | None, spec: TrainingSpec, data: TrainingData, made_by: Mapping[str, Any]
) -> TrainingState | None:
    """The state that a run goes on from, at the end of its start; None if it begins by itself.

    It does so where there is no start, or one that is not the run's own beginning bit for bit: of
    another specification or data set, or made by other code or elsewhere; or one that is published,
    with the scores alone that figures show.

    Args:
        starts: the folder of all starts; None if there are none.
        spec: the run's.
        data: what it trains on.
        made_by: what `environment` says of the job that asks.

    Raises:
        UserError: the start is damaged.
    """
    start = Start(spec.run.dataset, spec.run.e, spec.run.seed)
    record = starts and starts / start.folder / "start.json"
    if not (spec.shares_start and record and record.exists()):
        return None
    content = read_record(record)
    begun = StartSpec.from_dict(content["spec"])
    here = made_by | {"source": source_digest(PROGRAM)}
    fits = (
        REDUCED_FROM not in content
        and begun.training == spec.on_all_data()
        and content["dataset_sha256"] == data.sha256
        and all(content["provenance"].get(name) == value for name, value in here.items())
    )
    if not fits:
        log.info(
            "the start %s was published, or made otherwise or elsewhere: not used", start.folder
        )
        return None
    with turn_at(record):
        state = trained_starts({record: begun}, data, here)[record]
    # The distances that were measured in the pass count for the runs that are pruned by them.
    state.stopwatch.seconds.pop("scoring", None)
    state.scores = read_scores(record, content)
    return state

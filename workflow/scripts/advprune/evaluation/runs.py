"""The runs of a block: each evaluated, if it is not evaluated already."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from advprune.errors import UserError
from advprune.evaluation.job import Outputs, Subject, run_evaluation
from advprune.evaluation.outcome import in_words
from advprune.machine.provenance import now
from advprune.paths import checkpoint_of
from advprune.spec.specification import EvaluationSpec
from advprune.storage.files import sha256_of
from advprune.storage.locking import turn_at
from advprune.storage.records import is_as_asked_for, read_record

log = logging.getLogger(__name__)


def evaluate_runs(
    folders: Sequence[Path],
    spec: EvaluationSpec,
    dataset: Path,
    *,
    device: torch.device,
    made_by: Mapping[str, Any],
) -> list[Path]:
    """Evaluate trained runs one after the other, but for those that are evaluated already.

    What was found is printed, a line a run.

    Args:
        folders: of the runs, as `training.runs` leaves them.
        spec: how to evaluate them.
        dataset: the data set's file.
        device: where to work.
        made_by: what `environment` says; work done under another one is not gone on with.

    Returns:
        the records of all evaluations.

    Raises:
        UserError: a network is missing, or is not the one that its record describes.
    """
    records = [folder / "evaluation.json" for folder in folders]
    data = sha256_of(dataset)
    for folder, record in zip(folders, records, strict=True):
        with turn_at(record):
            trained = read_record(folder / "run.json")
            # The training is recorded: its checkpoint is not asked for any more.
            checkpoint_of(folder / "run.json").unlink(missing_ok=True)
            made_from = {"model_sha256": trained["model_sha256"], "dataset_sha256": data}
            if is_as_asked_for(record, spec.to_dict(), **made_from):
                log.info("%s is there", record)
                continue
            log.info("%s", folder)
            outputs = Outputs(folder / "evaluation.csv", folder / "verdicts.csv", record)
            found = run_evaluation(
                subject_of(folder, trained, dataset),
                spec,
                outputs,
                device=device,
                made_by=made_by,
                started=now(),
            )
            print(f"{folder}: {in_words(found)}", flush=True)
    return records


def subject_of(folder: Path, trained: Mapping[str, Any], dataset: Path) -> Subject:
    """The network of a trained run.

    Args:
        folder: of the run.
        trained: its record.
        dataset: the data set's file.

    Raises:
        UserError: it is missing, or is not the one that the record describes.
    """
    model, record = folder / "model.safetensors", folder / "run.json"
    if not model.exists():
        raise UserError(
            f"{model} was deleted and is needed: delete {record} too and run again, both will be "
            "made anew"
        )
    if trained["model_sha256"] != sha256_of(model):
        raise UserError(
            f"{model} is not the network that {record} describes: delete {record} and run again, "
            "both will be made anew"
        )
    spec = trained["spec"]
    return Subject(
        model=model,
        network=spec["network"],
        width=spec["width"],
        normalise=spec["normalise"],
        dataset=dataset,
        dataset_name=spec["run"]["dataset"],
        must_be_finite=False,  # a run that diverged is a result too
    )

"""The runs of a block: each evaluated, if it is not evaluated already."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from advprune.errors import UserError
from advprune.evaluation.job import Outputs, Subject, open_evaluation, run_evaluation
from advprune.evaluation.outcome import in_words
from advprune.evaluation.phases import attack_together
from advprune.machine.provenance import now
from advprune.networks.classifier import build_classifier
from advprune.networks.stack import can_be_stacked
from advprune.paths import checkpoint_of
from advprune.spec.datasets import DATASETS
from advprune.spec.specification import EvaluationSpec, TrainingSpec
from advprune.storage.files import sha256_of
from advprune.storage.locking import turns_at
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
    """Evaluate the trained runs of a block, but for those that are evaluated already.

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
    data = sha256_of(dataset)
    for together in stacks(folders, device):
        with turns_at(map(record_of, together)):
            opened = {
                folder: open_evaluation(
                    subject_of(folder, trained, dataset),
                    spec,
                    record_of(folder),
                    device=device,
                    made_by=made_by,
                )
                for folder, trained in _unevaluated(together, spec, data)
            }
            started = now()
            if len(opened) > 1:
                networks = [each.classifier for each in opened.values()]
                progresses = [each.progress for each in opened.values()]
                attack_together(networks, next(iter(opened.values())).test, spec, progresses)
            for folder, each in opened.items():
                log.info("%s", folder)
                outputs = Outputs(
                    folder / "evaluation.csv", folder / "verdicts.csv", record_of(folder)
                )
                found = run_evaluation(each, spec, outputs, made_by=made_by, started=started)
                print(f"{folder}: {in_words(found)}", flush=True)
                started = now()
    return [record_of(folder) for folder in folders]


def record_of(folder: Path) -> Path:
    """The record of a run's evaluation."""
    return folder / "evaluation.json"


def _unevaluated(
    folders: Sequence[Path], spec: EvaluationSpec, dataset_sha256: str
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The runs that are not evaluated, with the records of their training."""
    for folder in folders:
        trained = read_record(folder / "run.json")
        # The training is recorded: its checkpoint is not asked for any more.
        checkpoint_of(folder / "run.json").unlink(missing_ok=True)
        made_from = {"model_sha256": trained["model_sha256"], "dataset_sha256": dataset_sha256}
        if is_as_asked_for(record_of(folder), spec.to_dict(), **made_from):
            log.info("%s is there", record_of(folder))
        else:
            yield folder, trained


def stacks(folders: Sequence[Path], device: torch.device) -> list[list[Path]]:
    """Which runs are attacked together, as far as attacks can, and which one after the other.

    Their networks are of one architecture. A GPU waits for a small one, not for a stack of them.

    Args:
        folders: of the runs.
        device: where to work.
    """
    if device.type == "cpu":
        return [[folder] for folder in folders]
    trained = TrainingSpec.from_dict(read_record(folders[0] / "run.json")["spec"])
    network = build_classifier(
        trained.network,
        width=trained.width,
        **DATASETS[trained.run.dataset].architecture(normalise=trained.normalise),
        seed=0,
    )
    return [list(folders)] if can_be_stacked(network) else [[folder] for folder in folders]


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

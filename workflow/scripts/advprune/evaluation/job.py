"""An evaluation job: from a network's weights to the files with what was found, resumably."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from advprune.data.examples import load_examples
from advprune.evaluation.checkpoints import restore_progress
from advprune.evaluation.outcome import Evaluation, accuracies, notes, verdicts
from advprune.evaluation.phases import evaluate
from advprune.machine.provenance import provenance
from advprune.networks.weights import read_classifier
from advprune.paths import checkpoint_of
from advprune.spec.datasets import DATASETS
from advprune.spec.specification import EvaluationSpec
from advprune.storage.files import digest, sha256_of, write_csv
from advprune.storage.records import write_record


@dataclass(frozen=True)
class Subject:
    """The network that is evaluated.

    Attributes:
        model: the file with its weights.
        network: a name in `spec.networks.NETWORKS`.
        width: the factor on its number of filters.
        normalise: whether it normalises its input by the data set's mean and deviation.
        dataset: the data set's file.
        dataset_name: a name in `spec.datasets.DATASETS`.
        must_be_finite: whether it is refused if a weight is NaN or infinite.
    """

    model: Path
    network: str
    width: float
    normalise: bool
    dataset: Path
    dataset_name: str
    must_be_finite: bool = True


@dataclass(frozen=True)
class Outputs:
    """The files that are written: a row of accuracies, a row an image, and the record, last."""

    accuracies: Path
    verdicts: Path
    record: Path


def run_evaluation(
    subject: Subject,
    spec: EvaluationSpec,
    outputs: Outputs,
    *,
    device: torch.device,
    made_by: Mapping[str, Any],
    started: datetime.datetime,
) -> Evaluation:
    """Evaluate, or go on from the last phase that a job that was killed had done.

    Nothing but the outputs is left when it is done.

    Args:
        subject: the network.
        spec: how to evaluate it.
        outputs: where to write.
        device: where to work.
        made_by: what `environment` says; work done under another one is not gone on with.
        started: when the work was begun.

    Returns:
        what was found, as it is written.

    Raises:
        UserError: the weights or the data set cannot be used.
    """
    classifier = read_classifier(
        subject.model,
        subject.network,
        width=subject.width,
        must_be_finite=subject.must_be_finite,
        **DATASETS[subject.dataset_name].architecture(normalise=subject.normalise),
    ).to(device)
    test = load_examples(subject.dataset, subject.dataset_name, "test").to(device)
    made_from = {
        "model_sha256": sha256_of(subject.model),
        "dataset_sha256": sha256_of(subject.dataset),
    }
    about = {
        "dataset": subject.dataset_name,
        "network": subject.network,
        "width": subject.width,
        "normalise": subject.normalise,
    }
    key = digest([spec.to_dict(), made_from, made_by, about])
    checkpoint = checkpoint_of(outputs.record)
    progress = restore_progress(checkpoint, key)
    result = evaluate(classifier, test, spec, progress)

    write_csv(outputs.accuracies, [accuracies(result)])
    write_csv(outputs.verdicts, verdicts(result, test))
    write_record(
        outputs.record,
        {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "subject": about,
            **made_from,
            "seconds": result.seconds,
            "warnings": result.warnings,
            "notes": notes(result.prediction),
            "provenance": provenance(made_by, started),
        },
        [outputs.accuracies, outputs.verdicts],
    )
    checkpoint.unlink(missing_ok=True)
    return result

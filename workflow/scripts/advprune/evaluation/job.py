"""An evaluation job: from a network's weights to the files with what was found, resumably."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from advprune.data.examples import Examples, load_examples
from advprune.evaluation.checkpoints import restore_progress
from advprune.evaluation.outcome import Evaluation, accuracies, notes, verdicts
from advprune.evaluation.phases import Progress, evaluate
from advprune.machine.provenance import provenance
from advprune.networks.classifier import Classifier
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


@dataclass(frozen=True)
class Opened:
    """An evaluation that has been begun, or is gone on with.

    Attributes:
        classifier: the network, on the device to work on.
        test: the test set, there too.
        progress: what has been found so far.
        about: the network, as the record describes it.
        made_from: the hashes of its weights and of the data set.
        checkpoint: where progress is saved.
    """

    classifier: Classifier
    test: Examples
    progress: Progress
    about: Mapping[str, Any]
    made_from: Mapping[str, str]
    checkpoint: Path


def open_evaluation(
    subject: Subject,
    spec: EvaluationSpec,
    record: Path,
    *,
    device: torch.device,
    made_by: Mapping[str, Any],
) -> Opened:
    """Read the network, and what a job that was killed has found of it.

    Args:
        subject: the network.
        spec: how to evaluate it.
        record: that will be written last; the checkpoint lies beside it.
        device: where to work.
        made_by: what `environment` says; work done under another one is not gone on with.

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
    checkpoint = checkpoint_of(record)
    progress = restore_progress(checkpoint, key)
    return Opened(classifier, test, progress, about, made_from, checkpoint)


def run_evaluation(
    opened: Opened,
    spec: EvaluationSpec,
    outputs: Outputs,
    *,
    made_by: Mapping[str, Any],
    started: datetime.datetime,
) -> Evaluation:
    """Evaluate, or go on from the last phase that was done; write what was found.

    Nothing but the outputs is left when it is done.

    Args:
        opened: what `open_evaluation` gave.
        spec: how to evaluate it.
        outputs: where to write.
        made_by: what `environment` says.
        started: when the work was begun.

    Returns:
        what was found, as it is written.
    """
    result = evaluate(opened.classifier, opened.test, spec, opened.progress)

    write_csv(outputs.accuracies, [accuracies(result)])
    write_csv(outputs.verdicts, verdicts(result, opened.test))
    write_record(
        outputs.record,
        {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "subject": opened.about,
            **opened.made_from,
            "seconds": result.seconds,
            "stacked": opened.progress.stacked,
            "warnings": result.warnings,
            "notes": notes(result.prediction),
            "provenance": provenance(made_by, started),
        },
        [outputs.accuracies, outputs.verdicts],
    )
    opened.checkpoint.unlink(missing_ok=True)
    return result

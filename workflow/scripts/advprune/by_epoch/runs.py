"""The runs of a block, each trained once more by its own specification and attacked as it goes.

Networks of single epochs are kept nowhere. Training again costs less than storing them would, and
shows by the way whether it ends as it did.
"""

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from advprune.by_epoch.spec import ByEpochSpec
from advprune.data.examples import Examples, load_examples
from advprune.data.subset import balanced_order
from advprune.evaluation.phases import predict
from advprune.evaluation.single_attacks import withstand
from advprune.machine.devices import tf32
from advprune.machine.provenance import now, provenance
from advprune.spec.specification import TrainingSpec
from advprune.storage.files import write_csv
from advprune.storage.locking import turns_at
from advprune.storage.records import check_file, is_as_asked_for, read_record, write_record
from advprune.training.algorithm import train
from advprune.training.early_stopping import robust_share
from advprune.training.job import load_data
from advprune.training.state import TrainingState, generator_for

log = logging.getLogger(__name__)


def attack_runs_by_epoch(
    folders: Sequence[Path],
    spec: ByEpochSpec,
    dataset: Path,
    *,
    device: torch.device,
    made_by: Mapping[str, Any],
) -> list[Path]:
    """Train runs once more and attack them after every epoch, but for those where that is done.

    A run that is interrupted is begun anew.

    Args:
        folders: of the runs, as `training.runs` leaves them.
        spec: what to attack them with.
        dataset: the data set's file.
        device: where to work.
        made_by: what `environment` says.

    Returns:
        the records of all of them.

    Raises:
        UserError: a run's record is missing or damaged.
    """
    records = []
    for folder in folders:
        record = folder / "by_epoch.json"
        records.append(record)
        trained = read_record(folder / "run.json")
        made_from = {
            "trained_spec_digest": trained["spec_digest"],
            "dataset_sha256": trained["dataset_sha256"],
        }
        with turns_at([record]):
            if is_as_asked_for(record, spec.to_dict(), **made_from):
                log.info("%s is there", record)
                continue
            log.info("%s", folder)
            started = now()
            rows = attack_by_epoch(TrainingSpec.from_dict(trained["spec"]), spec, dataset, device)
            table = folder / "by_epoch.csv"
            write_csv(table, rows)
            losses = [row["loss"] for row in rows], losses_of(folder, trained)
            content = {
                "spec": spec.to_dict(),
                "spec_digest": spec.digest,
                **made_from,
                "as_trained": np.array_equal(*losses, equal_nan=True),  # NaN where it diverged
                "provenance": provenance(made_by, started),
            }
            write_record(record, content, [table])
    return records


def attack_by_epoch(
    training: TrainingSpec, spec: ByEpochSpec, dataset: Path, device: torch.device
) -> list[dict[str, float]]:
    """Train a run and attack it after every epoch.

    Args:
        training: how the run is trained.
        spec: what to attack it with.
        dataset: the data set's file.
        device: where to work.

    Returns:
        a row an epoch: ``epoch``, from 1; ``loss``, as in the training curve; and in percent of the
        attacked images ``natural_accuracy``, ``pgd_accuracy`` and ``<name>_accuracy`` of each
        attack that is run alone.
    """
    data = load_data(training, dataset, device)
    test = load_examples(dataset, training.run.dataset, "test").to(device)
    order = torch.from_numpy(balanced_order(test.labels.cpu().numpy(), spec.evaluation.seed))
    attacked = test.take(order[: spec.evaluation.single_attack_examples].to(device))
    rows: list[dict[str, float]] = []

    def look(state: TrainingState) -> None:
        if len(state.curve) > len(rows):  # it is also called after pruning
            found = {"epoch": state.epoch, "loss": state.curve[-1].loss}
            rows.append(found | accuracies_of(state, training, spec, attacked))
            log.info("%s", ", ".join(f"{name} {value:.6g}" for name, value in rows[-1].items()))

    train(training, data.examples, validation=data.test, save=look)
    return rows


@tf32(False)
def accuracies_of(
    state: TrainingState, training: TrainingSpec, spec: ByEpochSpec, attacked: Examples
) -> dict[str, float]:
    """The accuracies of a network at the end of an epoch, in percent.

    Args:
        state: of the run; its network is put in evaluation mode and left there, as by early
            stopping.
        training: how the run is trained.
        spec: what to attack it with.
        attacked: the images.
    """
    network = state.classifier.eval()
    images, labels = attacked.batch(slice(None))
    correct = predict(network, attacked) == labels
    shares = {
        "natural": correct.double().mean().item(),
        "pgd": robust_share(
            network,
            attacked,
            epsilon=spec.evaluation.epsilon,
            steps=spec.steps,
            generator=generator_for(training, "validation", state.epoch, attacked.device),
        ),
    }
    for name in spec.evaluation.attacks:
        still = withstand(name, network, images, labels, correct, spec.evaluation)
        shares[name] = still.double().mean().item()
    return {f"{name}_accuracy": 100 * share for name, share in shares.items()}


def losses_of(folder: Path, trained: Mapping[str, Any]) -> list[float]:
    """The loss of every epoch of the run as it was trained first."""
    path = check_file(folder / "run.json", trained, "training.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]

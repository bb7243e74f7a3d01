"""What early stopping's own attack leaves of a network, in the table of runs."""

import copy

import pandas as pd
import pytest
from workflow_tools import PROJECT

from advprune.analysis.run_table import collect_runs
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.storage.files import sha256_of
from advprune.storage.records import write_record

MADE_WITH = {
    **{"source": "0123456789abcdef", "device": "cpu", "processor": "x86_64", "threads": 1},
    "packages": {"torch": "2.0"},
}


def accuracy_of(tmp_path, epochs, *, stopped_epoch=None, enabled=True):
    """The accuracy that the table has of a run whose epochs ended with these shares."""
    config = copy.deepcopy(load_config(PROJECT / "config/smoke.yaml"))
    config["early_stopping"]["enabled"] = enabled
    experiment = {"methods": ["random"], "p": [1.0], "e": [1], "seeds": 1}
    config["studies"]["mnist"]["experiments"]["table1"] = experiment
    (run,) = runs_of("table1", config)
    place = tmp_path / run.folder
    place.mkdir(parents=True)
    (place / "model.safetensors").write_text("the network")
    pd.DataFrame({"epoch": range(len(epochs)), "validation_accuracy": epochs}).to_csv(
        place / "training.csv", index=False
    )
    (place / "evaluation.csv").write_text("natural_accuracy\n97.0\n")
    (place / "verdicts.csv").write_text("index\n0\n")
    about = {"model_sha256": sha256_of(place / "model.safetensors"), "dataset_sha256": "abcdef"}
    about |= {"provenance": MADE_WITH, "seconds": {"training": 1.0}}
    training, evaluation = training_spec(run, config), evaluation_spec(run, config)
    of_training = {"train_examples": 5, "kept_examples": 5, "diverged_epoch": None}
    write_record(
        place / "run.json",
        {"spec": training.to_dict(), "spec_digest": training.digest, **about, **of_training}
        | {"stopped_epoch": stopped_epoch},
        [place / "model.safetensors", place / "training.csv"],
    )
    write_record(
        place / "evaluation.json",
        {"spec": evaluation.to_dict(), "spec_digest": evaluation.digest, **about},
        [place / "evaluation.csv", place / "verdicts.csv"],
    )
    return collect_runs("table1", config, tmp_path)["validation_accuracy"].item()


def test_a_network_that_was_not_stopped_is_that_of_the_last_epoch(tmp_path):
    assert accuracy_of(tmp_path, [0.25, 0.75, 0.5]) == 50


def test_a_network_that_was_stopped_is_that_of_the_best_epoch(tmp_path):
    assert accuracy_of(tmp_path, [0.25, 0.75, 0.5], stopped_epoch=3) == 75


def test_without_early_stopping_there_is_none(tmp_path):
    assert pd.isna(accuracy_of(tmp_path, [None, None], enabled=False))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_it_is_in_percent(tmp_path, share):
    assert accuracy_of(tmp_path, [share]) == 100 * share

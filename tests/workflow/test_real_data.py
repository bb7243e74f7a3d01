"""The full data sets through the whole pipeline, with the laptop's config cut to two epochs."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import yaml
from workflow_tools import copy_project, run_snakemake

DATA = os.environ.get("ADVPRUNE_DATA", "")

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.workflow,
    pytest.mark.skipif(
        not Path(DATA, "MNIST").is_dir() or not DATA,
        reason="the environment variable ADVPRUNE_DATA names no folder with the data",
    ),
]

RUNS = {"mnist": 60_000, "cifar10": 50_000}
ONE_RUN = {"methods": ["low-loss"], "p": [0.6], "seeds": 1}
# After epoch 1 no distances are measured: no method prunes by them, and the figures show epoch 2.
SHORTER = {
    "scale": "shorter",
    "studies": {
        "mnist": {
            "training": {"epochs": 2},
            "evaluation": {"autoattack_examples": 4, "single_attack_examples": 8},
            "experiments": {"pruning_epoch": {"e": [1]}, "accuracy": ONE_RUN, "table1": ONE_RUN},
            "scores": {"epoch": 2},
        },
        "cifar10": {
            "training": {"epochs": 2, "width": 0.125, "batch_size": 500},
            "evaluation": {"autoattack_examples": 2, "single_attack_examples": 4},
            "experiments": {"accuracy": ONE_RUN},
            "scores": {"epoch": 2},
        },
    },
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Where a pruned run of each full data set has been trained and evaluated."""
    project = copy_project(tmp_path_factory.mktemp("real") / "project")
    overlay = project / "shorter.yaml"
    overlay.write_text(yaml.safe_dump(SHORTER))
    paths = {name: f"results/shorter/runs/{name}/low-loss/p0.6/e1/seed000" for name in RUNS}
    ended = run_snakemake(
        *("--cores", "2", "--configfile", "config/laptop.yaml", overlay, "--"),
        *(f"results/shorter/blocks/evaluate/{name}/low-loss/p0.6/e1/000-029.json" for name in RUNS),
        cwd=project,
    )
    assert ended.status == 0, ended.printed[-3000:]
    return {name: project / path for name, path in paths.items()}


@pytest.mark.parametrize("name", RUNS)
def test_all_training_images_are_used_and_the_share_p_is_kept(folders, name):
    record = json.loads((folders[name] / "run.json").read_text())
    assert record["train_examples"] == RUNS[name]
    assert record["kept_examples"] == round(0.6 * RUNS[name])


@pytest.mark.parametrize("name", RUNS)
def test_natural_accuracy_is_over_the_published_test_set_and_above_chance(folders, name):
    row = pd.read_csv(folders[name] / "evaluation.csv").iloc[0]
    assert row["test_examples"] == 10_000
    assert row["natural_accuracy"] > 15

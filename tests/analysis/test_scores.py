"""The scores of a study's examples: read if they are those that the config asks for."""

import copy

import numpy as np
import pytest
from score_tools import scores_of, write_scores
from workflow_tools import PROJECT, run_program

from advprune.analysis.scores import read_scores
from advprune.errors import UserError
from advprune.plan.config import load_config, write_config

CONFIG = load_config(PROJECT / "config/smoke.yaml")
SCORES = scores_of([3, 1], loss=[0.5, 2.0], distance=[4.0, 0.0], converged=[1, 0])


@pytest.fixture
def folders(tmp_path):
    """The folder of each study's scores."""
    return {
        study: write_scores(tmp_path / study, study, SCORES, CONFIG) for study in CONFIG["studies"]
    }


def test_scores_that_the_config_asks_for_are_read(folders):
    for study, folder in folders.items():
        read = read_scores(folder, study, 0, CONFIG)
        for name in ("label", "loss", "distance", "converged", "iterations"):
            assert np.array_equal(getattr(read, name), getattr(SCORES, name))
        assert read.model == folder / "model.safetensors"


def test_a_row_an_example_has_the_inverse_of_its_distance():
    frame = SCORES.frame("mnist")
    assert frame["inverse_distance"].to_list() == [0.25, np.inf]
    assert frame[["study", "label", "loss", "converged"]].to_numpy().tolist() == [
        ["mnist", 3, 0.5, 1],
        ["mnist", 1, 2.0, 0],
    ]


def test_the_scores_of_another_study_are_refused(folders):
    path = folders["cifar10"] / "start.json"
    with pytest.raises(UserError, match=f"{path} was made with another specification: training"):
        read_scores(folders["cifar10"], "mnist", 0, CONFIG)


def test_the_scores_by_another_seed_are_refused(folders):
    with pytest.raises(UserError, match="another specification: training was"):
        read_scores(folders["mnist"], "mnist", 1, CONFIG)


@pytest.mark.parametrize("proxy", ["loss", "deepfool"])
def test_scores_taken_at_another_time_are_refused(folders, proxy):
    config = copy.deepcopy(CONFIG)
    config["studies"]["mnist"]["scores"][f"{proxy}_taken"] = "in_pass"
    name = {"loss": "losses", "deepfool": "distances"}[proxy]
    with pytest.raises(UserError, match=rf"{name} was \["):
        read_scores(folders["mnist"], "mnist", 0, config)


@pytest.mark.parametrize("name", ["scores.safetensors", "start.json"])
def test_a_missing_file_is_named(folders, name):
    (folders["mnist"] / name).unlink()
    with pytest.raises(UserError, match=f"{folders['mnist'] / name} does not exist"):
        read_scores(folders["mnist"], "mnist", 0, CONFIG)


@pytest.mark.parametrize("figure", ["figure2", "figure6"])
def test_a_figure_is_not_drawn_from_the_scores_of_another_study(folders, tmp_path, figure):
    write_config(tmp_path / "config.json", CONFIG)
    swapped = {"figure2": ["cifar10"] * 2, "figure6": ["cifar10", "mnist"]}[figure]
    ended = run_program(
        *("exhibit", figure, "--config", tmp_path / "config.json", "--dataset", "none"),
        *("--scores", *(folders[study] for study in swapped)),
        *("--output", tmp_path / "figure.csv"),
        cwd=PROJECT,
    )
    assert ended.status == 1
    assert "start.json was made with another specification: training was" in ended.printed
    assert "Traceback" not in ended.printed

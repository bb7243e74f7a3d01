"""The supplement that shows which share of runs collapsed."""

import pytest
from figure_tools import bars_of, face_of
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.figures.collapse import collapse
from advprune.plan.config import load_config

CONFIG = load_config(PROJECT / "config/quick.yaml")


def runs_of(method, accuracies, dataset="mnist5k"):
    """Runs with these AutoAttack accuracies, and 60% under APGD-CE."""
    return runs_of_cell(method, dataset=dataset, autoattack_accuracy=accuracies)


RUNS = joined(
    runs_of("full", [0, 30, 60, 90]),
    runs_of("random", [0, 0.5, 1, 80]),
    runs_of("low-loss", [50, 60, 70, 80]),
    runs_of("low-deepfool", [0, 0, 0, 0]),
)


@pytest.fixture(scope="module")
def drawn():
    return collapse(RUNS, CONFIG)


def test_collapsed_runs_are_counted_by_hand(drawn):
    # Below 1% counts; 1% does not.
    points = drawn.data[drawn.data["metric"] == "autoattack_accuracy"].set_index("method")
    assert points["collapsed"].to_dict() == {
        **{"full": 1, "low-deepfool": 4, "low-loss": 0, "random": 2},
    }
    assert points["share"].to_dict() == {
        **{"full": 0.25, "low-deepfool": 1, "low-loss": 0, "random": 0.5},
    }


def test_collapsed_runs_are_counted_under_each_attack(drawn):
    by_apgd = drawn.data[drawn.data["metric"] == "apgd_ce_40x5_accuracy"]
    assert (by_apgd["collapsed"].tolist(), by_apgd["n"].tolist()) == ([0] * 4, [4] * 4)


def test_each_attack_has_its_panels(drawn):
    named = [axis.get_ylabel() for axis in drawn.figure.axes if axis.get_ylabel()]
    assert named == ["Collapsed by\nAutoAttack (%)", "Collapsed by\nAPGD-CE 40×5 (%)"] * 2


def test_the_intervals_of_shares_are_drawn_within_0_and_100_percent(drawn):
    ends = [end for axis in drawn.figure.axes for bar in bars_of(axis) for end in bar]
    assert -1e-9 <= min(ends) < max(ends) <= 100 + 1e-9


def test_methods_of_either_study_are_in_the_legend():
    figure = collapse(runs_of("random", [0, 1], dataset="shapes10"), CONFIG).figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Random"]


def test_a_study_without_runs_has_an_empty_panel(drawn):
    assert [bool(axis.containers) for axis in drawn.figure.axes] == [True] * 4 + [False] * 4


def test_the_face_says_what_it_was_made_from_and_of_how_many_runs(drawn):
    face = face_of(drawn.figure)
    assert "5,000 MNIST training digits, a stand-in for MNIST: 4,000 training images" in face
    assert "n = 4 runs a point" in face
    fewer = collapse(RUNS.drop(index=0), CONFIG)
    assert "n = 3 to 4 runs a point" in face_of(fewer.figure)

"""The supplement that shows which share of runs collapsed, at three levels."""

import numpy as np
import pandas as pd
import pytest
from figure_tools import bars_of, face_of
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.analysis.statistics import COLLAPSE_BELOW, COLLAPSE_LEVELS, count_collapsed
from advprune.figures.collapse import collapse
from advprune.plan.config import load_config

CONFIG = load_config(PROJECT / "config/quick.yaml")


def runs_of(method, accuracies, dataset="mnist5k"):
    """Runs with these AutoAttack accuracies, and 60% under APGD-CE."""
    return runs_of_cell(method, dataset=dataset, autoattack_accuracy=accuracies)


RUNS = joined(
    runs_of("full", [0, 4, 60, 90]),
    runs_of("random", [0, 0.5, 1, 9]),
    runs_of("low-loss", [50, 60, 70, 80]),
    runs_of("low-deepfool", [0, 0, 0, 0]),
)


@pytest.fixture(scope="module")
def drawn():
    return collapse(RUNS, CONFIG)


def test_one_percent_is_what_counts_everywhere_else():
    assert COLLAPSE_LEVELS == (1, 5, 10)
    assert COLLAPSE_BELOW == 1


@pytest.mark.parametrize(("below", "count"), [(1, 1), (5, 2), (10, 3)])
def test_a_run_at_the_level_has_not_collapsed(below, count):
    assert count_collapsed(np.array([0.5, 1, 5, 10, 50]), below=below) == count


def test_collapsed_runs_are_counted_by_hand_at_every_level(drawn):
    points = drawn.data[drawn.data["metric"] == "autoattack_accuracy"]
    counted = points.pivot(index="level", columns="method", values="collapsed")
    assert counted.to_dict("list") == {
        **{"full": [1, 2, 2], "random": [2, 3, 4]},
        **{"low-loss": [0, 0, 0], "low-deepfool": [4, 4, 4]},
    }
    assert points["share"].to_list() == (points["collapsed"] / 4).to_list()


def test_collapsed_runs_are_counted_under_each_attack(drawn):
    by_apgd = drawn.data[drawn.data["metric"] == "apgd_ce_40x5_accuracy"]
    assert (by_apgd["collapsed"].tolist(), by_apgd["n"].tolist()) == ([0] * 12, [4] * 12)


def test_each_attack_and_proxy_has_a_row_of_panels(drawn):
    named = [axis.get_ylabel() for axis in drawn.figure.axes if axis.get_ylabel()]
    attacks, proxies = ("AutoAttack", "APGD-CE 40×5"), ("Loss", "DeepFool")
    assert named == [f"{attack}\n{proxy}" for attack in attacks for proxy in proxies] * 2


def test_each_level_has_a_column_of_panels(drawn):
    titles = [axis.get_title().split("\n")[-1] for axis in drawn.figure.axes[:3]]
    assert titles == ["below 1%", "below 5%", "below 10%"]
    assert len(drawn.figure.axes) == 2 * 2 * 2 * 3  # studies, attacks, proxies, levels


def test_a_panel_shows_the_shares_of_its_level(drawn):
    shown = [axis.containers[0].lines[0].get_ydata().tolist() for axis in drawn.figure.axes[:3]]
    # Random pruning, then training on all data.
    assert shown == [[50, 25], [75, 50], [100, 50]]


def test_every_panel_has_the_same_axes(drawn):
    assert {axis.get_ylim() for axis in drawn.figure.axes} == {(-3, 103)}


def test_the_intervals_of_shares_are_drawn_within_0_and_100_percent(drawn):
    ends = [end for axis in drawn.figure.axes for bar in bars_of(axis) for end in bar]
    assert -1e-9 <= min(ends) < max(ends) <= 100 + 1e-9


def test_methods_of_either_study_are_in_the_legend():
    figure = collapse(runs_of("random", [0, 1], dataset="shapes10"), CONFIG).figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Random"]


def test_a_study_without_runs_has_empty_panels(drawn):
    assert [bool(axis.containers) for axis in drawn.figure.axes] == [True] * 12 + [False] * 12


def test_the_numbers_of_every_level_are_written(drawn, tmp_path):
    drawn.write(tmp_path / "collapse.csv")
    written = pd.read_csv(tmp_path / "collapse.csv")
    assert written["level"].unique().tolist() == [1, 5, 10]
    assert len(written) == 2 * 3 * 4  # attacks, levels, cells


def test_the_face_says_what_it_was_made_from_and_of_how_many_runs(drawn):
    face = face_of(drawn.figure)
    assert "5,000 MNIST training digits, a stand-in for MNIST: 4,000 training images" in face
    assert "n = 4 runs a point" in face
    fewer = collapse(RUNS.drop(index=0), CONFIG)
    assert "n = 3 to 4 runs a point" in face_of(fewer.figure)


def test_a_study_without_runs_has_no_panels():
    config = load_config()
    before = len(collapse(runs_of_cell("random", autoattack_accuracy=[50.0]), config).figure.axes)
    config["studies"]["cifar10"]["experiments"]["accuracy"]["seeds"] = 0
    drawn = collapse(runs_of_cell("random", autoattack_accuracy=[50.0]), config)
    assert len(drawn.figure.axes) == before / 2
    assert "CIFAR10" not in face_of(drawn.figure)

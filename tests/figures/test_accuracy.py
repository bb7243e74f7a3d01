"""Figures 3 and 4: accuracy against the share of data kept."""

import pytest
from figure_tools import bars_of, face_of, lines_of, touching
from run_tables import joined, runs_of_cell

from advprune.figures.figure3 import figure3
from advprune.figures.figure4 import figure4
from advprune.plan.config import load_config

PAPER = load_config()
RUNS = joined(
    runs_of_cell("full", autoattack_accuracy=[50.0, 54]),
    runs_of_cell("random", "0.3", autoattack_accuracy=[40.0, 44]),
    runs_of_cell("random", "0.6", autoattack_accuracy=[48.0, 52]),
    runs_of_cell("low-loss", "0.6", autoattack_accuracy=[60.0, 64]),
    runs_of_cell("high-deepfool", "0.6", autoattack_accuracy=[2.0, 0]),
)


@pytest.fixture(scope="module")
def drawn():
    return figure3(RUNS, PAPER)


@pytest.mark.parametrize(
    ("draw", "dataset", "title"), [(figure3, "mnist", "MNIST"), (figure4, "cifar10", "CIFAR10")]
)
def test_each_figure_is_of_its_data_set(draw, dataset, title):
    drawn = draw(RUNS.assign(dataset=dataset), PAPER)
    assert drawn.figure.legends[0].get_title().get_text() == title
    assert f"{title}: " in face_of(drawn.figure)
    assert set(drawn.data["dataset"]) == {dataset}


def test_each_method_is_a_line_of_means_in_its_proxys_column_that_ends_at_all_data(drawn):
    # Rows: natural accuracy, AutoAttack, APGD-CE; columns: the loss and DeepFool.
    by_loss, by_deepfool = (lines_of(axis) for axis in drawn.figure.axes[2:4])
    assert [means for _, means in by_loss["Random"]] == [42, 50, 52]
    assert [means for _, means in by_loss["Low distance"]] == [62, 52]
    assert [means for _, means in by_deepfool["High distance"]] == [1, 52]
    assert [set(by_loss), set(by_deepfool)] == [
        {"Random", "Low distance"},
        {"Random", "High distance"},
    ]


def test_no_label_touches_another_panels(drawn):
    assert touching(drawn.figure) == []


def test_methods_stand_side_by_side_at_their_share(drawn):
    lines = lines_of(drawn.figure.axes[2])
    ends = [lines[name][-1][0] for name in ("Random", "Low distance")]
    assert ends == pytest.approx([1, 1], abs=0.02)
    assert ends[0] != ends[1]


# Of two values that differ by 4: the deviation is sqrt(8), the interval 12.706205 * 2.
@pytest.mark.parametrize(
    ("bars", "length", "words"),
    [
        ("confidence_interval", 25.41241, "t-based 95% intervals"),
        ("standard_deviation", 8**0.5, "± 1 standard deviation"),
    ],
)
def test_the_error_bars_are_those_of_the_config(bars, length, words):
    figure = figure3(RUNS, PAPER | {"error_bars": bars}).figure
    by_loss, by_deepfool = figure.axes[2:4]
    assert (60 + 2 - length, 62 + length) == pytest.approx(list(bars_of(by_loss))[-2])
    assert min(low for low, _ in bars_of(by_deepfool)) == pytest.approx(0)  # cut off at the axis
    assert words in face_of(figure)


def test_the_note_says_of_how_many_runs_the_means_are(drawn):
    assert "Means of n = 2 runs a point" in face_of(drawn.figure)
    single = figure3(RUNS[RUNS["seed"] == 0], PAPER)
    assert "(n = 1), so no error bars" in face_of(single.figure)


def test_the_data_hold_a_row_a_point(drawn):
    points = drawn.data.set_index(["method", "p"])
    assert len(points) == 5
    assert points.loc[("random", "0.3"), "autoattack_accuracy_mean"] == 42
    assert points.loc[("random", "0.3"), "share"] == 0.3

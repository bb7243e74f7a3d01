"""Figure 5: training time, and the line through it."""

import numpy as np
import pytest
from figure_tools import bars_of, face_of, texts
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.figures.figure5 import figure5, line_label
from advprune.plan.config import load_config

PAPER = load_config()


def runs_of(seconds, dataset="mnist"):
    """Runs with these training times at each p."""
    return joined(
        *(
            runs_of_cell(
                *("full" if p == "1.0" else "low-loss", p), dataset=dataset, training_seconds=times
            )
            for p, times in seconds.items()
        )
    )


# 10 s and 40 s for all data, whatever the seeds add and take.
RUNS = runs_of({"0.25": [18.0, 22], "0.5": [28.0, 32], "1.0": [48.0, 52]})


def test_a_line_is_fitted_to_the_single_runs_of_each_data_set():
    other = runs_of({"0.2": [2.0], "0.4": [4.0], "0.6": [6.0]}, "cifar10")
    points = figure5(joined(RUNS, other), PAPER).data.set_index(["dataset", "p"])
    row = points.loc[("mnist", "0.5")]
    fitted = row[["fit_intercept", "fit_slope", "fit_seconds", "training_seconds_mean"]]
    assert fitted.to_list() == pytest.approx([10, 40, 30, 30])
    # Each of six runs is 2 s from the line, whose points are 20, 30 and 50 with the mean 100 / 3.
    explained = 2 * sum((value - 100 / 3) ** 2 for value in (20, 30, 50))
    assert row["fit_r_squared"] == pytest.approx(explained / (explained + 6 * 2**2))
    assert points.loc[("cifar10", "0.2"), ["fit_intercept", "fit_slope"]].to_list() == (
        pytest.approx([0, 10])
    )


def test_the_line_is_written_beside_the_points():
    assert any(text.startswith("10 s + 40 s × p") for text in texts(figure5(RUNS, PAPER).figure))


def test_only_runs_that_were_trained_by_themselves_are_timed():
    stacked = RUNS.assign(seed=9, stacked=30, training_seconds=np.nan)
    drawn = figure5(joined(RUNS, stacked), PAPER)
    assert drawn.data["n"].to_list() == [2, 2, 2]
    assert drawn.data["fit_slope"].to_list() == pytest.approx([40.0] * 3)
    assert "6 runs that were trained by themselves" in face_of(drawn.figure)


def test_where_all_runs_were_stacked_no_time_is_drawn():
    drawn = figure5(RUNS.assign(stacked=30, training_seconds=np.nan), PAPER)
    assert drawn.data["training_seconds_mean"].isna().all()


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ((12.9, -0.904, 0.98), "12.9 s − 0.904 s × p  (R² = 0.98)"),
        ((-0.5, 20, 1), "−0.5 s + 20 s × p  (R² = 1.00)"),
    ],
)
def test_a_line_has_one_sign_between_its_terms(line, label):
    assert line_label(*line) == label


def test_two_shares_are_no_evidence_of_a_line():
    drawn = figure5(runs_of({"0.5": [28.0, 32], "1.0": [48.0, 52]}), PAPER)
    assert drawn.data["fit_seconds"].isna().all()
    assert drawn.figure.axes[0].get_legend() is None


def test_a_study_without_low_distance_pruning_by_loss_has_an_empty_panel():
    runs = runs_of({"0.3": [10.0], "0.6": [12.0]}, "mnist5k")
    figure = figure5(runs, load_config(PROJECT / "config/quick.yaml")).figure
    shown = [len(axis.containers[0][0].get_ydata()) for axis in figure.axes]
    assert shown == [2, 0]


@pytest.mark.parametrize(
    ("bars", "ends"),
    # Of two values that differ by 4: the deviation is sqrt(8); the interval, 12.706205 * 2, would
    # reach below no time at all.
    [
        ("confidence_interval", (0, 20 + 25.41241)),
        ("standard_deviation", (20 - 8**0.5, 20 + 8**0.5)),
    ],
)
def test_the_error_bars_are_those_of_the_config(bars, ends):
    figure = figure5(RUNS, PAPER | {"error_bars": bars}).figure
    assert next(bars_of(figure.axes[0])) == pytest.approx(ends)


@pytest.mark.parametrize("timed", [True, False])
def test_the_note_says_of_how_many_runs_the_means_are_and_what_their_time_counts(timed):
    stopping = PAPER["early_stopping"] | {"enabled": True, "timed": timed}
    face = face_of(figure5(RUNS, PAPER | {"early_stopping": stopping}).figure)
    assert "n = 2 runs a point" in face
    assert ("early stopping's attacks" in face) == timed


def test_one_run_a_point_is_drawn_without_a_warning(recwarn):
    figure = figure5(RUNS[RUNS["seed"] == 0], PAPER).figure
    figure.canvas.draw()
    assert "(n = 1), so no error bars" in face_of(figure)
    assert not np.isnan(figure.axes[0].get_ylim()).any()
    assert [str(each.message) for each in recwarn] == []


def test_a_study_without_runs_has_no_panel():
    config = load_config()
    config["studies"]["cifar10"]["experiments"]["accuracy"]["seeds"] = 0
    drawn = figure5(RUNS, config)
    assert len(drawn.figure.axes) == 1
    assert "CIFAR10" not in face_of(drawn.figure)


def test_what_is_counted_is_a_sentence_with_its_names_as_they_are():
    face = face_of(figure5(RUNS, PAPER).figure)
    assert "Training time: forward" in face
    assert "of CPUs the seconds" in face

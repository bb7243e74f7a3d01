"""Printed numbers beside ours."""

import numpy as np
import pandas as pd
import pytest
from figure_tools import face_of, texts, touching

from advprune.figures.replication import (
    draw_replication,
    expected_half_width,
    replication,
    replication_points,
)
from advprune.plan.config import load_config

CONFIG = load_config()
ROWS = [
    ("words", "in words", "", "REPRODUCED", "9", np.nan, np.nan, np.nan, np.nan, 1.0, 0.0, 2.0),
    ("missing", "not run", "%", "NOT RUN", "0", 51.39, 6.61, 120, 12.78, *[np.nan] * 3),
    ("right", "right", "%", "REPRODUCED", "120, 30", 64.17, 4.67, 120, 12.78, 63.0, 60.0, 66.0),
    ("open", "one network", "r", "UNDERPOWERED", "5", 0.68, np.nan, 1, 0.1, 0.7, np.nan, np.nan),
]
COLUMNS = ["id", "says", "unit", "verdict", "n", "printed", "printed_half_width"]
COLUMNS += ["printed_runs", "margin", "value", "low", "high"]
CLAIMS = pd.DataFrame(ROWS, columns=COLUMNS)


def test_the_papers_prediction_interval_is_for_a_mean_of_as_many_runs_as_ours():
    # Of as many runs as the paper's it is sqrt(2) times the printed interval, of 30 sqrt(5) times.
    assert expected_half_width(6.61, 120, 120) == pytest.approx(6.61 * 2**0.5)
    assert expected_half_width(6.61, 120, 30) == pytest.approx(6.61 * 5**0.5)


def test_every_printed_number_has_a_row_and_what_was_not_run_comes_last():
    points = replication_points(CLAIMS)
    assert points["id"].tolist() == ["right", "open", "missing"]
    assert points["n"].tolist() == [30, 5, 0]


def test_without_runs_of_ours_the_interval_is_for_as_many_as_the_papers():
    points = replication_points(CLAIMS).set_index("id")["expected_half_width"]
    assert points["right"] == pytest.approx(4.67 * 5**0.5)
    assert points["missing"] == pytest.approx(6.61 * 2**0.5)
    assert np.isnan(points["open"])


def test_there_is_a_panel_for_each_unit_and_all_is_drawn_less_what_is_printed():
    figure = draw_replication(replication_points(CLAIMS), CONFIG)
    assert [axis.get_xlabel() for axis in figure.axes] == [
        "%: ours less printed",
        "r: ours less printed",
    ]
    ours = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert ours == [pytest.approx(63.0 - 64.17)]


def test_verdicts_are_told_apart_by_marker_too_and_what_was_not_run_is_counted():
    figure = draw_replication(replication_points(CLAIMS), CONFIG)
    assert "Ours: REPRODUCED" in texts(figure)
    assert "Ours: NOT RUN" not in texts(figure)
    assert "1 of 3 printed numbers were not run and are not drawn" in face_of(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["right\n64.17 ± 4.7; n = 30"]


def test_a_file_without_printed_numbers_gives_an_empty_figure(tmp_path):
    drawing = replication(CLAIMS[:1], CONFIG)
    drawing.write(tmp_path / "replication.csv")
    assert len(pd.read_csv(tmp_path / "replication.csv")) == 0


def test_what_the_paper_says_is_written_whole_and_over_no_other_row():
    says = " ".join(["the paper says a great deal of this number"] * 5)
    figure = draw_replication(replication_points(CLAIMS.assign(says=says)), CONFIG)
    labels = [axis.get_yticklabels()[0].get_text() for axis in figure.axes]
    assert [label.replace("\n", " ").startswith(says) for label in labels] == [True, True]
    assert touching(figure) == []


def test_all_verdicts_fit_into_the_legend():
    rows = CLAIMS.iloc[[1, 2, 3]].assign(verdict=["DIFFERS", "REPRODUCED", "UNDERPOWERED"])
    figure = draw_replication(replication_points(rows), CONFIG)
    assert {f"Ours: {verdict}" for verdict in rows["verdict"]} <= {*texts(figure)}
    assert touching(figure) == []


def test_where_nothing_was_run_the_figure_says_so():
    points = replication_points(CLAIMS[CLAIMS["verdict"] == "NOT RUN"])
    figure = draw_replication(points, CONFIG)
    assert "No printed number was run at this scale" in texts(figure)

"""Collapsed runs at three levels, and dots that stand side by side where many are alike."""

import numpy as np
import pandas as pd
import pytest
from cells import cell

from advprune.analysis.statistics import COLLAPSE_BELOW, COLLAPSE_LEVELS, count_collapsed
from advprune.figures.collapse import collapse, collapse_points, draw_collapse
from advprune.figures.distribution import distribution, dot_size
from advprune.plan.config import load_config

CONFIG = load_config()
RUNS = pd.concat(
    [
        cell("full", [0, 0.9, 4, 60]),
        cell("random", [2, 7, 9, 80]),
        cell("low-loss", [50, 60, 70, 80]),
        cell("low-deepfool", [0, 0, 0, 0]),
    ],
    ignore_index=True,
)


# Levels.


def test_one_percent_is_what_counts_everywhere_else():
    assert COLLAPSE_LEVELS == (1, 5, 10)
    assert COLLAPSE_BELOW == 1


@pytest.mark.parametrize(("below", "count"), [(1, 1), (5, 2), (10, 3)])
def test_a_run_at_the_level_has_not_collapsed(below, count):
    assert count_collapsed(np.array([0.5, 1, 5, 10, 50]), below=below) == count


def test_collapsed_runs_are_counted_at_every_level():
    points = collapse_points(RUNS)
    counted = points[points["metric"] == "autoattack_accuracy"].pivot(
        index="method", columns="level", values="collapsed"
    )
    assert counted.T.to_dict("list") == {
        **{"full": [2, 3, 3], "random": [0, 1, 3]},
        **{"low-loss": [0, 0, 0], "low-deepfool": [4, 4, 4]},
    }


def test_at_a_higher_level_no_fewer_runs_collapsed():
    cells = collapse_points(RUNS).groupby(["metric", "method"])
    assert all(counts.is_monotonic_increasing for _, counts in cells["collapsed"])


def test_each_level_has_a_column_of_panels():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    titles = [axis.get_title().split("\n")[-1] for axis in figure.axes[:3]]
    assert titles == ["below 1%", "below 5%", "below 10%"]
    assert len(figure.axes) == 2 * 2 * 2 * 3  # studies, attacks, proxies, levels


def test_a_panel_shows_the_shares_of_its_level():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    drawn = [axis.containers[0].lines[0].get_ydata().tolist() for axis in figure.axes[:3]]
    # Random pruning, then training on all data.
    assert drawn == [[0, 50], [25, 75], [75, 75]]


def test_every_panel_of_a_figure_has_the_same_axes():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    assert {axis.get_ylim() for axis in figure.axes} == {(-3, 103)}


def test_the_numbers_of_every_level_are_written(tmp_path):
    collapse(RUNS, CONFIG).write(tmp_path / "collapse.csv")
    written = pd.read_csv(tmp_path / "collapse.csv")
    assert written["level"].unique().tolist() == [1, 5, 10]
    assert len(written) == 2 * 3 * 4  # attacks, levels, cells


# Dots.


def test_the_more_runs_the_smaller_their_dots():
    apart = [pd.Series(np.linspace(0, 100, count)) for count in (5, 10, 60, 120, 240)]
    sizes = [dot_size(accuracies, strips=1) for accuracies in apart]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (4.5, 2.2)


def test_a_row_of_equal_runs_fits_its_strip():
    # A strip of four is 112 points wide.
    size = dot_size(pd.Series([0.0] * 60 + [70.0] * 60), strips=4)
    assert 60 * size < 0.8 * 112
    assert size < dot_size(pd.Series([0.0] * 30 + [70.0] * 90), strips=1)


def test_dots_can_always_be_seen():
    assert dot_size(pd.Series([0.0] * 1000), strips=8) == 1


@pytest.mark.filterwarnings("error:.*cannot be placed")
@pytest.mark.parametrize("collapsed", [0.3, 0.7])
def test_no_dot_of_120_runs_a_method_lies_on_another(collapsed):
    random = np.random.default_rng(0)
    accuracies = [np.where(random.random(120) < collapsed, 0, random.normal(70, 9, 120))] * 4
    methods = ("low-deepfool", "low-loss", "random", "full")
    runs = pd.concat([cell(*each) for each in zip(methods, accuracies, strict=True)])
    figure = distribution(runs, CONFIG).figure
    figure.canvas.draw()
    at = figure.axes[0].collections[0].get_offsets()
    lost = np.sort(at[at[:, 1] == 0][:, 0])
    assert len(np.unique(lost)) == len(lost) == (accuracies[0] == 0).sum()

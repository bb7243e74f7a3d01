"""Training curves: which runs collapse, and where they part from the others."""

import math

import numpy as np
import pandas as pd
import pytest
from run_tables import table_of_runs, write_run
from workflow_tools import PROJECT

from advprune.figures.curves import (
    COLLAPSED,
    LOSS,
    LOSSES_SHOWN,
    curve_points,
    curves,
    draw_curves,
    guessing,
)
from advprune.figures.style import look_of
from advprune.plan.config import load_config
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run

CONFIG = load_config(PROJECT / "config/quick.yaml")
METHOD = "low-loss"
ACCURACIES = {0: (60.0, 65.0), 1: (0.9, 5.0), 2: (1.0, 1.0), 3: (2.0, 0.0)}
COLLAPSED_SEEDS = [1, 3]


def names(seed, method=METHOD, dataset="mnist5k"):
    p = "0.6" if METHODS[method].select else "1.0"
    return Run(dataset, method, p, 1, seed)


def table(method=METHOD, dataset="mnist5k"):
    autoattack, apgd_ce = zip(*ACCURACIES.values(), strict=True)
    return table_of_runs(
        [names(seed, method, dataset) for seed in ACCURACIES],
        autoattack_accuracy=autoattack,
        apgd_ce_40x5_accuracy=apgd_ce,
    )


def curve_of(seed, validation=None):
    return [
        {
            **{"epoch": epoch, "examples": 10, "learning_rate": 0.1},
            **{"loss": seed + 1 / epoch, "accuracy": 0.1 * (seed + epoch), "seconds": 1.0},
            "validation_accuracy": validation,
        }
        for epoch in (1, 2, 3)
    ]


def points_of(method=METHOD, dataset="mnist5k", validation=None):
    """The points of four runs, without files."""
    rows = [
        vars(names(seed, method, dataset)) | row
        for seed in ACCURACIES
        for row in curve_of(seed, validation)
    ]
    read = pd.DataFrame(rows).astype({"validation_accuracy": float})
    return curve_points(table(method, dataset), read)


def panels(figure):
    return [axis for axis in figure.axes if axis.get_visible()]


def lines(axis, *, bold):
    return [line for line in axis.lines if (line.get_linewidth() > 1) == bold]


def test_a_run_collapsed_if_either_attack_leaves_less_than_1_percent():
    ended = points_of().groupby("seed")["collapsed"].first()
    assert ended.to_dict() == {0: False, 1: True, 2: False, 3: True}


def test_the_figure_is_drawn_from_the_files_of_the_runs(tmp_path):
    for seed in ACCURACIES:
        write_run(tmp_path, names(seed), curve=curve_of(seed))
    data = curves(table(), CONFIG, tmp_path).data
    pd.testing.assert_frame_equal(data, points_of())


def test_accuracies_are_percentages_and_losses_as_they_are():
    points = points_of(validation=0.25)
    first = points[(points["seed"] == 0) & (points["epoch"] == 2)].iloc[0]
    measured = [first[name] for name in ("loss", "accuracy", "validation_accuracy")]
    assert measured == pytest.approx([0.5, 20, 25])


def test_every_run_is_a_pale_line_and_each_end_has_a_bold_mean():
    axis = panels(draw_curves(points_of(), CONFIG, []))[0]
    single = [line for line in lines(axis, bold=False) if len(line.get_xdata()) == 3]
    assert len(single) == 4
    means = {line.get_color(): line.get_ydata().tolist() for line in lines(axis, bold=True)}
    assert means[COLLAPSED] == pytest.approx([3, 2.5, 2 + 1 / 3])
    assert means[look_of(METHOD).colour] == pytest.approx([2, 1.5, 1 + 1 / 3])


def test_collapsed_runs_differ_in_colour_and_in_line_style():
    axis = panels(draw_curves(points_of(), CONFIG, []))[0]
    styles = {(line.get_color(), line.get_linestyle()) for line in axis.lines}
    assert {(COLLAPSED, "--"), (look_of(METHOD).colour, "-")} < styles


def test_no_method_has_the_colour_of_collapsed_runs():
    assert COLLAPSED not in {look_of(name).colour for name in METHODS}


def test_a_mean_is_of_the_runs_that_go_on():
    points = points_of()
    stopped = points[(points["seed"] != 0) | (points["epoch"] < 3)]
    axis = panels(draw_curves(stopped, CONFIG, []))[0]
    (mean,) = [line for line in lines(axis, bold=True) if line.get_color() != COLLAPSED]
    assert mean.get_ydata().tolist() == pytest.approx([2, 1.5, 2 + 1 / 3])


def test_the_title_of_a_panel_counts_collapsed_runs():
    title = panels(draw_curves(points_of(), CONFIG, []))[0].get_title()
    assert title.endswith("\nLow distance\nLoss, p = 0.6\n2 of 4 collapsed")


def test_validation_accuracy_has_panels_only_where_there_is_some():
    counts = [
        len(panels(draw_curves(points_of(validation=value), CONFIG, []))) for value in (None, 0.5)
    ]
    assert counts == [2, 3]


def test_methods_and_data_sets_have_panels_of_their_own_full_data_first():
    points = pd.concat(
        [points_of(), points_of("full"), *(points_of(name, "shapes10") for name in METHODS)]
    )
    figure = draw_curves(points, CONFIG, [])
    titles = [axis.get_title().split("\n")[1] for axis in panels(figure) if axis.get_title()]
    assert titles[:2] == ["All data", "Low distance"]
    assert len(titles) == 2 + len(METHODS)
    assert len(panels(figure)) == 2 * len(titles)


def test_guessing_among_ten_classes_has_a_loss_of_the_logarithm_of_ten():
    assert guessing("mnist5k", LOSS) == pytest.approx(math.log(10))


@pytest.mark.parametrize("worst", [1e6, np.inf, np.nan])
def test_a_loss_without_bound_does_not_squash_the_others(worst):
    points = points_of()
    points.loc[points.index[-1], "loss"] = worst
    low, high = panels(draw_curves(points, CONFIG, []))[0].get_ylim()
    assert low == 0
    assert 3 < high <= LOSSES_SHOWN * math.log(10)

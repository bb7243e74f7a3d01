"""The supplements that show what a mean over runs hides: single runs, and the collapsed ones."""

import numpy as np
import pandas as pd
import pytest
from builders import MADE_WITH
from matplotlib.collections import PathCollection
from workflow_tools import PROJECT

from advprune.analysis.statistics import summarise
from advprune.figures.accuracy import draw_accuracy
from advprune.figures.collapse import collapse_points, draw_collapse
from advprune.figures.distribution import distribution_dots, draw_distribution
from advprune.figures.pruning_epoch import draw_pruning_epoch, pruning_epoch_points
from advprune.figures.style import look_of, save_figure
from advprune.plan.config import load_config
from advprune.spec.methods import METHODS, PruningMethod
from advprune.tables.table1 import TABLE1_ORDER, table1

CONFIG = load_config(PROJECT / "config/quick.yaml")


def runs_of(method, accuracies, *, p="0.6", dataset="mnist5k"):
    """Runs with these AutoAttack accuracies."""
    return pd.DataFrame(
        {
            **{"dataset": dataset, "method": method, "p": p, "e": 1},
            "seed": range(len(accuracies)),
            "natural_accuracy": 98.0,
            "autoattack_accuracy": np.array(accuracies, dtype=float),
            "apgd_ce_40x5_accuracy": np.array(accuracies, dtype=float) + 5,
            "training_seconds": 10.0,
            "diverged_epoch": np.nan,
            **MADE_WITH,
        }
    )


RUNS = pd.concat(
    [
        runs_of("full", [0, 30, 60, 90], p="1.0"),
        runs_of("random", [0, 0.5, 1, 80]),
        runs_of("low-loss", [50, 60, 70, 80]),
        runs_of("low-deepfool", [0, 0, 0, 0]),
    ],
    ignore_index=True,
)


def texts(figure):
    """All that is written on a figure."""
    return [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]


# Single runs.


@pytest.fixture(scope="module")
def distribution():
    return draw_distribution(distribution_dots(RUNS), RUNS, CONFIG)


def test_runs_are_shown_in_the_order_of_table_1():
    assert distribution_dots(RUNS)["method"].unique().tolist() == [
        *("low-deepfool", "low-loss", "random", "full"),
    ]


def test_a_method_that_the_paper_does_not_have_is_shown_last():
    dots = distribution_dots(pd.concat([runs_of("high-loss", [1, 2]), RUNS]))
    assert dots["method"].iloc[-1] == "high-loss"


@pytest.mark.parametrize(
    ("panel", "metric"), [(0, "autoattack_accuracy"), (1, "apgd_ce_40x5_accuracy")]
)
def test_every_run_is_a_dot_at_its_accuracy(distribution, panel, metric):
    strips = distribution.axes[panel].findobj(PathCollection)
    heights = [height for strip in strips for height in strip.get_offsets()[:, 1].tolist()]
    assert sorted(heights) == sorted(RUNS[metric])


def test_as_many_runs_as_table_1_has_are_dots_side_by_side():
    # 120 runs of four methods, of which a quarter collapsed: drawn at the figure's size, no two
    # dots of equal accuracy lie on one another.
    accuracies = np.concatenate([np.zeros(30), np.random.default_rng(0).uniform(40, 90, 90)])
    runs = pd.concat([runs_of(name, accuracies) for name in TABLE1_ORDER])
    figure = draw_distribution(distribution_dots(runs), runs, CONFIG)
    figure.canvas.draw()
    dots = figure.axes[0].collections[0].get_offsets()
    across = np.sort(dots[dots[:, 1] == 0][:, 0])
    assert len(across) == 30
    assert np.diff(across).min() > 0.01


def test_the_mean_and_its_interval_are_drawn_beside_the_dots(distribution):
    summary = summarise(RUNS, ["autoattack_accuracy"]).set_index("method")
    means = distribution.axes[0].containers[0].lines[0].get_ydata()
    wanted = summary["autoattack_accuracy_mean"].loc[["low-deepfool", "low-loss", "random", "full"]]
    assert means.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("bars", "column"),
    [("confidence_interval", "half_width"), ("standard_deviation", "standard_deviation")],
)
def test_the_error_bars_are_those_of_the_config(bars, column):
    runs = runs_of("random", [40, 50, 60])
    figure = draw_distribution(distribution_dots(runs), runs, CONFIG | {"error_bars": bars})
    (bar,) = figure.axes[0].containers[0].lines[2][0].get_segments()
    half = summarise(runs, ["autoattack_accuracy"])[f"autoattack_accuracy_{column}"].item()
    assert bar[:, 1].tolist() == pytest.approx([50 - half, 50 + half])


@pytest.mark.parametrize(
    ("label", "share"),
    [
        ("Low distance\n(DeepFool)", "100% (51 to 100%)"),
        ("Low distance\n(Loss)", "0% (0 to 49%)"),
        ("Random", "50% (15 to 85%)"),
    ],
)
def test_the_share_of_collapsed_runs_stands_below_each_method(distribution, label, share):
    told = f"{label}\np = 0.6, n = 4\ncollapsed by\nAutoAttack:\n{share}"
    assert any(text.startswith(told) for text in texts(distribution))


def test_a_single_run_of_each_method_can_be_drawn(tmp_path):
    runs = RUNS[RUNS["seed"] == 0]
    dots = distribution_dots(runs)
    save_figure(draw_distribution(dots, runs, CONFIG), dots, tmp_path / "distribution.csv")
    assert (tmp_path / "distribution.png").stat().st_size > 0


def test_the_same_runs_give_the_same_picture(tmp_path):
    for name in ("first", "second"):
        dots = distribution_dots(RUNS)
        save_figure(draw_distribution(dots, RUNS, CONFIG), dots, tmp_path / f"{name}.csv")
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


# Collapsed runs.


def test_collapsed_runs_are_counted_by_hand():
    # Below 1% counts; 1% does not.
    found = collapse_points(RUNS)
    points = found[found["metric"] == "autoattack_accuracy"].set_index("method")
    assert points["collapsed"].to_dict() == {
        **{"full": 1, "low-deepfool": 4, "low-loss": 0, "random": 2},
    }
    assert points["share"].to_dict() == {
        **{"full": 0.25, "low-deepfool": 1, "low-loss": 0, "random": 0.5},
    }


def test_collapsed_runs_are_counted_under_each_attack():
    # Under APGD-CE every accuracy is five points higher here.
    found = collapse_points(RUNS)
    by_apgd = found[found["metric"] == "apgd_ce_40x5_accuracy"]
    assert (by_apgd["collapsed"].tolist(), by_apgd["n"].tolist()) == ([0] * 4, [4] * 4)


def test_each_attack_has_its_panels():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    named = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert named == ["Collapsed by\nAutoAttack (%)", "Collapsed by\nAPGD-CE 40×5 (%)"] * 2


def test_the_intervals_of_shares_are_drawn_within_0_and_100_percent():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    bars = [
        segment[:, 1]
        for axis in figure.axes
        for container in axis.containers
        for part in container.lines[2]
        for segment in part.get_segments()
    ]
    assert bars
    assert min(map(min, bars)) >= -1e-9
    assert max(map(max, bars)) <= 100 + 1e-9


def test_methods_of_either_study_are_in_the_legend():
    figure = draw_collapse(collapse_points(runs_of("random", [0, 1], dataset="shapes10")), CONFIG)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Random"]


def test_a_study_without_runs_has_an_empty_panel():
    figure = draw_collapse(collapse_points(RUNS), CONFIG)
    drawn = [bool(axis.containers) for axis in figure.axes]
    assert drawn == [True] * 4 + [False] * 4


# On the face of both.


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(
            lambda: draw_distribution(distribution_dots(RUNS), RUNS, CONFIG), id="distribution"
        ),
        pytest.param(lambda: draw_collapse(collapse_points(RUNS), CONFIG), id="collapse"),
    ],
)
def test_the_face_says_what_it_was_made_from(figure):
    face = " ".join(" ".join(texts(figure())).split())
    assert "5,000 MNIST training digits, a stand-in for MNIST: 4,000 training images" in face
    assert "scale: quick" in face


# A pruning method that is new to the registry.


@pytest.fixture
def with_new_method(monkeypatch):
    """Runs of which some are by a method that no figure knows of."""
    monkeypatch.setitem(METHODS, "newest-loss", PruningMethod("Newest (Loss)", "loss", len))
    return pd.concat([RUNS, runs_of("newest-loss", [10, 20])], ignore_index=True)


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda runs: draw_accuracy(runs, CONFIG, "mnist"), id="figures 3 and 4"),
        pytest.param(lambda runs: draw_collapse(collapse_points(runs), CONFIG), id="collapse"),
        pytest.param(
            lambda runs: draw_distribution(distribution_dots(runs), runs, CONFIG), id="distribution"
        ),
        pytest.param(
            lambda runs: draw_pruning_epoch(pruning_epoch_points(runs), CONFIG), id="pruning epoch"
        ),
    ],
)
def test_a_new_method_is_named_in_every_figure_of_methods(with_new_method, draw):
    assert "Newest" in " ".join(texts(draw(with_new_method)))


def test_a_new_method_is_a_row_of_table_1(with_new_method):
    rows = table1(with_new_method, CONFIG).shown["Pruning method"].to_list()
    assert rows[-1] == "Newest (Loss)"


def test_a_new_method_has_a_colour_of_its_own(with_new_method):
    others = {look_of(name).colour for name in METHODS if name != "newest-loss"}
    assert look_of("newest-loss").colour not in others

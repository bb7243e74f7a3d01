"""The supplement that shows every single run, where Table 1 has means."""

import numpy as np
import pytest
from figure_tools import bars_of, face_of, texts
from matplotlib.collections import PathCollection
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.figures.distribution import distribution
from advprune.plan.config import load_config
from advprune.tables.table1 import TABLE1_ORDER

CONFIG = load_config(PROJECT / "config/quick.yaml")


def runs_of(method, accuracies):
    """Runs with these AutoAttack accuracies, and five points more under APGD-CE."""
    values = np.array(accuracies, dtype=float)
    return runs_of_cell(
        method, dataset="mnist5k", autoattack_accuracy=values, apgd_ce_40x5_accuracy=values + 5
    )


RUNS = joined(
    runs_of("full", [0, 30, 60, 90]),
    runs_of("random", [0, 0.5, 1, 80]),
    runs_of("low-loss", [50, 60, 70, 80]),
    runs_of("low-deepfool", [0, 0, 0, 0]),
)


@pytest.fixture(scope="module")
def drawn():
    return distribution(RUNS, CONFIG)


def test_runs_are_shown_in_the_order_of_table_1_and_what_the_paper_lacks_last():
    data = distribution(joined(runs_of("high-loss", [1, 2]), RUNS), CONFIG).data
    assert data["method"].unique().tolist() == [*TABLE1_ORDER, "high-loss"]


@pytest.mark.parametrize(
    ("panel", "metric"), [(0, "autoattack_accuracy"), (1, "apgd_ce_40x5_accuracy")]
)
def test_every_run_is_a_dot_at_its_accuracy(drawn, panel, metric):
    strips = drawn.figure.axes[panel].findobj(PathCollection)
    heights = [height for strip in strips for height in strip.get_offsets()[:, 1].tolist()]
    assert sorted(heights) == sorted(RUNS[metric]) == sorted(drawn.data[metric])


def test_as_many_runs_as_table_1_has_are_dots_side_by_side():
    # 120 runs of four methods, of which a quarter collapsed: drawn at the figure's size, no two
    # dots of equal accuracy lie on one another.
    accuracies = np.concatenate([np.zeros(30), np.random.default_rng(0).uniform(40, 90, 90)])
    figure = distribution(
        joined(*(runs_of(name, accuracies) for name in TABLE1_ORDER)), CONFIG
    ).figure
    figure.canvas.draw()
    dots = figure.axes[0].collections[0].get_offsets()
    across = np.sort(dots[dots[:, 1] == 0][:, 0])
    assert len(across) == 30
    assert np.diff(across).min() > 0.01


def test_the_mean_is_drawn_beside_the_dots(drawn):
    means = drawn.figure.axes[0].containers[0].lines[0].get_ydata()
    assert means.tolist() == [0, 65, 20.375, 45]


@pytest.mark.parametrize(
    ("bars", "half"),
    # Of 40, 50 and 60: t(0.975, 2) is 4.302653.
    [("confidence_interval", 4.302653 * 10 / 3**0.5), ("standard_deviation", 10)],
)
def test_the_error_bars_are_those_of_the_config(bars, half):
    drawn = distribution(runs_of("random", [40, 50, 60]), CONFIG | {"error_bars": bars})
    (bar,) = bars_of(drawn.figure.axes[0])
    assert bar == pytest.approx((50 - half, 50 + half))


@pytest.mark.parametrize(
    ("label", "share"),
    [
        ("Low distance\n(DeepFool)", "100% (51 to 100%)"),
        ("Low distance\n(Loss)", "0% (0 to 49%)"),
        ("Random", "50% (15 to 85%)"),
    ],
)
def test_the_share_of_collapsed_runs_stands_below_each_method(drawn, label, share):
    told = f"{label}\np = 0.6, n = 4\ncollapsed by\nAutoAttack:\n{share}"
    assert any(text.startswith(told) for text in texts(drawn.figure))


def test_a_single_run_of_each_method_can_be_drawn(tmp_path):
    distribution(RUNS[RUNS["seed"] == 0], CONFIG).write(tmp_path / "distribution.csv")
    assert (tmp_path / "distribution.png").stat().st_size > 0


def test_the_face_says_what_it_was_made_from(drawn):
    face = face_of(drawn.figure)
    assert "5,000 MNIST training digits, a stand-in for MNIST: 4,000 training images" in face
    assert "scale: quick" in face

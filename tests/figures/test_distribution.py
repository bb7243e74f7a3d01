"""The supplement that shows every single run, where Table 1 has means."""

import numpy as np
import pandas as pd
import pytest
from figure_tools import bars_of, face_of, texts
from matplotlib.collections import PathCollection
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.figures.distribution import distribution, dot_size
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


@pytest.mark.filterwarnings("error:.*cannot be placed")
@pytest.mark.parametrize("collapsed", [0.3, 0.7])
def test_no_dot_of_as_many_runs_as_table_1_has_lies_on_another(collapsed):
    # Drawn at the figure's size, dots of equal accuracy stand side by side.
    random = np.random.default_rng(0)
    accuracies = np.where(random.random(120) < collapsed, 0, random.normal(70, 9, 120))
    figure = distribution(
        joined(*(runs_of(name, accuracies) for name in TABLE1_ORDER)), CONFIG
    ).figure
    figure.canvas.draw()
    dots = figure.axes[0].collections[0].get_offsets()
    across = np.sort(dots[dots[:, 1] == 0][:, 0])
    assert len(across) == (accuracies == 0).sum()
    assert np.diff(across).min() > 0.01


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
    told = f"{label}\np = 0.6\ncollapsed by\nAutoAttack,\nn = 4:\n{share}"
    assert any(text.startswith(told) for text in texts(drawn.figure))


def test_runs_are_counted_under_each_attack_by_itself():
    runs = runs_of("random", [0.0, 80.0, 70.0, 60.0])
    runs.loc[2:, "autoattack_accuracy"] = np.nan
    figure = distribution(runs, CONFIG).figure
    assert "Means of n = 2 to 4 runs a point" in face_of(figure)
    (label,) = {text for text in texts(figure) if "collapsed by" in text}
    assert "AutoAttack,\nn = 2:" in label
    assert "APGD-CE 40×5,\nn = 4:" in label


def test_a_single_run_of_each_method_can_be_drawn(tmp_path):
    distribution(RUNS[RUNS["seed"] == 0], CONFIG).write(tmp_path / "distribution.csv")
    assert (tmp_path / "distribution.png").stat().st_size > 0


def test_the_face_says_what_it_was_made_from(drawn):
    face = face_of(drawn.figure)
    assert "5,000 MNIST training digits, a stand-in for MNIST: 4,000 training images" in face
    assert "scale: quick" in face

"""The supplement on the pruning epoch."""

import pytest
from figure_tools import bars_of, face_of, lines_of, touching
from run_tables import joined, runs_of_cell

from advprune.figures.pruning_epoch import pruning_epoch
from advprune.plan.config import load_config

PAPER = load_config()
RUNS = joined(
    *(
        runs_of_cell(method, p, e=e, autoattack_accuracy=[50.0 + e, 54.0 + e])
        for method, p in (("low-loss", "0.3"), ("low-loss", "0.6"), ("random", "0.3"))
        for e in (1, 2, 5)
    )
)


def test_each_method_and_share_is_a_line_over_the_pruning_epochs():
    # Panels: natural accuracy, AutoAttack, APGD-CE.
    lines = lines_of(pruning_epoch(RUNS, PAPER).figure.axes[1])
    assert list(lines) == [
        "Low distance (Loss), p = 0.3",
        "Low distance (Loss), p = 0.6",
        "Random, p = 0.3",
    ]
    for points in lines.values():
        assert [mean for _, mean in points] == [53, 54, 57]
        assert [round(e) for e, _ in points] == [1, 2, 5]


@pytest.mark.parametrize(
    ("bars", "half"),
    # Of two values that differ by 4; the interval is cut off at 100%.
    [("confidence_interval", 25.41241), ("standard_deviation", 8**0.5)],
)
def test_the_error_bars_are_those_of_the_config(bars, half):
    figure = pruning_epoch(RUNS, PAPER | {"error_bars": bars}).figure
    assert next(bars_of(figure.axes[1])) == pytest.approx((53 - half, 53 + half))


def test_the_face_names_the_data_that_the_runs_are_of_and_no_other():
    figure = pruning_epoch(RUNS, PAPER).figure
    assert figure.legends[0].get_title().get_text() == "MNIST"
    assert "n = 2 runs a point" in face_of(figure)
    assert "CIFAR10" not in face_of(figure)


def test_no_label_touches_the_panel_beside_it():
    assert touching(pruning_epoch(RUNS, PAPER).figure) == []

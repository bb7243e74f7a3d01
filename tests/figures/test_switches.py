"""The figure of variants: every run of each, and what pruning adds."""

import pytest
from figure_tools import face_of, touching
from run_tables import joined
from variants import cells_of_variant, config_with_variants

from advprune.figures.switches import switches
from advprune.tables.sensitivity import sensitivity


@pytest.fixture
def config():
    return config_with_variants()


RUNS = joined(
    cells_of_variant("", [40.0, 50.0, 60.0], [30.0, 45.0, 50.0]),
    cells_of_variant("not_normalised", [50.0, 70.0, 60.0], [50.0, 55.0, 60.0]),
    cells_of_variant("stopped_early", [10.0, 20.0, 0.0], [50.0, 55.0, 60.0]),
)


def points(axis):
    """Where the diamonds of each method are, by their label."""
    return {bars.get_label(): bars.lines[0].get_xdata().tolist() for bars in axis.containers}


def test_every_run_is_a_dot_in_the_row_of_its_variant(config):
    left, _ = switches(RUNS, config).figure.axes
    rows = {}
    for line in left.lines:
        if line.get_marker() == "o":
            for value, row in line.get_xydata():
                rows.setdefault(round(row), []).append(value)
    found = [sorted(rows[place]) for place in range(3)]
    assert found[2] == [0, 10, 20, 50, 55, 60]
    assert [len(values) for values in found] == [6, 6, 6]


def test_the_means_are_those_of_the_table(config):
    left, right = switches(RUNS, config).figure.axes
    numbers = sensitivity(RUNS, config).numbers.set_index(["metric", "method"])
    numbers = numbers.loc[("autoattack_accuracy", "low-loss")]
    shown = points(left)["Low distance (Loss), p = 0.6"]
    assert shown == numbers["robust_mean"].to_list() == [50, 60, 10]
    assert list(points(right).values()) == [numbers["less_full_mean"].to_list()]


def test_training_on_all_data_is_compared_with_itself_nowhere(config):
    _, right = switches(RUNS, config).figure.axes
    assert all("None" not in name for name in points(right))


def test_the_names_of_many_methods_fit_into_the_legend(config):
    low = RUNS[RUNS["method"] == "low-loss"]
    more = [low.assign(method=name) for name in ("random", "low-deepfool", "lowhigh-deepfool")]
    figure = switches(joined(RUNS, *more), config).figure
    assert len(figure.legends[0].get_texts()) == 5
    assert touching(figure) == []


def test_variants_without_the_runs_of_the_config_as_it_is_are_drawn(config):
    drawn = switches(RUNS[RUNS["variant"] != ""], config)
    assert len(drawn.figure.axes[0].get_yticklabels()) == 2


def test_nothing_lies_over_anything_else_and_the_face_names_the_scale(config):
    figure = switches(RUNS, config).figure
    assert touching(figure) == []
    assert "scale: paper" in face_of(figure)

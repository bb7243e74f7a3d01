"""Figure 1: a toy problem before and after dropping the points near the boundary."""

import pytest
from figure_tools import face_of
from matplotlib.collections import PathCollection

from advprune.figures.figure1 import figure1
from advprune.plan.config import load_config
from advprune.toy.boundary import POINTS, PROPORTION

KEPT = round(float(PROPORTION) * POINTS)


@pytest.fixture(scope="module")
def drawn():
    return figure1(load_config())


@pytest.fixture(scope="module")
def frame(drawn):
    return drawn.data


def test_the_frame_has_all_points_in_panel_a_and_the_kept_ones_in_panel_b(frame):
    counts = frame[frame["kind"] == "point"].groupby("panel").size().to_dict()
    assert counts == {"a": POINTS, "b": KEPT}


def test_points_marked_as_dropped_in_panel_a_are_those_missing_from_panel_b(frame):
    drawn = frame[frame["kind"] == "point"]
    marked = drawn[(drawn["panel"] == "a") & ~drawn["dropped"]]
    assert set(zip(marked["x"], marked["y"], strict=True)) == set(
        drawn.loc[drawn["panel"] == "b", ["x", "y"]].itertuples(index=False, name=None)
    )


def test_each_panel_has_both_boundaries_which_carry_no_label(frame):
    lines = frame[frame["kind"] != "point"]
    assert set(lines["panel"] + " " + lines["kind"]) == {
        *("a boundary", "a scored boundary", "b boundary", "b scored boundary"),
    }
    assert lines["label"].isna().all()


def test_every_point_is_drawn_and_hollow_where_it_is_dropped(drawn):
    counts = []
    for axis in drawn.figure.axes:
        dots = [each for each in axis.collections if isinstance(each, PathCollection)]
        hollow = [len(each.get_offsets()) for each in dots if (each.get_facecolor() == 1).all()]
        counts.append((sum(len(each.get_offsets()) for each in dots), sum(hollow)))
    assert counts == [(POINTS, POINTS - KEPT), (KEPT, 0)]


def test_the_panels_say_of_how_many_points_how_many_are_misclassified(drawn):
    left, right = (axis.get_title() for axis in drawn.figure.axes)
    assert left.startswith("(a) All data: ")
    assert left.endswith(f" of {POINTS} points misclassified")
    assert right.startswith("(b) Pruned data: ")
    assert right.endswith(f" of {KEPT} points misclassified")


def test_the_note_says_how_many_points_were_dropped(drawn):
    assert f"Dropped: the {POINTS - KEPT} of {POINTS} points" in face_of(drawn.figure)

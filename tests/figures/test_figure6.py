"""Figure 6: the loss of each example against 1/d."""

import numpy as np
import pytest
from figure_tools import face_of, texts
from score_tools import scores_of

from advprune.figures.figure6 import figure6
from advprune.plan.config import load_config

PAPER = load_config()
# Deviations of the losses -2, -1, 1, 2 and of 1/d -1, -2, 2, 1: r is 8 of 10. The fifth has no 1/d.
SCORES = {
    "mnist": [
        scores_of(range(5), [1, 2, 4, 5, 3], [1 / 2, 1, 1 / 5, 1 / 4, 0], converged=[1, 1, 1, 1, 0])
    ],
    "cifar10": [scores_of(range(4), [5, 4, 2, 1], [1 / 2, 1, 1 / 5, 1 / 4])],
}


@pytest.fixture(scope="module")
def drawn():
    return figure6(SCORES, PAPER)


def test_the_data_hold_every_example_of_both_studies(drawn):
    columns = ["study", "loss", "inverse_distance", "converged"]
    assert drawn.data[columns].round(3).to_numpy().tolist() == [
        ["mnist", 1, 2, 1],
        ["mnist", 2, 1, 1],
        ["mnist", 4, 5, 1],
        ["mnist", 5, 4, 1],
        ["mnist", 3, np.inf, 0],
        ["cifar10", 5, 2, 1],
        ["cifar10", 4, 1, 1],
        ["cifar10", 2, 5, 1],
        ["cifar10", 1, 4, 1],
    ]


def test_each_panel_has_its_examples_and_its_correlations(drawn):
    assert [axis.get_title() for axis in drawn.figure.axes] == [
        "MNIST\nr = 0.80; r within 1/d ≤ 2: -1.00; Spearman's ρ = 0.60",
        "CIFAR10\nr = -0.80; r within 1/d ≤ 2: 1.00; Spearman's ρ = -0.60",
    ]
    places = drawn.figure.axes[0].collections[0].get_offsets().round(3).tolist()
    assert places == [[2, 1], [1, 2], [5, 4], [4, 5]]


def test_the_note_says_over_how_many_examples_and_what_was_left_out(drawn):
    face = face_of(drawn.figure)
    assert (
        "MNIST after epoch 1, one network: r over 4 examples, 2 of them within the dotted line; "
        "1 not finite left out; of all, DeepFool did not move 1 to another class; 0 beyond the axis"
    ) in face
    assert "CIFAR10 after epoch 1, one network: r over 4 examples, 2 of them" in face
    assert "scale: paper" in face


def test_a_dotted_line_marks_how_far_out_r_within_reaches(drawn):
    for axis in drawn.figure.axes:
        (line,) = axis.lines
        assert (list(line.get_xdata()), line.get_linestyle()) == ([2, 2], ":")


def test_of_several_networks_the_first_is_shown():
    others = {"mnist": [*SCORES["mnist"], scores_of([0], [9], [1])]}
    assert figure6(others, PAPER).data["loss"].to_list() == [1, 2, 4, 5, 3]


def test_far_outliers_count_and_are_not_drawn():
    far = scores_of(range(400), np.arange(400), [1 / 2] * 399 + [1 / 5000])
    figure = figure6({"mnist": [far]}, PAPER).figure
    assert len(figure.axes[0].collections[0].get_offsets()) == 399
    assert "r over 400 examples" in face_of(figure)
    assert "1 beyond the axis" in face_of(figure)


def test_losses_that_are_all_alike_have_no_correlation():
    alike = scores_of(range(3), [1, 1, 1], [1, 2, 3])
    figure = figure6({"mnist": [alike]}, PAPER).figure
    assert any("\nr = nan; " in text for text in texts(figure))

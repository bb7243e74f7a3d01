"""Figure 2: t-SNE of the digits before and after low-distance pruning by loss."""

import dataclasses

import numpy as np
import pytest
from figure_tools import face_of, texts

from advprune.figures.figure2 import figure2


@pytest.fixture(scope="module")
def drawn(digits):
    return figure2({"mnist": digits.scores}, digits.dataset, digits.config)


def points_of(axis):
    """Where the dots of a panel are."""
    return sorted(
        tuple(place) for dots in axis.collections for place in dots.get_offsets().tolist()
    )


def test_the_sample_is_the_first_examples_of_each_class(drawn, digits):
    assert drawn.data["index"].to_list() == list(range(30))
    assert drawn.data["label"].to_list() == digits.scores.label[:30].tolist()


def test_a_class_with_too_few_examples_gives_what_it_has(digits):
    rare = dataclasses.replace(digits.scores, label=np.array([7] * 4 + [1] * 56))
    data = figure2({"mnist": rare}, digits.dataset, digits.config).data
    assert data["label"].value_counts().to_dict() == {1: 15, 7: 4}


def test_what_pruning_keeps_of_all_examples_is_marked_in_the_sample(digits):
    # The half with the lowest losses: all even examples, of which there are 30 in 60.
    loss = np.where(np.arange(60) % 2, 9.0, 1.0)
    scores = dataclasses.replace(digits.scores, loss=loss)
    data = figure2({"mnist": scores}, digits.dataset, digits.config).data
    assert data.loc[data["kept"], "index"].to_list() == list(range(0, 30, 2))


def test_pruning_is_as_the_config_has_it(digits):
    # Losses rise with the class: without balance class 0, and half of class 1, is all that stays.
    scores = dataclasses.replace(digits.scores, loss=digits.scores.label + np.arange(60) / 100)
    balanced = digits.config | {"pruning": digits.config["pruning"] | {"class_balanced": True}}
    kept = {}
    for name, config in (("anyhow", digits.config), ("balanced", balanced)):
        data = figure2({"mnist": scores}, digits.dataset, config).data
        kept[name] = data.groupby("label")["kept"].sum().to_dict()
    assert kept == {"anyhow": {0: 10, 1: 10, 2: 0}, "balanced": {0: 10, 1: 10, 2: 10}}


def test_images_of_one_class_lie_together(drawn):
    places = drawn.data[["x", "y"]].to_numpy()
    distance = np.linalg.norm(places[:, None] - places, axis=2) + np.diag([np.inf] * len(places))
    labels = drawn.data["label"].to_numpy()
    assert (labels[distance.argmin(axis=1)] == labels).all()


def test_the_left_panel_has_the_sample_and_the_right_one_what_is_kept_in_the_same_places(digits):
    loss = np.where(np.arange(60) % 2, 9.0, 1.0)
    scores = dataclasses.replace(digits.scores, loss=loss)
    drawn = figure2({"mnist": scores}, digits.dataset, digits.config)
    left, right = drawn.figure.axes
    places = drawn.data[["x", "y"]].astype(float)
    assert points_of(left) == sorted(places.itertuples(index=False, name=None))
    assert points_of(right) == sorted(places[drawn.data["kept"]].itertuples(index=False, name=None))
    assert [axis.get_title() for axis in (left, right)] == [
        "(a) All 30 examples of the sample",
        "(b) The 15 that pruning keeps",
    ]


def test_every_class_is_in_the_legend(drawn):
    assert {"0", "1", "2"} <= set(texts(drawn.figure))


def test_the_note_says_what_was_embedded_and_how_it_was_pruned(drawn):
    face = face_of(drawn.figure)
    assert "t-SNE of the images' pixels" in face
    assert "pruning by loss of all training images, p = 0.5, after epoch 1" in face
    assert "MNIST: 60,000 training images, mnist_cnn at 0.25 of its width" in face
    assert "no example is kept" not in face


def test_the_note_names_classes_of_which_nothing_is_kept(digits):
    scores = dataclasses.replace(digits.scores, loss=digits.scores.label + np.arange(60) / 100)
    drawn = figure2({"mnist": scores}, digits.dataset, digits.config)
    assert "no example is kept of class 2" in face_of(drawn.figure)

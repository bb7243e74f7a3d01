"""Figure 2, supplement: t-SNE of the network's features."""

import dataclasses

import numpy as np
import pytest
import torch
from figure_tools import face_of

from advprune.data.examples import load_examples
from advprune.errors import UserError
from advprune.figures.figure2 import embed, figure2
from advprune.figures.figure2_features import figure2_features
from advprune.networks.classifier import build_classifier
from advprune.networks.weights import save_weights
from advprune.spec.datasets import DATASETS


@pytest.fixture(scope="module")
def classifier():
    architecture = DATASETS["mnist"].architecture(normalise=False)
    return build_classifier("mnist_cnn", width=0.25, seed=7, **architecture)


@pytest.fixture(scope="module")
def scores(digits, classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("scores") / "model.safetensors"
    save_weights(path, classifier)
    return dataclasses.replace(digits.scores, model=path)


@pytest.fixture(scope="module")
def drawn(digits, scores):
    return figure2_features({"mnist": scores}, digits.dataset, digits.config)


def test_what_is_embedded_are_the_features_of_the_network_that_gave_the_scores(
    drawn, digits, classifier
):
    images, _ = load_examples(digits.dataset, "mnist", "train").batch(slice(30))
    with torch.no_grad():
        wanted = embed(classifier.features(images).numpy(), perplexity=5)
    assert np.allclose(drawn.data[["x", "y"]], wanted)


def test_the_same_examples_are_shown_and_kept_as_in_figure_2(drawn, digits):
    of_pixels = figure2({"mnist": digits.scores}, digits.dataset, digits.config)
    same = ["index", "label", "kept"]
    assert drawn.data[same].equals(of_pixels.data[same])
    assert not drawn.data["x"].equals(of_pixels.data["x"])


def test_the_note_says_what_was_embedded(drawn):
    assert "t-SNE of the network's penultimate features" in face_of(drawn.figure)


def test_the_weights_of_another_network_are_refused_by_name(digits, scores):
    config = digits.config | {"studies": {"mnist": {**digits.config["studies"]["mnist"]}}}
    config["studies"]["mnist"]["training"] = digits.config["studies"]["mnist"]["training"] | {
        "width": 0.5
    }
    with pytest.raises(UserError, match=f"{scores.model} cannot be used as weights of mnist_cnn"):
        figure2_features({"mnist": scores}, digits.dataset, config)

"""Scoring every example."""

import dataclasses

import numpy as np
import pytest
import torch
from builders import (
    PLAIN_DEEPFOOL,
    PRUNED_BEFORE,
    examples_for,
    linear_classifier,
    train_on_noise,
    training_spec,
)
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.training import scoring
from advprune.training.algorithm import train
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.scoring import deepfool_all
from advprune.training.state import generator_for, start


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        # f = x1 + x2 - 1 is 0.8 at (0.9, 0.9), and 0.6 at (0.8, 0.8), delta's end at the boundary.
        pytest.param("clean", 0.8 / 2**0.5, id="from x"),
        pytest.param("adversarial", 0.6 / 2**0.5, id="from x + delta"),
    ],
)
def test_the_distance_is_measured_from_the_points_asked_for(points, expected):
    model = linear_classifier(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([-1.0, 0.0]))
    examples = Examples(torch.full((1, 1, 1, 2), 0.9 * 255), torch.tensor([0]))
    found = deepfool_all(
        model,
        examples,
        dataclasses.replace(PLAIN_DEEPFOOL, points=points),
        threat=Threat(epsilon=0.1, step_size=0.2),  # so delta ends in a corner of the ball
        generator=torch.Generator().manual_seed(0),
    )
    assert found.distance.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("points", ["clean", "adversarial"])
def test_a_run_scores_the_points_asked_for(points, monkeypatch):
    seen = []

    def attack(model, images, *rest, **more):
        seen.append(len(images))
        return images

    monkeypatch.setattr(scoring, "rs_fgsm", attack)
    deepfool = dataclasses.replace(PLAIN_DEEPFOOL, points=points)
    train_on_noise(training_spec(method="low-deepfool", p="0.5", epochs=1, deepfool=deepfool))
    assert seen == {"clean": [], "adversarial": [40]}[points]


def test_deepfool_in_batches_is_deepfool_at_once(monkeypatch):
    spec = training_spec(method="low-deepfool", p="0.5")
    at_once = train_on_noise(spec).distance
    monkeypatch.setattr(scoring, "SCORING_BATCH", 7)
    np.testing.assert_allclose(train_on_noise(spec).distance, at_once, rtol=1e-3)


def test_pruned_before_an_epoch_the_loss_is_that_of_a_pass_of_its_own_at_x_plus_delta():
    spec = training_spec(method="low-loss", p="0.5", pruning=PRUNED_BEFORE, epochs=1)
    examples = examples_for(spec)
    network = start(spec, examples).classifier.eval()
    images, labels = examples.batch(slice(None))
    noise = generator_for(spec, "scoring", 1, torch.device("cpu"))
    threat = Threat(spec.epsilon, spec.step_size)
    attacked = rs_fgsm(network, images, labels, threat=threat, generator=noise)
    expected = -functional.cross_entropy(network(attacked), labels, reduction="none").detach()
    np.testing.assert_allclose(train(spec, examples).distance, expected, rtol=1e-5)

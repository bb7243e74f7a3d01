"""Classifiers: networks with the normalisation of their images inside."""

import pytest
import torch
from builders import COLOUR, same_tensors, small_classifier
from torch import nn

from advprune.spec.networks import NETWORKS


@pytest.mark.parametrize("network", NETWORKS)
def test_features_are_what_the_last_layer_turns_into_logits(network):
    classifier = small_classifier(network, shape=COLOUR).eval()
    last = [module for module in classifier.modules() if isinstance(module, nn.Linear)][-1]
    images = torch.rand(3, *COLOUR)
    assert torch.equal(last(classifier.features(images)), classifier(images))


def test_taking_features_leaves_no_hook_behind():
    classifier = small_classifier()
    classifier.features(torch.rand(1, 1, 8, 8))
    assert not any(module._forward_pre_hooks for module in classifier.modules())


def test_the_normalisation_is_worked_out_by_hand():
    normalise = small_classifier(shape=(2, 8, 8), normalisation=((0.5, 0.1), (0.25, 0.2))).normalise
    pixels = torch.tensor([1.0, 0.5]).view(1, 2, 1, 1)
    assert normalise(pixels).flatten().tolist() == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_normalisation_is_inside_the_network(network):
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    inside = small_classifier(network, shape=COLOUR, normalisation=(mean, deviation)).eval()
    without = small_classifier(network, shape=COLOUR).eval()
    images = torch.rand(3, *COLOUR)
    outside = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)
    torch.testing.assert_close(inside(images), without(outside))


def test_without_normalisation_images_go_in_as_they_are():
    classifier = small_classifier()
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(classifier(images), classifier.network(images))


def test_the_normalisation_is_not_among_the_weights():
    normalised = small_classifier(normalisation=((0.1,), (0.3,)))
    assert normalised.state_dict().keys() == small_classifier().state_dict().keys()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_seed_draws_the_same_weights(network):
    first = small_classifier(network, seed=4).state_dict()
    torch.rand(1)
    assert same_tensors(small_classifier(network, seed=4).state_dict(), first)


@pytest.mark.parametrize("network", NETWORKS)
def test_another_seed_draws_other_weights(network):
    first, second = (next(small_classifier(network, seed=seed).parameters()) for seed in (4, 5))
    assert not torch.equal(first, second)


def test_building_a_network_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    small_classifier(seed=4)
    assert torch.equal(torch.get_rng_state(), before)

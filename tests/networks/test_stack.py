"""Networks that are computed together, as one stack."""

import pytest
import torch
from builders import small_classifier
from torch import nn
from torch.nn import functional

from advprune.networks.classifier import Classifier, Normalise
from advprune.networks.stack import LAYERS, Stack, Windows, can_be_stacked

SEEDS = range(3)


@pytest.mark.parametrize(
    ("kernel", "stride"), [((2, 2), (1, 1)), ((4, 4), (2, 2)), ((3, 2), (2, 1)), ((1, 1), (3, 3))]
)
def test_windows_are_those_of_unfold(kernel, stride):
    images = torch.rand(2, 3, 7, 8, 5)
    expected = torch.stack(
        [functional.unfold(each.permute(3, 0, 1, 2), kernel, stride=stride) for each in images]
    )
    seen = Windows.apply(images, kernel, stride).flatten(1, 3).flatten(2, 3)
    torch.testing.assert_close(seen, expected.permute(0, 2, 3, 1))


def test_the_gradient_of_windows_is_the_sum_over_the_places_where_a_value_is_seen():
    images = torch.rand(2, 1, 6, 5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: Windows.apply(each, (3, 2), (2, 1)), images)


NETWORKS = {
    nn.Conv2d: lambda: [
        nn.Conv2d(2, 3, 3, stride=2, padding=(0, 2)),
        nn.Conv2d(3, 1, (1, 2), bias=False),
    ],
    nn.Linear: lambda: [nn.Flatten(), nn.Linear(128, 5), nn.Linear(5, 4, bias=False)],
    nn.ReLU: lambda: [nn.ReLU()],
    nn.Flatten: lambda: [nn.Flatten()],
    nn.Identity: lambda: [nn.Identity()],
    Normalise: lambda: [Normalise([0.5, 0.2], [1.0, 3.0])],
}


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_a_stack_computes_what_each_of_its_networks_computes(kind):
    networks = [
        Classifier(nn.Sequential(*NETWORKS[kind](), nn.Flatten()), nn.Identity()) for _ in SEEDS
    ]
    images = torch.rand(3, 4, 2, 8, 8)
    expected = [network(each) for network, each in zip(networks, images, strict=True)]
    torch.testing.assert_close(Stack(networks)(images), torch.stack(expected))


def test_what_a_stack_has_learned_is_written_back_into_its_networks():
    networks = [small_classifier(seed=seed) for seed in SEEDS]
    stack = Stack(networks)
    with torch.no_grad():
        stack.parameters[0][1] += 1
    stack.write_back()
    assert torch.equal(next(networks[1].parameters()), stack.parameters[0][1])


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (lambda: small_classifier(), True),
        (lambda: small_classifier("preact_resnet18"), False),
        (lambda: Classifier(nn.Sequential(nn.Conv2d(2, 2, 1, groups=2)), nn.Identity()), False),
        (lambda: Classifier(nn.Sequential(nn.Conv2d(2, 2, 2, dilation=2)), nn.Identity()), False),
        (lambda: Classifier(nn.Sequential(nn.Sigmoid()), nn.Identity()), False),
    ],
    ids=["MNIST's", "a ResNet", "groups", "dilation", "an unknown layer"],
)
def test_a_network_can_be_stacked_if_it_is_a_sequence_of_known_layers(network, expected):
    assert can_be_stacked(network()) is expected

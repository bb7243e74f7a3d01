"""The networks of Figure 7."""

import pytest
import torch
from builders import COLOUR, GREY, small_classifier
from torch import nn

from advprune.spec.networks import NETWORKS


def build(network, **changes):
    """A network of the paper's size."""
    return small_classifier(network, **({"shape": COLOUR, "width": 1.0} | changes))


def multiplications(classifier, shape):
    """Multiplications in convolutions and linear layers for one image."""
    counted = []

    def count(module, _, output):
        if isinstance(module, nn.Conv2d | nn.Linear):
            counted.append(output[0].numel() * module.weight[0].numel())

    for module in classifier.modules():
        module.register_forward_hook(count)
    classifier.eval()(torch.zeros(1, *shape))
    return sum(counted)


@pytest.mark.parametrize(
    ("network", "shape", "expected"),
    [
        pytest.param("preact_resnet18", COLOUR, 555e6, id="as in Wong et al. (2020)"),
        pytest.param("preact_resnet18_large_stem", COLOUR, 37e6, id="as in the released code"),
        # 16 * 14^2 * 16 + 32 * 7^2 * 256 + 1568 * 100 + 100 * 10
        pytest.param("mnist_cnn", GREY, 609_384, id="MNIST's, worked out by hand"),
    ],
)
def test_multiplications_for_one_image(network, shape, expected):
    assert multiplications(build(network, shape=shape), shape) == pytest.approx(expected, rel=0.01)


def test_mnists_network_has_the_layers_of_figure_7():
    shapes = [tuple(value.shape) for value in build("mnist_cnn", shape=GREY).parameters()]
    assert shapes == [
        (16, 1, 4, 4),
        (16,),
        (32, 16, 4, 4),
        (32,),
        (100, 1568),
        (100,),
        (10, 100),
        (10,),
    ]


@pytest.mark.parametrize("network", ["preact_resnet18", "preact_resnet18_large_stem"])
def test_a_resnet18_has_eighteen_layers_with_weights(network):
    shortcuts = 3  # 1x1 convolutions where the shape changes, which the name does not count
    layers = [m for m in build(network).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 18 + shortcuts


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("classes", [2, 10])
def test_every_network_gives_a_logit_for_each_class(network, shape, classes):
    classifier = build(network, shape=shape, width=0.1, classes=classes).eval()
    assert classifier(torch.rand(2, *shape)).shape == (2, classes)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_built_with_hardly_any_filters(network):
    assert build(network, width=0.001).eval()(torch.rand(1, *COLOUR)).isfinite().all()


def test_the_width_multiplies_the_number_of_filters():
    network = build("mnist_cnn", shape=GREY, width=0.5).network
    assert [network[0].out_channels, network[2].out_channels, network[5].out_features] == [
        8,
        16,
        50,
    ]

"""The networks compute what the originals do: logits of networks filled by a formula."""

import json
import math
from pathlib import Path

import pytest
import torch
from formula import fill, images, logits_in_turn
from torch import nn

from advprune.networks import architectures

FIXTURES = json.loads((Path(__file__).parent / "original_networks.json").read_text())
NAMES = list(FIXTURES)


def build(name):
    _, channels, size = FIXTURES[name]["images"]
    return getattr(architectures, name)(channels=channels, size=size, classes=10, width=1.0)


@pytest.fixture(scope="module")
def computed():
    """Network to turn to logits, ours."""
    return {
        name: logits_in_turn(fill(build(name)), images(*FIXTURES[name]["images"])) for name in NAMES
    }


@pytest.mark.parametrize("turn", ["eval", "train", "eval_after_train"])
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_the_original(computed, name, turn):
    torch.testing.assert_close(
        torch.tensor(computed[name][turn], dtype=torch.float64),
        torch.tensor(FIXTURES[name]["logits"][turn], dtype=torch.float64),
        rtol=1e-9,
        atol=0,
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_has_as_many_parameters_and_batch_normalisations_as_the_original(name):
    network, expected = build(name), FIXTURES[name]["initialisation"]
    assert sum(value.numel() for value in network.parameters()) == expected["parameters"]
    assert (
        sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        == expected["batch_normalisations"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_initial_weights_are_distributed_as_the_originals(name):
    torch.manual_seed(1)
    network = build(name)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    ours = sorted(
        [list(w.shape), w.std().item(), (w.abs().max() / w.std()).item()]
        for w in (layer.weight for layer in layers)
    )
    for (shape, deviation, largest), (shape_, deviation_, largest_) in zip(
        ours, FIXTURES[name]["initialisation"]["layers"], strict=True
    ):
        assert shape == shape_
        # Two samples of n normal numbers have deviations whose ratio is off 1 by about 1/sqrt(n).
        assert deviation == pytest.approx(deviation_, rel=5 / math.sqrt(math.prod(shape)))
        assert (largest > 2.2) == (largest_ > 2.2), "uniform or normal"


@pytest.mark.parametrize("name", NAMES)
def test_batch_normalisation_starts_as_the_identity(name):
    for module in build(name).modules():
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and (module.bias == 0).all()

"""How a run begins: its weights, its optimiser and its random numbers."""

import dataclasses
import itertools

import pytest
import torch
from builders import (
    WIDE,
    examples_for,
    numerics,
    random_examples,
    resnet_spec,
    same_tensors,
    training_spec,
    weights_of,
)

from advprune.errors import UserError
from advprune.networks.classifier import Normalise
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.training.state import generator_for, has_channels_last, start

CPU = torch.device("cpu")


def test_another_seed_gives_other_initial_weights():
    first, second = (start(training_spec(seed=s), random_examples()) for s in (0, 1))
    assert not same_tensors(weights_of(first), weights_of(second))


def test_all_methods_share_their_initial_weights():
    specs = [training_spec(method=method, p="0.5") for method in METHODS]
    first, *others = [weights_of(start(spec, examples_for(spec))) for spec in specs]
    assert all(same_tensors(other, first) for other in others)


def test_each_epoch_has_an_order_and_noise_of_its_own():
    spec = training_spec()
    draws = [
        torch.rand(4, generator=generator_for(spec, purpose, epoch, CPU))
        for purpose, epoch in itertools.product(("order", "random start", "augmentation"), (1, 2))
    ]
    assert len({tuple(draw.tolist()) for draw in draws}) == 6


RUNS = [("full", "1.0", 1), ("random", "0.5", 1), ("random", "0.6", 1), ("random", "0.6", 2)]
UNPAIRED = [training_spec(method=m, p=p, e=e, paired_seeds=False) for m, p, e in RUNS]


def test_runs_that_are_not_paired_share_no_initial_weights():
    states = [start(spec, examples_for(spec)) for spec in UNPAIRED]
    assert len({weights_of(state)["0.weight"].sum().item() for state in states}) == len(RUNS)


@pytest.mark.parametrize("purpose", ["order", "random start", "augmentation", "scoring"])
def test_runs_that_are_not_paired_share_no_stream_of_an_epoch(purpose):
    seeds = {generator_for(spec, purpose, 1, CPU).initial_seed() for spec in UNPAIRED}
    assert len(seeds) == len(RUNS)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
@pytest.mark.parametrize("normalise", [True, False])
def test_the_network_normalises_only_if_asked_to(dataset, normalise):
    kind = {"mnist": training_spec, "cifar10": resnet_spec}[dataset]
    spec = kind(normalise=normalise)
    inside = start(spec, examples_for(spec)).classifier.normalise
    assert isinstance(inside, Normalise) is normalise
    if normalise:
        assert inside.mean.flatten().tolist() == pytest.approx(DATASETS[dataset].mean)


@pytest.mark.parametrize(
    ("name", "expected"), [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_the_optimiser_is_the_one_asked_for(name, expected):
    spec = training_spec(optimiser=name, weight_decay=0.25, momentum=0.7)
    optimiser = start(spec, examples_for(spec)).optimiser
    assert isinstance(optimiser, expected)
    assert optimiser.defaults["weight_decay"] == 0.25
    assert optimiser.defaults.get("momentum", 0.7) == 0.7


def test_channels_last_are_refused_on_a_cpu_where_onednn_would_train_wrongly():
    spec = resnet_spec(width=WIDE / 2, numerics=numerics(channels_last=True))
    with pytest.raises(UserError, match=r"channels_last .* 8 input channels: .* 16 or more"):
        start(spec, examples_for(spec))


@pytest.mark.parametrize(
    ("spec", "device", "expected"),
    [
        pytest.param(training_spec(), "cpu", True, id="MNIST's network on a CPU"),
        pytest.param(resnet_spec(width=WIDE), "cpu", True, id="a ResNet wide enough"),
        pytest.param(resnet_spec(width=WIDE / 2), "cpu", False, id="that oneDNN trains wrongly"),
        pytest.param(training_spec(), "cuda", False, id="on a GPU"),
    ],
)
def test_channels_are_last_of_themselves_where_it_is_faster_and_safe(spec, device, expected):
    spec = dataclasses.replace(spec, numerics=numerics(channels_last="auto"))
    assert has_channels_last(spec, torch.device(device)) is expected

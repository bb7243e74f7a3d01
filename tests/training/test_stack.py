"""Networks that are computed and trained together, as one stack."""

import copy
import dataclasses

import pytest
import torch
from builders import (
    EARLY_STOPPING,
    examples_for,
    numerics,
    resnet_spec,
    same_tensors,
    small_classifier,
    training_spec,
    weights_of,
)
from torch import nn
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.networks.classifier import Classifier, Normalise
from advprune.training.algorithm import Member, train, train_together
from advprune.training.checkpoints import resume, save_checkpoint
from advprune.training.job import stacks
from advprune.training.stack import LAYERS, Stack, Windows, can_be_stacked
from advprune.training.state import start

SEEDS = range(3)
EXAMPLES = examples_for(training_spec())


class DoubleExamples(Examples):
    """Images in double precision, in which everything computed from them is then."""

    def batch(self, which):
        images, labels = super().batch(which)
        return images.double(), labels


def members_of(spec, examples=EXAMPLES, **settings):
    """Three seeds of a run, to be trained as a stack."""
    found = []
    for seed in SEEDS:
        own = spec.of_seed(seed)
        state = start(own, examples)
        state.stacked = len(SEEDS)
        found.append(Member(own, state, **settings))
    return found


def train_stacked(spec, examples=EXAMPLES, members=None, **settings):
    """The states of three seeds at the end of their training as a stack."""
    members = members or members_of(spec, examples)
    train_together(members, examples, **settings)
    return [member.state for member in members]


def train_each_alone(spec, examples=EXAMPLES, **settings):
    return [train(spec.of_seed(seed), examples, **settings) for seed in SEEDS]


def bits_of(states):
    return [weights_of(state) for state in states]


# What a stack computes


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


# What becomes of networks that are trained in one

KINDS = {
    "all data": training_spec(batch_size=7),
    "pruned by loss": training_spec(method="low-loss", p="0.5", e=2),
    "pruned by DeepFool": training_spec(method="low-deepfool", p="0.5"),
    "SGD, normalised": training_spec(optimiser="sgd", normalise=True, weight_decay=1e-3),
    "no adversary": training_spec(method="standard"),
    "augmented": training_spec(augment=True, epochs=2),
}


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS)
def test_in_double_precision_a_network_in_a_stack_is_the_one_trained_alone(spec):
    examples = DoubleExamples(EXAMPLES.images, EXAMPLES.labels)
    members = members_of(spec, examples)
    alone = [start(member.spec, examples) for member in members]
    for state in (*alone, *(member.state for member in members)):
        state.classifier.double()
    for own, state in zip((member.spec for member in members), alone, strict=True):
        train(own, examples, state=state)
    for stacked, single in zip(train_stacked(spec, examples, members), alone, strict=True):
        assert torch.equal(stacked.kept, single.kept)
        assert [each.examples for each in stacked.curve] == [each.examples for each in single.curve]
        for name, value in single.classifier.state_dict().items():
            torch.testing.assert_close(
                stacked.classifier.state_dict()[name], value, rtol=0, atol=1e-9
            )


@pytest.mark.parametrize("spec", KINDS.values(), ids=KINDS)
def test_in_single_precision_the_first_epochs_losses_are_those_of_networks_alone(spec):
    together = train_stacked(spec, stop_after=1)
    for stacked, alone in zip(together, train_each_alone(spec, stop_after=1), strict=True):
        torch.testing.assert_close(stacked.losses, alone.losses, rtol=1e-4, atol=1e-4)


def test_distances_in_the_pass_are_those_of_networks_alone():
    spec = training_spec(method="low-deepfool", p="0.5")
    settings = {"stop_after": 1, "in_pass": spec.deepfool}
    together = train_stacked(spec, **settings)
    for stacked, alone in zip(together, train_each_alone(spec, **settings), strict=True):
        torch.testing.assert_close(
            stacked.distances.distance, alone.distances.distance, rtol=1e-3, atol=1e-4
        )


def test_a_network_that_diverges_does_not_touch_its_neighbours():
    spec = training_spec()
    healthy = bits_of(train_stacked(spec))
    members = members_of(spec)
    next(members[1].state.classifier.parameters()).data.fill_(torch.nan)
    states = train_stacked(spec, members=members)
    assert states[1].diverged_epoch == 1
    for seed in (0, 2):
        assert same_tensors(weights_of(states[seed]), healthy[seed])


def test_a_network_that_stops_early_does_not_touch_its_neighbours():
    spec = training_spec(epochs=4, early_stopping=EARLY_STOPPING)
    members = members_of(spec)
    whole = train_stacked(spec, members=members, validation=EXAMPLES)
    members = members_of(spec)
    members[1].state.validation.stopped_epoch = 0.5  # before the first epoch's end
    before = copy.deepcopy(weights_of(members[1].state))
    states = train_stacked(spec, members=members, validation=EXAMPLES)
    assert same_tensors(weights_of(states[1]), before)
    for seed in (0, 2):
        assert same_tensors(weights_of(states[seed]), weights_of(whole[seed]))


@pytest.mark.parametrize("last", SEEDS)
@pytest.mark.parametrize("spec", [KINDS["pruned by loss"], KINDS["SGD, normalised"]])
def test_a_stack_that_was_killed_goes_on_to_the_same_bits(tmp_path, spec, last):
    uninterrupted = bits_of(train_stacked(spec))

    def path_of(own):
        return tmp_path / str(own.run.seed)

    def saving(own):
        def save(state):
            save_checkpoint(path_of(own), state, own.digest)
            if state.epoch == 2 and own.run.seed == last:
                raise KeyboardInterrupt

        return save

    members = members_of(spec)
    for member in members:
        member.save = saving(member.spec)
    with pytest.raises(KeyboardInterrupt):
        train_together(members, EXAMPLES)
    for member in members:
        member.state = resume(path_of(member.spec), member.spec, EXAMPLES, member.spec.digest)
        member.save = lambda state: None
    assert {member.state.epoch for member in members} == ({2} if last == 2 else {1, 2})
    train_together(members, EXAMPLES)
    for member, expected in zip(members, uninterrupted, strict=True):
        assert same_tensors(weights_of(member.state), expected)


def test_the_seconds_of_a_stack_are_shared_out():
    states = train_stacked(training_spec())
    (shares,) = {state.stopwatch.seconds["training"] for state in states}
    assert shares > 0


# Which runs are


@pytest.mark.parametrize(
    ("device", "spec", "alone", "expected"),
    [
        pytest.param("cpu", training_spec(), 0, [[0], [1], [2], [3]], id="none on a CPU"),
        pytest.param("cuda", training_spec(), 0, [[0, 1, 2, 3]], id="all on a GPU"),
        pytest.param("cuda", training_spec(), 2, [[0], [1], [2, 3]], id="but the first seeds"),
        pytest.param("cuda", training_spec(), 9, [[0], [1], [2], [3]], id="all seeds are first"),
        pytest.param("cuda", resnet_spec(), 0, [[0], [1], [2], [3]], id="no ResNets"),
        pytest.param(
            *("cuda", training_spec(numerics=numerics(precision="float16")), 0),
            [[0], [1], [2], [3]],
            id="none in half precision",
        ),
        pytest.param(
            *("cuda", training_spec(numerics=numerics(compile=True)), 0),
            [[0], [1], [2], [3]],
            id="none that is compiled",
        ),
    ],
)
def test_networks_that_can_be_stacked_are_on_a_gpu(device, spec, alone, expected):
    specs = [dataclasses.replace(spec).of_seed(seed) for seed in range(4)]
    found = stacks(specs, torch.device(device), alone=alone)
    assert [[each.run.seed for each in stack] for stack in found] == expected

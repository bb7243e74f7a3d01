"""One epoch: what the network is trained on, its updates, and how the arithmetic is done."""

import dataclasses
import functools
import shutil

import pytest
import torch
from builders import (
    PLAIN,
    WIDE,
    examples_for,
    numerics,
    resnet_spec,
    same_tensors,
    train_on_noise,
    training_spec,
    weights_of,
)
from torch import nn
from torch.nn import functional

from advprune.spec.networks import NETWORKS, Network
from advprune.training import algorithm, epoch
from advprune.training.algorithm import train
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.augmentation import crop_and_flip
from advprune.training.epoch import shuffled, split_into_batches
from advprune.training.schedule import cyclic_learning_rate
from advprune.training.state import generator_for, start

KINDS = [
    pytest.param(training_spec, id="MNIST's recipe"),
    pytest.param(resnet_spec, id="CIFAR10's recipe"),
]


# What the network is trained on, and the loss as it was then


def images_trained_on(spec, examples):
    """The first epoch's images, in the order trained on, if the initial weights never change."""
    state = start(spec, examples)
    state.classifier.train()
    cpu = torch.device("cpu")
    order = shuffled(state.kept, generator_for(spec, "order", 1, cpu))
    noise = generator_for(spec, "random start", 1, cpu)
    crops = generator_for(spec, "augmentation", 1, cpu)
    for which in order.split(spec.batch_size):
        images, labels = examples.batch(which)
        if spec.augment:
            images = crop_and_flip(images, generator=crops)
        if spec.epsilon:
            threat = Threat(spec.epsilon, spec.step_size)
            images = rs_fgsm(state.classifier, images, labels, threat=threat, generator=noise)
        yield which, state.classifier(images), labels


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(training_spec(method="standard"), id="no adversary: the images as they are"),
        pytest.param(training_spec(), id="adversarial images"),
        pytest.param(
            resnet_spec(batch_size=40), id="cropped, flipped, adversarial, with batch statistics"
        ),
        pytest.param(training_spec(batch_size=7), id="a last batch that is not full"),
    ],
)
def test_the_loss_recorded_is_that_of_the_images_trained_on(spec):
    still = dataclasses.replace(spec, max_learning_rate=1e-30, epochs=1, weight_decay=0.0)
    examples = examples_for(still)
    expected = torch.empty(40)
    for which, logits, labels in images_trained_on(still, examples):
        expected[which] = functional.cross_entropy(logits, labels, reduction="none").detach()
    torch.testing.assert_close(train(still, examples).losses, expected, rtol=1e-4, atol=1e-5)


def test_the_loss_recorded_is_that_before_the_update():
    spec = training_spec(method="standard", batch_size=40, peak=0.5, epochs=2)
    examples = examples_for(spec)
    images, labels = examples.batch(slice(None))
    logits = start(spec, examples).classifier(images)
    expected = functional.cross_entropy(logits, labels, reduction="none").detach()
    torch.testing.assert_close(train(spec, examples, stop_after=1).losses, expected)


def test_the_curve_holds_the_mean_loss_and_accuracy_of_the_images_trained_on():
    spec = training_spec(batch_size=7, max_learning_rate=1e-30, epochs=1)
    examples = examples_for(spec)
    state = train(spec, examples)
    right = sum(
        (logits.argmax(dim=1) == labels).sum().item()
        for _, logits, labels in images_trained_on(spec, examples)
    )
    assert state.curve[0].loss == pytest.approx(state.losses.mean().item())
    assert state.curve[0].accuracy == right / 40


def test_a_network_left_in_evaluation_mode_is_put_in_training_mode():
    spec = resnet_spec()
    left_alone = train_on_noise(spec)
    switched = train_on_noise(spec, save=lambda state: state.classifier.eval())
    assert same_tensors(weights_of(switched), weights_of(left_alone))


# The learning rate and the optimiser


def test_the_learning_rate_is_the_schedules():
    spec = training_spec(method="random", p="0.5", epochs=4)
    applied = {}
    train_on_noise(
        spec,
        save=lambda state: applied.update({state.epoch: state.optimiser.param_groups[0]["lr"]}),
    )
    expected = [
        cyclic_learning_rate(epoch=epoch, batch=1, batches=1, epochs=4, maximum=0.01, peak=0.4)
        for epoch in (1, 2, 3, 4)
    ]
    assert list(applied.values()) == pytest.approx(expected)


def test_the_curve_holds_the_learning_rate():
    curve = train_on_noise(training_spec(epochs=5)).curve
    assert [record.learning_rate for record in curve] == pytest.approx(
        [0.005, 0.01, 0.02 / 3, 0.01 / 3, 0]
    )


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_one_step_of_sgd_is_that_worked_out_by_hand(weight_decay):
    spec = training_spec(
        method="standard",
        optimiser="sgd",
        weight_decay=weight_decay,
        epochs=2,
        peak=0.5,
        batch_size=40,
        max_learning_rate=0.1,
    )
    examples = examples_for(spec)
    network = start(spec, examples).classifier
    images, labels = examples.batch(slice(None))
    functional.cross_entropy(network(images), labels).backward()
    after = train(spec, examples, stop_after=1).classifier
    for old, new in zip(network.parameters(), after.parameters(), strict=True):
        expected = old - 0.1 * (old.grad + weight_decay * old)
        torch.testing.assert_close(new, expected, rtol=1e-5, atol=1e-6)


# How the arithmetic is done


def first_loss(spec):
    return train_on_noise(dataclasses.replace(spec, epochs=1), count=10).curve[0].loss


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("switch", "tolerance"),
    [
        pytest.param({"precision": "bfloat16"}, 0.05, id="bfloat16"),
        pytest.param({"precision": "float16"}, 0.05, id="float16"),
        pytest.param({"channels_last": True}, 1e-2, id="channels last"),
        pytest.param({"deterministic": True}, 1e-6, id="deterministic"),
    ],
)
@pytest.mark.usefixtures("restored_determinism")
def test_each_switch_of_the_arithmetic_gives_about_the_same_loss(kind, switch, tolerance):
    switched = first_loss(kind(width=WIDE, numerics=numerics(**switch)))
    assert switched == pytest.approx(first_loss(kind(width=WIDE)), rel=tolerance)


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param({"precision": "bfloat16"}, id="bfloat16"),
        pytest.param({"channels_last": True}, id="channels last"),
        pytest.param({"deterministic": True}, id="deterministic"),
    ],
)
@pytest.mark.usefixtures("restored_determinism")
def test_each_switch_of_the_arithmetic_is_reproducible(switch):
    spec = resnet_spec(width=WIDE, numerics=numerics(**switch), epochs=2)
    first, second = (weights_of(train_on_noise(spec)) for _ in range(2))
    assert same_tensors(first, second)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_layers_compute_in_the_precision_asked_for(precision):
    spec = training_spec(numerics=numerics(precision=precision), epochs=1)
    examples = examples_for(spec)
    state = start(spec, examples)
    seen = set()
    state.classifier.network[0].register_forward_hook(lambda *call: seen.add(call[2].dtype))
    train(spec, examples, state=state)
    assert seen == {getattr(torch, precision)}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_weights_and_losses_stay_in_float32_whatever_the_precision(precision):
    state = train_on_noise(training_spec(numerics=numerics(precision=precision), epochs=1))
    kinds = {value.dtype for value in state.classifier.parameters()} | {state.losses.dtype}
    assert kinds == {torch.float32}


@pytest.mark.parametrize("asked", [True, False])
def test_weights_are_laid_out_channels_last_if_asked(asked):
    spec = resnet_spec(width=WIDE, numerics=numerics(channels_last=asked), epochs=1)
    weight = train_on_noise(spec).classifier.network.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) is asked


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.usefixtures("restored_determinism")
def test_pytorch_is_held_to_deterministic_algorithms_if_asked(asked):
    train_on_noise(training_spec(numerics=numerics(deterministic=asked), epochs=1))
    assert torch.are_deterministic_algorithms_enabled() is asked


def small_network_with_batch_statistics(*, channels, size, classes, width):
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, stride=4),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * (size // 4) ** 2, classes),
    )


@pytest.fixture
def small_network(monkeypatch):
    """A network that can be named and is compiled in seconds."""
    code = f"{__name__}:small_network_with_batch_statistics"
    monkeypatch.setitem(NETWORKS, "small", Network(code))
    torch.compiler.reset()


@pytest.fixture
def compilable(tmp_path, monkeypatch, small_network):
    """A specification that is compiled."""
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("compiling needs a C++ compiler")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    return training_spec(network="small", numerics=numerics(compile=True), epochs=1)


@pytest.mark.slow
def test_a_compiled_network_gives_about_the_same_loss(compilable, tmp_path):
    compiled = train_on_noise(compilable).curve[0].loss
    plain = train_on_noise(dataclasses.replace(compilable, numerics=PLAIN)).curve[0].loss
    assert any(tmp_path.rglob("*.so"))  # something was compiled
    assert compiled == pytest.approx(plain, rel=1e-2)


@pytest.mark.slow
def test_compiling_leaves_weights_and_batch_statistics_as_they_were(compilable):
    examples = examples_for(compilable)
    state = start(compilable, examples)
    before = weights_of(state)
    epoch.prepare(state.classifier, compilable, examples)
    assert same_tensors(weights_of(state), before)
    assert all(parameter.grad is None for parameter in state.classifier.parameters())


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param({}, id="plain"),
        pytest.param({"channels_last": True}, id="channels last"),
        pytest.param({"precision": "bfloat16"}, id="bfloat16"),
    ],
)
def test_nothing_is_compiled_in_the_time_measured(switch, monkeypatch, small_network):
    compiled, measured = [], []
    real_compile, real_epoch = torch.compile, algorithm.train_one_epoch

    def count(graph, _):
        compiled.append(graph)
        return graph

    def measure(*arguments):
        before = len(compiled)
        losses = real_epoch(*arguments)
        measured.append(len(compiled) - before)
        return losses

    monkeypatch.setattr(torch, "compile", functools.partial(real_compile, backend=count))
    monkeypatch.setattr(algorithm, "train_one_epoch", measure)
    train_on_noise(resnet_spec(network="small", numerics=numerics(compile=True, **switch)), 37)
    assert compiled
    assert measured == [0, 0, 0]


@pytest.mark.parametrize(
    ("count", "normalised", "sizes"),
    [
        pytest.param(10, True, [5, 5], id="no remainder"),
        pytest.param(12, True, [5, 5, 2], id="a smaller last batch"),
        pytest.param(11, True, [5, 6], id="a single image joins the batch before"),
        pytest.param(11, False, [5, 5, 1], id="unless batches are not normalised"),
        pytest.param(1, True, [1], id="a single image in all"),
    ],
)
def test_a_last_batch_that_is_normalised_is_never_a_single_image(count, normalised, sizes):
    order = torch.arange(2 * count).view(2, count)  # of two networks
    batches = split_into_batches(order, 5, normalised=normalised)
    assert [batch.shape[1] for batch in batches] == sizes
    assert torch.equal(torch.cat(batches, dim=1), order)

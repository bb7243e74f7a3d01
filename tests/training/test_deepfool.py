"""DeepFool's distance to the decision boundary."""

import dataclasses
import math

import pytest
import torch
from builders import (
    PLAIN_DEEPFOOL,
    linear_classifier,
    random_examples,
    same_tensors,
    small_classifier,
)
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from advprune.training.deepfool import deepfool

both_targets = pytest.mark.parametrize(
    "fixed_target", [True, False], ids=["l-hat fixed", "l-hat anew"]
)


def run(model, images, **changes):
    settings = {"max_iterations": 50, "fixed_target": False, **changes}
    return deepfool(model, images, dataclasses.replace(PLAIN_DEEPFOOL, **settings))


class OfOnePixel(nn.Module):
    """Logits that are given functions of an image's only pixel."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = logits

    def forward(self, images):
        pixel = images.flatten(1)[:, 0]
        return torch.stack([logit(pixel) for logit in self.logits], dim=1)


def pixel(*values):
    return torch.tensor(values).view(-1, 1, 1, 1)


def network(name="mnist_cnn"):
    return small_classifier(name, shape=(3, 16, 16), width=0.125, seed=3)


@given(seed=st.integers(0, 100_000), classes=st.integers(2, 12), fixed_target=st.booleans())
def test_on_a_linear_network_the_distance_is_that_to_the_nearest_hyperplane(
    seed, classes, fixed_target
):
    random = torch.Generator().manual_seed(seed)
    weights = torch.randn(classes, 12, generator=random)
    bias = torch.randn(classes, generator=random)
    images = torch.rand(5, 3, 2, 2, generator=random)
    result = run(linear_classifier(weights, bias), images, fixed_target=fixed_target)

    expected = []
    for logits in images.flatten(1) @ weights.T + bias:
        own = logits.argmax()
        expected.append(
            min(
                ((logits[own] - logits[k]) / (weights[own] - weights[k]).norm()).item()
                for k in range(classes)
                if k != own
            )
        )
    torch.testing.assert_close(result.distance, torch.tensor(expected), rtol=1e-3, atol=1e-5)


@both_targets
def test_on_a_linear_network_one_step_is_enough(fixed_target):
    images = random_examples(20, shape=(1, 3, 3)).batch(slice(None))[0]
    model = linear_classifier(torch.randn(10, 9, generator=torch.Generator().manual_seed(1)))
    result = run(model, images, fixed_target=fixed_target)
    assert result.converged.all()
    assert (result.iterations == 1).all()


@pytest.mark.parametrize("overshoot", [0.0001, 0.02, 0.5])
def test_the_overshoot_is_not_part_of_the_distance(overshoot):
    model = OfOnePixel(lambda x: 0 * x, lambda x: x - 2)
    assert run(model, pixel(0.0), overshoot=overshoot).distance.item() == pytest.approx(2.0)


@both_targets
@pytest.mark.parametrize("max_iterations", [1, 3, 7])
def test_an_image_that_never_flips_has_walked_the_sum_of_its_steps(max_iterations, fixed_target):
    # The gap exp (-x) equals its slope everywhere: each step is 1 long and none is the last.
    model = OfOnePixel(lambda x: torch.exp(-x), lambda x: 0 * x)
    result = run(model, pixel(0.0), max_iterations=max_iterations, fixed_target=fixed_target)
    assert not result.converged.item()
    assert result.iterations.item() == max_iterations
    assert result.distance.item() == pytest.approx(max_iterations, rel=1e-4)


def test_where_unconverged_images_count_as_nearest_they_are_at_distance_0():
    # The second image is one step of 0.5 from the boundary; two steps of 1 lead the first nowhere.
    model = OfOnePixel(lambda x: torch.where(x > 3, x - 3.5, torch.exp(-x)), lambda x: 0 * x)
    results = [
        run(model, pixel(0.0, 4.0), max_iterations=2, fixed_target=True, unconverged=unconverged)
        for unconverged in ("zero", "length_walked")
    ]
    assert [result.converged.tolist() for result in results] == [[False, True]] * 2
    assert results[0].distance.tolist() == pytest.approx([0.0, 0.5])
    assert results[1].distance.tolist() == pytest.approx([2.0, 0.5])


def test_newtons_steps_on_a_parabola_are_those_worked_out_by_hand():
    # f_0 - f_1 = 4 - x^2 from x = 1: a step of 3 / 2, to 2.5, past the boundary at 2.
    model = OfOnePixel(lambda x: 4 - x**2, lambda x: 0 * x)
    result = run(model, pixel(1.0), overshoot=0.0)
    assert result.distance.item() == pytest.approx(1.5)
    assert result.converged.item()


# Class 1 is nearest at 0 by the slope, but flattens out below class 0; class 2 is reached at 3.
DECOY = OfOnePixel(lambda x: 0 * x, lambda x: 0.9 * torch.tanh(2 * x) - 1, lambda x: x - 3)


def test_choosing_the_class_anew_finds_the_boundary_that_is_really_there():
    assert run(DECOY, pixel(0.0), fixed_target=False).distance.item() == pytest.approx(3, rel=0.05)


def test_a_fixed_class_is_pursued_even_when_another_has_come_nearer():
    assert run(DECOY, pixel(0.0), fixed_target=True).distance.item() > 10


@both_targets
def test_a_network_that_ignores_its_input_is_infinitely_far_from_a_boundary(fixed_target):
    model = OfOnePixel(lambda x: 0 * x + 1, lambda x: 0 * x)
    result = run(model, pixel(0.2, 0.7), fixed_target=fixed_target)
    assert result.distance.tolist() == [math.inf, math.inf]
    assert not result.converged.any()


# Class 1 has a slope at 0, and none from 1 on.
FLATTENS = OfOnePixel(lambda x: 0 * x, lambda x: torch.where(x < 1, 2 - x, 1 + 0 * x))


@pytest.mark.parametrize(
    ("model", "zero", "walked"),
    [
        pytest.param(OfOnePixel(lambda x: 0 * x, lambda x: 0 * x + 1), math.inf, math.inf, id="1"),
        pytest.param(OfOnePixel(lambda x: 0 * x + 1, lambda x: 0 * x), 0.0, math.inf, id="0"),
        pytest.param(FLATTENS, math.inf, 2.0, id="after a step"),
    ],
)
def test_where_logits_are_constant_the_released_distance_is_infinite_but_for_class_0(
    model, zero, walked
):
    found = [run(model, pixel(0.0), unconverged=way) for way in ("zero", "length_walked")]
    assert [result.distance.item() for result in found] == pytest.approx([zero, walked])
    assert not any(result.converged.item() for result in found)


def test_an_image_on_the_boundary_is_at_distance_0():
    model = OfOnePixel(lambda x: 0.5 - x, lambda x: x - 0.5)
    result = run(model, pixel(0.5))
    assert result.distance.item() == 0
    assert result.converged.item()


def test_a_class_with_the_same_gradient_is_never_the_nearest():
    model = OfOnePixel(lambda x: x, lambda x: x - 0.001, lambda x: 2 - x)
    assert run(model, pixel(2.0)).distance.item() == pytest.approx(1.0)


@both_targets
@pytest.mark.parametrize("name", ["mnist_cnn", "preact_resnet18"])
def test_a_batch_gives_what_its_images_give_one_by_one(name, fixed_target):
    model = network(name)
    images = random_examples(12, shape=(3, 16, 16)).batch(slice(None))[0]
    together = run(model, images, max_iterations=5, fixed_target=fixed_target)
    for index in range(len(images)):
        alone = run(model, images[[index]], max_iterations=5, fixed_target=fixed_target)
        torch.testing.assert_close(together.distance[[index]], alone.distance, rtol=1e-3, atol=0)
        assert together.converged[index] == alone.converged[0]
        assert together.iterations[index] == alone.iterations[0]


def test_images_of_a_batch_converge_after_as_many_steps_as_each_needs():
    # Far out on the exponential's tail the constant class is never reached; near it, at once.
    model = OfOnePixel(lambda x: torch.where(x < 0, torch.exp(-x), 0.5 - x), lambda x: 0 * x)
    result = run(model, pixel(0.25, -3.5), max_iterations=10)
    assert result.iterations.tolist()[0] == 1
    assert result.iterations.tolist()[1] > 2
    assert result.distance[0].item() == pytest.approx(0.25)


@both_targets
def test_no_random_direction_leaves_the_class_within_half_the_distance(fixed_target):
    model = network()
    images = random_examples(12, shape=(3, 16, 16)).batch(slice(None))[0]
    result = run(model, images, fixed_target=fixed_target)
    reach = 0.5 * result.distance.view(-1, 1, 1, 1)
    directions = torch.randn(20, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    moved = [images + reach * direction / direction.norm() for direction in directions]
    predicted = model(images).argmax(dim=1)
    assert all(torch.equal(model(there).argmax(dim=1), predicted) for there in moved)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_the_network_is_put_back_in_its_mode(training):
    model = network("preact_resnet18").train(training)
    run(model, random_examples(2, shape=(3, 16, 16)).batch(slice(None))[0], max_iterations=2)
    assert all(module.training is training for module in model.modules())


def test_the_network_is_put_back_in_its_mode_after_an_error():
    model = network("preact_resnet18").train()
    with pytest.raises(RuntimeError):
        run(model, torch.zeros(2, 5, 16, 16))  # five channels
    assert model.training


def test_batch_statistics_are_not_touched():
    model = network("preact_resnet18").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run(model, random_examples(4, shape=(3, 16, 16)).batch(slice(None))[0], max_iterations=2)
    assert same_tensors(model.state_dict(), before)


def test_no_gradient_is_left_on_the_parameters():
    model = network()
    run(model, random_examples(4, shape=(3, 16, 16)).batch(slice(None))[0], max_iterations=2)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_images_are_left_as_they_were():
    images = random_examples(4, shape=(3, 16, 16)).batch(slice(None))[0]
    before = images.clone()
    run(network(), images, max_iterations=2)
    assert torch.equal(images, before)
    assert not images.requires_grad


def test_it_works_where_gradients_are_switched_off():
    with torch.no_grad():
        result = run(OfOnePixel(lambda x: 0 * x, lambda x: x - 2), pixel(0.0))
    assert result.distance.item() == pytest.approx(2.0)


@both_targets
def test_a_network_that_gives_nan_ends_at_once_without_converging(fixed_target):
    model = OfOnePixel(lambda x: x * math.nan, lambda x: x)
    result = run(model, pixel(0.1, 0.9), max_iterations=10**9, fixed_target=fixed_target)
    assert not result.converged.any()
    assert (result.iterations == 1).all()


@both_targets
def test_an_image_that_walks_into_nan_does_not_disturb_the_others(fixed_target):
    # From 0.25 the boundary at 0.5 is one step away; from 2 the steps lead on to the NaN past 4.
    def gap(x):
        return torch.where(x > 4, math.nan, torch.where(x < 1, 0.5 - x, torch.exp(-x)))

    model = OfOnePixel(gap, lambda x: 0 * x)
    result = run(model, pixel(0.25, 2.0), max_iterations=20, fixed_target=fixed_target)
    assert result.distance[0].item() == pytest.approx(0.25)
    assert result.converged.tolist() == [True, False]

"""RS+FGSM, PGD and the threat model."""

import pytest
import torch
from builders import linear_classifier, random_examples, small_classifier
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from advprune.training.attacks import Threat, pgd, rs_fgsm

MNIST_THREAT = Threat(epsilon=0.3, step_size=0.375)
CIFAR10_THREAT = Threat(epsilon=8 / 255, step_size=10 / 255)
ROUNDING = 1e-6


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def black_white_and_grey_images(count, seed=0):
    """A third of all values 0, a third 1, the others in between."""
    images = torch.rand(count, 1, 8, 8, generator=generator(seed))
    return (images * 3 - 1).clamp(0, 1)


def attack(model, images, labels, *, threat=MNIST_THREAT, seed=0):
    return rs_fgsm(model, images, labels, threat=threat, generator=generator(seed))


@given(
    threat=st.sampled_from([MNIST_THREAT, CIFAR10_THREAT, Threat(0.05, 0.01), Threat(1.0, 0.5)]),
    seed=st.integers(0, 10_000),
)
def test_adversarial_images_are_images_in_the_epsilon_ball(threat, seed):
    images = black_white_and_grey_images(4, seed)
    adversarial = attack(small_classifier(), images, torch.arange(4), threat=threat, seed=seed)
    assert (adversarial - images).abs().max() <= threat.epsilon + ROUNDING
    assert adversarial.min() >= 0
    assert adversarial.max() <= 1


@pytest.mark.parametrize(
    ("value", "perturbation", "expected"),
    [
        pytest.param(0.5, 0.1, 0.1, id="inside the ball nothing changes"),
        pytest.param(0.5, 0.4, 0.3, id="clipped to the ball above"),
        pytest.param(0.5, -0.4, -0.3, id="clipped to the ball below"),
        pytest.param(0.0, -0.2, 0.0, id="black gets no darker"),
        pytest.param(1.0, 0.2, 0.0, id="white gets no brighter"),
        pytest.param(0.9, 0.4, 0.1, id="clipped to the ball, then to the image"),
        pytest.param(0.1, -0.2, -0.1, id="clipped to the image alone"),
    ],
)
def test_projection_worked_out_by_hand(value, perturbation, expected):
    result = MNIST_THREAT.project(torch.tensor([perturbation]), torch.tensor([value]))
    assert result.item() == pytest.approx(expected, abs=ROUNDING)


def test_the_random_start_fills_the_epsilon_ball_evenly():
    start = MNIST_THREAT.random_start(torch.zeros(100, 1, 28, 28), generator())
    tenths = torch.histc(start, bins=10, min=-0.3, max=0.3) / start.numel()
    assert start.abs().max() <= 0.3
    # Each tenth of 78,400 values has a standard deviation of 0.0011.
    assert (tenths - 0.1).abs().max() < 0.005


def test_each_image_has_a_random_start_of_its_own():
    start = MNIST_THREAT.random_start(torch.zeros(5, 1, 8, 8), generator())
    assert len({image.numpy().tobytes() for image in start}) == 5


# Two classes: raising a pixel with a positive weight favours class 1, so it hurts class 0.
RAISES_CLASS_1 = torch.tensor([1.0, -2.0, 0.5, -0.1])
TWO_CLASSES = torch.stack([torch.zeros(4), RAISES_CLASS_1])


@pytest.mark.parametrize(
    ("label", "direction"),
    [
        pytest.param(0, RAISES_CLASS_1.sign(), id="away from class 0"),
        pytest.param(1, -RAISES_CLASS_1.sign(), id="away from class 1"),
    ],
)
def test_on_a_linear_network_the_step_goes_along_the_sign_of_the_gradient(label, direction):
    images = torch.full((1, 1, 2, 2), 0.5)
    threat = Threat(epsilon=0.2, step_size=0.05)
    start = threat.random_start(images, generator(3))
    adversarial = attack(
        linear_classifier(TWO_CLASSES), images, torch.tensor([label]), threat=threat, seed=3
    )
    expected = 0.5 + (start + 0.05 * direction.view(1, 1, 2, 2)).clamp(-0.2, 0.2)
    torch.testing.assert_close(adversarial, expected, atol=ROUNDING, rtol=0)


def test_a_step_longer_than_the_ball_is_wide_ends_in_its_corner():
    images = torch.full((1, 1, 2, 2), 0.5)
    threat = Threat(epsilon=0.2, step_size=0.4)
    adversarial = attack(linear_classifier(TWO_CLASSES), images, torch.tensor([0]), threat=threat)
    corner = 0.5 + 0.2 * RAISES_CLASS_1.sign().view(1, 1, 2, 2)
    torch.testing.assert_close(adversarial, corner, atol=ROUNDING, rtol=0)


def test_the_gradient_is_taken_at_the_random_start():
    class Kink(nn.Module):
        """Class 1 gains as the one pixel moves away from 0.5, on either side."""

        def forward(self, images):
            away = (images.flatten(1) - 0.5).abs()
            return torch.cat([torch.zeros_like(away), away], dim=1)

    images = torch.full((64, 1, 1, 1), 0.5)
    threat = Threat(epsilon=0.2, step_size=0.1)
    start = threat.random_start(images, generator(5))
    adversarial = attack(Kink(), images, torch.zeros(64, dtype=torch.int64), threat=threat, seed=5)
    assert torch.equal((adversarial - 0.5).sign(), start.sign())


def test_images_of_a_batch_do_not_change_each_others_step():
    images, labels = random_examples(6, shape=(1, 8, 8)).batch(slice(None))
    threat = Threat(epsilon=0.2, step_size=0.4)  # the start plays no part in a linear network
    model = linear_classifier(torch.randn(10, 64, generator=generator(2)) * 0.01)
    together = attack(model, images, labels, threat=threat)
    alone = [attack(model, images[[i]], labels[[i]], threat=threat) for i in range(6)]
    torch.testing.assert_close(together, torch.cat(alone), atol=ROUNDING, rtol=0)


def test_the_attack_raises_the_loss():
    images, labels = random_examples(64, shape=(1, 8, 8)).batch(slice(None))
    model = small_classifier()
    loss = nn.CrossEntropyLoss(reduction="none")
    adversarial = attack(model, images, labels, threat=CIFAR10_THREAT)
    assert (loss(model(adversarial), labels) > loss(model(images), labels)).all()


def test_no_gradient_is_left_on_the_parameters():
    model = small_classifier()
    images, labels = random_examples(4, shape=(1, 8, 8)).batch(slice(None))
    attack(model, images, labels)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_adversarial_images_carry_no_graph():
    images, labels = random_examples(4, shape=(1, 8, 8)).batch(slice(None))
    assert not attack(small_classifier(), images, labels).requires_grad


def test_the_natural_images_are_left_as_they_were():
    images, labels = random_examples(4, shape=(1, 8, 8)).batch(slice(None))
    before = images.clone()
    attack(small_classifier(), images, labels)
    assert torch.equal(images, before)
    assert not images.requires_grad


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_the_network_stays_in_the_mode_it_is_in(training):
    model = small_classifier().train(training)
    images, labels = random_examples(4, shape=(1, 8, 8)).batch(slice(None))
    attack(model, images, labels)
    assert model.training is training


def test_the_global_random_state_plays_no_part():
    images, labels = random_examples(4, shape=(1, 8, 8)).batch(slice(None))
    before = torch.get_rng_state()
    attack(small_classifier(), images, labels)
    assert torch.equal(torch.get_rng_state(), before)


# PGD.

# Class 1 where an image's only pixel is above 0.
ABOVE_0 = linear_classifier(torch.tensor([[0.0], [1.0]]))


class FixedStart(Threat):
    """An adversary that starts at the image itself."""

    def random_start(self, images, generator):
        return torch.zeros_like(images)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.5, 0.4, id="to the edge of the ball"),
        pytest.param(0.03, 0.0, id="and of the image's range"),
    ],
)
def test_forty_steps_of_a_fortieth_lead_from_the_image_to_the_edge(value, expected):
    images = torch.full((1, 1, 1, 1), value)
    threat = FixedStart(0.1, 0.1 / 40)
    attacked = pgd(
        ABOVE_0, images, torch.tensor([1]), threat=threat, steps=40, generator=torch.Generator()
    )
    assert attacked.item() == pytest.approx(expected, abs=1e-6)


@given(seed=st.integers(0, 1000), steps=st.integers(1, 5))
def test_pgd_stays_in_the_ball_and_in_the_range_of_images(seed, steps):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(6, 1, 1, 1, generator=generator)
    attacked = pgd(
        ABOVE_0,
        images,
        torch.ones(6, dtype=torch.int64),
        threat=Threat(0.2, 0.2 / steps),
        steps=steps,
        generator=generator,
    )
    assert (attacked - images).abs().max() <= 0.2 + 1e-6
    assert attacked.min() >= 0
    assert attacked.max() <= 1

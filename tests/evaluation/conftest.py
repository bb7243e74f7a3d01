"""A network that is trained and evaluated once for all tests here."""

import sys

import pytest
import torch
from builders import evaluation_spec
from pyautoattack import AutoAttack
from torch import Tensor, nn
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.data.subset import balanced_order
from advprune.evaluation.phases import evaluate

SPEC = evaluation_spec(0.065, examples=10, batch_size=4, seed=3)


class Scaled(nn.Module):
    """Multiplies logits, so that the cross-entropy's gradient vanishes and APGD-CE fails often."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model = model
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        return self.factor * self.model(images)


def noisy_patterns(count: int, generator: torch.Generator) -> Examples:
    """One random 6x6 pattern for each class, under strong noise."""
    patterns = torch.randint(256, (10, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % 10
    noise = 110 * torch.randn(count, 1, 6, 6, generator=generator)
    return Examples((patterns[labels] + noise).clamp(0, 255).to(torch.uint8), labels)


@pytest.fixture(scope="session")
def trained():
    """A small trained network, and test images of which attacks of several kinds break some."""
    generator = torch.Generator().manual_seed(0)
    train, test = noisy_patterns(200, generator), noisy_patterns(12, generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 10))
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    images, labels = train.batch(slice(None))
    for _ in range(60):
        optimiser.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return Scaled(model, 100.0).eval(), test


@pytest.fixture(scope="session")
def evaluated(trained):
    model, test = trained
    return evaluate(model, test, SPEC)


@pytest.fixture
def attack_directly(trained):
    """Runs AutoAttack on all images that are attacked; (m,) bool, what stands."""

    def attack(prepare=lambda adversary: None, **settings):
        model, test = trained
        adversary = AutoAttack(model, eps=SPEC.epsilon, norm="Linf", seed=SPEC.seed, **settings)
        prepare(adversary)
        order = torch.from_numpy(balanced_order(test.labels.numpy(), SPEC.seed))
        images, labels = test.batch(order[: SPEC.autoattack_examples])
        tracing = sys.gettrace()
        _, after = adversary.run_standard_evaluation(images, labels, batch_size=SPEC.batch_size)
        sys.settrace(tracing)
        return after == labels

    return attack

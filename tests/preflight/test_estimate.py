"""How long an evaluation is expected to take, from seconds of single batches."""

import pytest
from builders import evaluation_spec

from advprune.preflight.estimate import (
    APGD_40X5_GRADIENTS,
    AUTOATTACK_FORWARDS,
    AUTOATTACK_GRADIENTS,
    BatchSeconds,
    evaluation_seconds,
)

NOTHING = dict.fromkeys(
    ("start", "adversarial", "standard", "class_gradient", "forward", "gradient", "natural"), 0.0
)


def seconds(spec, **batch):
    return evaluation_seconds("mnist", spec, BatchSeconds(**NOTHING | batch), natural_batch=100)


def test_each_attack_is_counted_on_its_own_number_of_images():
    # Half of the images withstand: one batch of 500 for AutoAttack, three for APGD-CE alone.
    spec = evaluation_spec(0.3, 1000, 3000, batch_size=500)
    assert seconds(spec, gradient=1.0) == AUTOATTACK_GRADIENTS + 3 * APGD_40X5_GRADIENTS
    assert seconds(spec, forward=1.0) == AUTOATTACK_FORWARDS - AUTOATTACK_GRADIENTS


@pytest.mark.parametrize("attacked", [10, 10_000])
def test_natural_accuracy_is_over_the_whole_test_set(attacked):
    assert seconds(evaluation_spec(0.3, attacked), natural=1.0) == 100


def test_without_a_number_the_whole_test_set_is_attacked():
    all_of_them, by_number = evaluation_spec(0.3), evaluation_spec(0.3, 10_000)
    assert seconds(all_of_them, gradient=1.0) == seconds(by_number, gradient=1.0)

"""Standard AutoAttack, attack by attack."""

import logging
import math
import sys

import pytest
import torch
from builders import (
    brightest_pixel_classifier,
    evaluation_spec,
    images_with_brightest,
    linear_classifier,
)

from advprune.data.examples import Examples
from advprune.evaluation.autoattack import (
    build_autoattack,
    check_square,
    listening,
    survivors,
)
from advprune.evaluation.phases import evaluate
from advprune.spec.specification import AutoAttackSettings

IMAGES = images_with_brightest(range(10)).float() / 255


def test_the_verdicts_are_those_of_calling_standard_autoattack_once(evaluated, attack_directly):
    assert evaluated.robust.tolist() == attack_directly(version="standard").tolist()


@pytest.mark.parametrize("version", ["standard", "plus"])
def test_autoattack_is_set_up_in_the_version_that_the_specification_names(version):
    spec = evaluation_spec(0.1, autoattack=AutoAttackSettings(version=version))
    adversary = build_autoattack(brightest_pixel_classifier(), spec, IMAGES)
    # Of APGD on the cross-entropy, Croce and Hein run 1 start in one and 5 in the other.
    assert adversary.apgd.n_restarts == {"standard": 1, "plus": 5}[version]


def quick_adversary(model, epsilon):
    adversary = build_autoattack(model, evaluation_spec(epsilon), IMAGES)
    adversary.apgd.n_iter = 5
    return adversary


def survivors_of_apgd_ce(standing, epsilon=0.1):
    model = brightest_pixel_classifier()
    return survivors(
        quick_adversary(model, epsilon), "apgd-ce", IMAGES, torch.arange(10), standing, 4
    )


def test_images_that_have_fallen_are_not_attacked_again():
    standing = torch.tensor([True, False] * 5)
    assert survivors_of_apgd_ce(standing).tolist() == standing.tolist()


def test_an_attack_within_the_margin_breaks_nothing():
    # Moving two pixels by 0.49 leaves the brightest 0.02 ahead.
    assert survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool), epsilon=0.49).all()


def test_an_attack_beyond_the_margin_breaks_everything():
    assert not survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool), epsilon=0.55).any()


def test_what_stood_before_is_left_as_it_was():
    standing = torch.ones(10, dtype=torch.bool)
    survivors_of_apgd_ce(standing, epsilon=0.55)
    assert standing.all()


def test_nothing_is_attacked_when_nothing_stands():
    standing = torch.zeros(3, dtype=torch.bool)
    images, labels = torch.full((3, 1, 1, 10), math.nan), torch.arange(3)
    adversary = quick_adversary(brightest_pixel_classifier(), 0.1)
    assert not survivors(adversary, "square", images, labels, standing, 4).any()


def test_a_debugger_or_coverage_stays_switched_on():
    def tracing(*event):
        return None

    before = sys.gettrace()
    sys.settrace(tracing)
    try:
        survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool))
        assert sys.gettrace() is tracing
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("classes", [4, 7, 12])
def test_targeted_attacks_take_the_other_classes_and_at_most_nine(classes):
    model = linear_classifier(torch.eye(classes, 10))
    adversary = build_autoattack(model, evaluation_spec(0.1), IMAGES)
    targets = {adversary.apgd_targeted.n_target_classes, adversary.fab.n_target_classes}
    assert targets == {min(9, classes - 1)}


def test_a_network_of_four_classes_can_be_evaluated():
    model = linear_classifier(torch.eye(4, 10))
    test = Examples(images_with_brightest(range(4)), torch.arange(4))
    assert evaluate(model, test, evaluation_spec(0.1)).robust.all()


def flags(text):
    return torch.tensor([character == "1" for character in text])


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        pytest.param("1110", "0110", True, id="a quarter of the images"),
        pytest.param("1110", "1110", False, id="none"),
    ],
)
def test_square_is_warned_of_where_it_breaks_what_gradients_did_not(before, after, warned):
    robust_after = {"apgd-ce": flags("1111"), "fab-t": flags(before), "square": flags(after)}
    said = check_square(robust_after, flags("1111"))
    assert len(said) == warned
    assert all(message.startswith("Square Attack has decreased") for message in said)


def test_one_image_in_a_thousand_is_no_warning():
    robust_after = {"apgd-ce": torch.ones(1000) > 0, "square": torch.arange(1000) > 0}
    assert check_square(robust_after, torch.ones(1000) > 0) == []


def test_what_autoattack_warns_of_is_heard_once():
    with listening() as messages:
        for _ in range(2):
            logging.getLogger("auto-attack").warning("there are 3 points with zero gradient!")
    assert messages == ["there are 3 points with zero gradient!"]

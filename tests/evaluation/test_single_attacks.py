"""Attacks that are run alone, beside standard AutoAttack."""

import math

import pytest
import torch
from builders import brightest_pixel_classifier, evaluation_spec, images_with_brightest
from pyautoattack.autopgd_base import APGDAttack

from advprune.data.examples import Examples
from advprune.evaluation.outcome import accuracies, verdicts
from advprune.evaluation.phases import evaluate
from advprune.evaluation.single_attacks import withstand
from advprune.spec.attacks import ATTACKS, Attack
from advprune.spec.specification import AutoAttackSettings


def test_the_upper_bound_is_that_of_calling_apgd_ce_with_40_steps_and_5_restarts(
    evaluated, attack_directly
):
    def as_released(adversary):
        adversary.apgd.n_iter, adversary.apgd.n_restarts = 40, 5

    direct = attack_directly(as_released, version="custom", attacks=["apgd-ce"])
    assert evaluated.robust_alone["apgd_ce_40x5"].tolist() == direct.tolist()


def test_steps_and_restarts_of_a_specification_are_those_that_apgd_makes(monkeypatch):
    made = []
    real = APGDAttack.perturb

    def perturb(attack, *images_and_labels):
        made.append((attack.loss, attack.n_iter, attack.n_restarts))
        return real(attack, *images_and_labels)

    monkeypatch.setattr(APGDAttack, "perturb", perturb)
    spec = evaluation_spec(0.1, attacks={"apgd_ce_40x5": {"steps": 3, "restarts": 2}})
    images = images_with_brightest([4]) / 255
    model = brightest_pixel_classifier()
    withstand("apgd_ce_40x5", model, images, torch.tensor([4]), torch.tensor([True]), spec)
    assert made == [("ce", 3, 2)]


# Attacks of one's own.


def raise_a_pixel(model, images, labels, spec, *, pixel=1):
    """Raises one pixel as far as allowed."""
    attacked = images.clone()
    attacked[..., pixel] = (attacked[..., pixel] + spec.epsilon).clamp(max=1)
    return attacked


def too_far(model, images, labels, spec):
    return images - 2 * spec.epsilon * (images > 0.5)


def out_of_range(model, images, labels, spec):
    return images + spec.epsilon


def not_finite(model, images, labels, spec):
    return images * math.nan


def at_random(model, images, labels, spec):
    DRAWN.append(torch.rand(()).item())
    return images


DRAWN = []


@pytest.fixture
def withstand_own(monkeypatch):
    """Attacks two images of ten pixels, of which the brightest tells the class, by a function."""

    def attacked(attack, **settings):
        monkeypatch.setitem(ATTACKS, "own", Attack("Own", f"{__name__}:{attack.__name__}"))
        images = torch.zeros(2, 1, 1, 10)
        images[0, ..., 0], images[1, ..., 0] = 0.9, 0.3
        spec = evaluation_spec(0.5, attacks={"own": settings})
        standing = torch.ones(2, dtype=torch.bool)
        model = brightest_pixel_classifier()
        return withstand("own", model, images, torch.zeros(2).long(), standing, spec)

    return attacked


def test_an_attack_of_ones_own_breaks_what_it_can(withstand_own):
    assert withstand_own(raise_a_pixel).tolist() == [True, False]


def test_an_attack_of_ones_own_is_told_its_settings(withstand_own):
    assert withstand_own(raise_a_pixel, pixel=0).tolist() == [True, True]


@pytest.mark.parametrize("attack", [too_far, out_of_range, not_finite])
def test_an_attack_that_leaves_its_bounds_is_refused(withstand_own, attack):
    with pytest.raises(ValueError, match=r"the attack own moved .* out of \[0, 1\]"):
        withstand_own(attack)


def test_an_attack_draws_the_same_numbers_whenever_it_is_run(withstand_own):
    DRAWN.clear()
    for _ in range(2):
        withstand_own(at_random)
        torch.rand(3)
    assert DRAWN[0] == DRAWN[1]


def test_an_attack_of_ones_own_has_a_column_of_accuracies_and_one_of_verdicts(monkeypatch):
    code = f"{__name__}:raise_a_pixel"
    monkeypatch.setitem(ATTACKS, "own", Attack("Own", code))
    examples = Examples(images_with_brightest([0, 1]), torch.tensor([0, 1]))
    quick = AutoAttackSettings(attacks=["apgd-ce"])
    spec = evaluation_spec(0.1, autoattack=quick, attacks={"own": {}})
    result = evaluate(brightest_pixel_classifier(), examples, spec)
    assert accuracies(result)["own_accuracy"] == 100
    assert [row["own"] for row in verdicts(result, examples)] == [1, 1]

"""The phases of an evaluation: natural accuracy, AutoAttack, attacks run alone."""

import itertools
import math

import pandas as pd
import pytest
import torch
from builders import (
    brightest_pixel_classifier,
    evaluation_spec,
    images_with_brightest,
    random_examples,
)
from torch import nn

from advprune.data.examples import Examples
from advprune.evaluation import phases
from advprune.evaluation.outcome import accuracies, verdicts
from advprune.evaluation.phases import evaluate, predict
from advprune.spec.attacks import STANDARD_ATTACKS
from advprune.spec.specification import AutoAttackSettings


def test_the_images_of_these_tests_meet_every_kind_of_end(trained, evaluated):
    """Without misclassified, broken and unbroken images the tests above would prove little."""
    ends = set(pd.DataFrame(verdicts(evaluated, trained[1]))["broken_by"])
    assert {"natural", "apgd-ce", "apgd-t", "none", ""} <= ends


def test_an_image_once_broken_never_stands_again(evaluated):
    attacked = evaluated.order[:10]
    standing = [evaluated.correct[attacked], *evaluated.robust_after.values()]
    for before, after in itertools.pairwise(standing):
        assert not (after & ~before).any()


def test_all_images_are_classified_and_only_a_sample_attacked(evaluated):
    assert len(evaluated.prediction) == len(evaluated.correct) == 12
    assert len(evaluated.robust) == len(evaluated.robust_alone["apgd_ce_40x5"]) == 10


def test_seconds_are_counted_for_every_attack(evaluated):
    assert list(evaluated.seconds) == ["natural", *STANDARD_ATTACKS, "apgd_ce_40x5 alone"]
    assert min(evaluated.seconds.values()) > 0


@pytest.mark.parametrize("attacks", [["apgd-ce"], ["apgd-t", "apgd-ce"]], ids=" and ".join)
def test_only_the_attacks_of_the_specification_are_run_in_its_order(attacks):
    test = Examples(images_with_brightest([0, 1]), torch.tensor([0, 1]))
    spec = evaluation_spec(0.1, autoattack=AutoAttackSettings(attacks=attacks), attacks={})
    result = evaluate(brightest_pixel_classifier(), test, spec)
    assert list(result.robust_after) == attacks
    assert list(result.seconds) == ["natural", *attacks]


def test_on_no_images_autoattack_is_not_run():
    test = Examples(images_with_brightest([0, 1]), torch.tensor([0, 1]))
    result = evaluate(brightest_pixel_classifier(), test, evaluation_spec(0.1, 0, alone=2))
    assert list(result.seconds) == ["natural", "apgd_ce_40x5 alone"]
    assert (len(result.robust), result.warnings) == (0, {})


def test_more_images_contain_fewer_and_attacks_alone_may_be_given_more():
    test = Examples(images_with_brightest([*range(10)] * 2), torch.tensor([*range(10)] * 2))
    spec = evaluation_spec(0.1, 3, 7, autoattack=AutoAttackSettings(attacks=["apgd-ce"]))
    table = pd.DataFrame(verdicts(evaluate(brightest_pixel_classifier(), test, spec), test))
    few, many = (table.index[table[name] != ""] for name in ("broken_by", "apgd_ce_40x5"))
    assert (len(few), len(many)) == (3, 7)
    assert set(few) < set(many)


# Natural accuracy


def test_predictions_are_the_classes_of_the_largest_logits():
    pixels = [3, 1, 4, 1, 5, 9, 2, 6]
    examples = Examples(images_with_brightest(pixels), torch.zeros(8, dtype=torch.int64))
    assert predict(brightest_pixel_classifier(), examples).tolist() == pixels


def test_predictions_in_batches_are_predictions_at_once(monkeypatch):
    examples = random_examples(23, shape=(1, 1, 10))
    at_once = predict(brightest_pixel_classifier(), examples)
    monkeypatch.setattr(phases, "NATURAL_BATCH", 7)
    assert torch.equal(predict(brightest_pixel_classifier(), examples), at_once)


def test_natural_accuracy_is_over_all_images_and_by_hand():
    # Three of five are right; with an epsilon of 1 nothing withstands an attack.
    examples = Examples(images_with_brightest([0, 1, 2, 3, 4]), torch.tensor([0, 1, 2, 9, 9]))
    spec = evaluation_spec(1.0, examples=2)
    row = accuracies(evaluate(brightest_pixel_classifier(), examples, spec))
    assert row["natural_accuracy"] == pytest.approx(60)
    assert row["autoattack_accuracy"] == row["apgd_ce_40x5_accuracy"] == 0


def test_the_network_is_judged_in_evaluation_mode():
    model = nn.Sequential(nn.Dropout(1.0), brightest_pixel_classifier()).train()
    labels = torch.tensor([3, 4])
    examples = Examples(images_with_brightest([3, 4]), labels)
    spec = evaluation_spec(1.0, examples=1)
    assert evaluate(model, examples, spec).correct.all()


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.usefixtures("restored_determinism")
def test_an_evaluation_is_held_to_deterministic_algorithms_if_asked(asked):
    examples = Examples(images_with_brightest([3]), torch.tensor([4]))
    spec = evaluation_spec(1.0, examples=1, deterministic=asked)
    evaluate(brightest_pixel_classifier(), examples, spec)
    assert torch.are_deterministic_algorithms_enabled() is asked


# Networks that give no finite numbers


class Constant(nn.Module):
    """Gives the same logit for each class and image, and NaN or infinity where told to."""

    def __init__(self, value, only_where_dark=False):
        super().__init__()
        self.value = value
        self.only_where_dark = only_where_dark

    def forward(self, images):
        logits = images.flatten(1)[:, :10]
        bad = logits * 0 + self.value
        if not self.only_where_dark:
            return bad
        return bad.where(images.flatten(1).sum(dim=1, keepdim=True) == 0, logits)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_network_without_finite_logits_is_always_wrong(value):
    test = random_examples(6, shape=(1, 1, 10))
    row = accuracies(evaluate(Constant(value), test, evaluation_spec(0.1)))
    assert {number for name, number in row.items() if name.endswith("accuracy")} == {0}


def test_images_whose_logits_are_not_finite_belong_to_no_class():
    images = images_with_brightest([0, 1, 2])
    images[1] = 0
    examples = Examples(images, torch.tensor([0, 1, 2]))
    assert predict(Constant(math.nan, only_where_dark=True), examples).tolist() == [0, -1, 2]


def test_images_whose_logits_are_not_finite_do_not_disturb_the_others():
    images = images_with_brightest([0, 1, 2])
    images[0] = 0
    examples = Examples(images, torch.tensor([0, 1, 2]))
    model = Constant(math.nan, only_where_dark=True)
    assert evaluate(model, examples, evaluation_spec(1.0)).correct.tolist() == [False, True, True]

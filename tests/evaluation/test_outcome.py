"""What an evaluation found, as a row of accuracies and a row for every image."""

import dataclasses

import pandas as pd
import pytest
import torch

from advprune.data.examples import Examples
from advprune.evaluation.outcome import SQUARE, Evaluation, accuracies, in_words, notes, verdicts


@pytest.fixture
def by_hand():
    """Five test images: four were attacked by AutoAttack, the same and the last by APGD-CE."""

    def flags(text):
        return torch.tensor([character == "1" for character in text])

    return Evaluation(
        prediction=torch.tensor([0, 1, 2, -1, 4]),
        correct=flags("11101"),
        order=torch.tensor([2, 0, 3, 1, 4]),
        robust_after={
            "apgd-ce": flags("1100"),
            "apgd-t": flags("1100"),
            "fab-t": flags("0100"),
            "square": flags("0100"),
        },
        robust_alone={"apgd_ce_40x5": flags("11011")},
        warnings={"apgd-ce": ["there are 2 points with zero gradient!"], SQUARE: ["Square …"]},
    )


def test_accuracies_worked_out_by_hand(by_hand):
    assert accuracies(by_hand) == {
        "natural_accuracy": 80,
        "autoattack_accuracy": 25,
        "apgd_ce_40x5_accuracy": 80,
        "robust_after_apgd_ce": 50,
        "robust_after_apgd_t": 50,
        "robust_after_fab_t": 25,
        "robust_after_square": 25,
        "test_examples": 5,
        "autoattack_examples": 4,
        "single_attack_examples": 5,
        "natural_accuracy_autoattack_examples": 75,
        "natural_accuracy_single_attack_examples": 80,
        "square_warning": 1,
        "gradient_warning": 1,
        "other_warning": 0,
    }


def test_verdicts_worked_out_by_hand(by_hand):
    test = Examples(torch.zeros(5, 1, 1, 1, dtype=torch.uint8), torch.arange(5))
    assert pd.DataFrame(verdicts(by_hand, test)).to_dict("list") == {
        "index": [0, 1, 2, 3, 4],
        "label": [0, 1, 2, 3, 4],
        "prediction": [0, 1, 2, -1, 4],
        "broken_by": ["none", "apgd-ce", "fab-t", "natural", ""],
        "apgd_ce_40x5": [1, 1, 1, 0, 1],
    }


def test_verdicts_and_accuracies_tell_the_same(trained, evaluated):
    table, row = pd.DataFrame(verdicts(evaluated, trained[1])), accuracies(evaluated)
    attacked = table[table["broken_by"] != ""]
    assert len(attacked) == row["autoattack_examples"]
    right = table["prediction"] == table["label"]
    assert row["natural_accuracy"] == pytest.approx(100 * right.mean())
    robust = attacked["broken_by"] == "none"
    assert row["autoattack_accuracy"] == pytest.approx(100 * robust.mean())
    upper_bound = attacked["apgd_ce_40x5"] == 1
    assert row["apgd_ce_40x5_accuracy"] == pytest.approx(100 * upper_bound.mean())


@pytest.mark.parametrize(
    ("prediction", "told"),
    [
        ([3, -1, -1, 0], "NaN or infinite for 2 of 4 test images"),
        ([-1] * 1234, "NaN or infinite for all 1,234 test images"),
    ],
)
def test_images_without_finite_logits_are_said_in_words(prediction, told):
    (note,) = notes(torch.tensor(prediction))
    assert told in note


def test_there_is_nothing_to_note_of_a_network_that_answers():
    assert notes(torch.tensor([0, 9, 3])) == []


def test_what_was_found_is_said_in_words(by_hand):
    first, second = in_words(by_hand).split("\n")
    assert first == "natural accuracy 80.00% of 5 images, AutoAttack accuracy 25.00% of 4"
    assert "1 of 5 test images" in second


def test_without_autoattack_there_is_nothing_where_its_accuracies_are(by_hand):
    found = dataclasses.replace(by_hand, robust_after={}, warnings={})
    row = accuracies(found)
    missing = {name for name, value in row.items() if value is None}
    assert list(row) == list(accuracies(by_hand))
    assert missing == {
        *("autoattack_accuracy", "robust_after_apgd_ce", "robust_after_apgd_t"),
        *("robust_after_fab_t", "robust_after_square", "natural_accuracy_autoattack_examples"),
    }
    assert (row["autoattack_examples"], row["apgd_ce_40x5_accuracy"]) == (0, 80)
    assert in_words(found).split("\n")[0] == "natural accuracy 80.00% of 5 images"


def test_without_autoattack_no_image_was_broken_by_it(by_hand):
    test = Examples(torch.zeros(5, 1, 1, 1, dtype=torch.uint8), torch.arange(5))
    table = pd.DataFrame(verdicts(dataclasses.replace(by_hand, robust_after={}), test))
    assert table["broken_by"].to_list() == [""] * 5
    assert table["apgd_ce_40x5"].to_list() == [1, 1, 1, 0, 1]

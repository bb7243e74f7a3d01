"""What an evaluation found, as a row of accuracies and a row for every image."""

import pandas as pd
import pytest
import torch

from advprune.data.examples import Examples
from advprune.evaluation.outcome import Evaluation, accuracies, verdicts


@pytest.fixture
def by_hand():
    """Five test images of which the first four were attacked."""

    def flags(text):
        return torch.tensor([character == "1" for character in text])

    return Evaluation(
        prediction=torch.tensor([0, 1, 2, -1, 4]),
        correct=flags("11101"),
        robust_after={
            "apgd-ce": flags("1010"),
            "apgd-t": flags("1010"),
            "fab-t": flags("1000"),
            "square": flags("1000"),
        },
        robust_alone={"apgd_ce_40x5": flags("1110")},
        seconds={},
    )


def test_accuracies_worked_out_by_hand(by_hand):
    assert accuracies(by_hand) == {
        "natural_accuracy": 80,
        "autoattack_accuracy": 25,
        "apgd_ce_40x5_accuracy": 75,
        "robust_after_apgd_ce": 50,
        "robust_after_apgd_t": 50,
        "robust_after_fab_t": 25,
        "robust_after_square": 25,
        "test_examples": 5,
        "attacked_examples": 4,
    }


def test_verdicts_worked_out_by_hand(by_hand):
    test = Examples(torch.zeros(5, 1, 1, 1, dtype=torch.uint8), torch.arange(5))
    assert pd.DataFrame(verdicts(by_hand, test)).to_dict("list") == {
        "index": [0, 1, 2, 3, 4],
        "label": [0, 1, 2, 3, 4],
        "prediction": [0, 1, 2, -1, 4],
        "broken_by": ["none", "apgd-ce", "fab-t", "natural", ""],
        "apgd_ce_40x5": [1, 1, 1, 0, ""],
    }


@pytest.mark.slow
def test_verdicts_and_accuracies_tell_the_same(trained, evaluated):
    table, row = pd.DataFrame(verdicts(evaluated, trained[1])), accuracies(evaluated)
    attacked = table.head(row["attacked_examples"])
    right = table["prediction"] == table["label"]
    assert row["natural_accuracy"] == pytest.approx(100 * right.mean())
    robust = attacked["broken_by"] == "none"
    assert row["autoattack_accuracy"] == pytest.approx(100 * robust.mean())
    upper_bound = attacked["apgd_ce_40x5"] == 1
    assert row["apgd_ce_40x5_accuracy"] == pytest.approx(100 * upper_bound.mean())

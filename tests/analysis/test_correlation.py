"""Pearson's correlation of loss and 1/d."""

import math

import numpy as np
import pandas as pd
import pytest

from advprune.analysis.correlation import correlate


def examples(loss, inverse_distance, converged=1):
    return pd.DataFrame(
        {"loss": loss, "inverse_distance": inverse_distance, "converged": converged}
    )


def test_a_correlation_is_as_worked_by_hand():
    # Deviations -2, -1, 1, 2 and -1, -2, 2, 1: 8 of 10. Fisher: arctanh 0.8 ± 1.96 / sqrt (4 - 3).
    found = correlate(examples([1.0, 2, 4, 5], [2.0, 1, 5, 4]))
    reach = 1.959964
    assert found.r == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx(
        (math.tanh(math.atanh(0.8) - reach), math.tanh(math.atanh(0.8) + reach))
    )
    assert (found.counted, found.left_out, found.unconverged) == (4, 0, 0)


def test_what_is_not_finite_is_left_out_and_counted_and_so_is_what_deepfool_did_not_move():
    found = correlate(examples([1.0, 2, 3, math.nan, 4], [1.0, 2, 3, 4, math.inf], [1, 0, 1, 0, 1]))
    assert found.r == pytest.approx(1)
    assert (found.counted, found.left_out, found.unconverged) == (3, 2, 2)


def test_three_examples_have_a_correlation_and_no_interval():
    found = correlate(examples([1.0, 2, 4], [2.0, 1, 5]))
    assert np.isnan([found.low, found.high]).all()
    assert not np.isnan(found.r)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("loss", "inverse_distance"),
    [([1.0, 1, 1], [1.0, 2, 3]), ([1.0, 2, 3], [0.0, 0, 0]), ([1.0], [1.0]), ([], [])],
    ids=["losses alike", "distances alike", "one example", "none"],
)
def test_what_does_not_vary_correlates_with_nothing(loss, inverse_distance):
    assert np.isnan(correlate(examples(loss, inverse_distance)).r)

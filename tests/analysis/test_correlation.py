"""Correlations of loss and 1/d."""

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
    # Deviations -2, -1, 1, 2 and -1, -2, 2, 1: 8 of 10. Ranks apart by 1 each: 1 - 6 * 4 / 60.
    found = correlate(examples([1.0, 2, 4, 5], [2.0, 1, 5, 4]))
    assert (found.r, found.spearman) == pytest.approx((0.8, 0.6))
    assert (found.counted, found.left_out, found.unconverged) == (4, 0, 0)


def test_r_within_is_of_the_examples_up_to_2_and_what_is_farther_out_does_not_change_it():
    # Up to 2, losses fall as 1/d rises; one example far out turns r over all.
    found = correlate(examples([3.0, 2, 1, 500], [0.5, 1, 1.5, 1000]))
    assert found.r == pytest.approx(1, abs=0.01)
    assert (found.r_within, found.within) == (pytest.approx(-1), 3)
    assert correlate(examples([3.0, 2, 1], [1, 1.5, 2])).within == 3


def test_the_two_in_five_that_both_would_drop_are_counted_by_ranks():
    # By loss the last two would go, by distance the last and the first.
    found = correlate(examples([1.0, 2, 3, 4, 5], [900.0, 2, 3, 1, 1000]))
    assert found.dropped_in_common_percent == 50
    assert np.isnan(correlate(examples([1.0], [2.0])).dropped_in_common_percent)


def test_equal_values_share_their_ranks():
    # Ranks 1.5, 1.5, 3, 4 and 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    found = correlate(examples([7.0, 7, 8, 9], [0.1, 0.2, 0.3, 0.4]))
    assert found.spearman == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_what_is_not_finite_is_left_out_and_counted_and_so_is_what_deepfool_did_not_move():
    found = correlate(examples([1.0, 2, 3, math.nan, 4], [1.0, 2, 3, 4, math.inf], [1, 0, 1, 0, 1]))
    assert found.r == pytest.approx(1)
    assert (found.counted, found.left_out, found.unconverged) == (3, 2, 2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("loss", "inverse_distance"),
    [([1.0, 1, 1], [1.0, 2, 3]), ([1.0, 2, 3], [0.0, 0, 0]), ([1.0], [1.0]), ([], [])],
    ids=["losses alike", "distances alike", "one example", "none"],
)
def test_what_does_not_vary_correlates_with_nothing(loss, inverse_distance):
    found = correlate(examples(loss, inverse_distance))
    assert np.isnan([found.r, found.r_within, found.spearman]).all()

"""Intervals, tests and summaries, against examples worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_tables import joined, runs_of_cell, verdicts_of
from scipy import stats

from advprune.analysis.metrics import ACCURACIES
from advprune.analysis.statistics import (
    RUN_KEYS,
    collapsed_share,
    mean_interval,
    share_interval,
    summarise,
    welch_greater,
)

# Intervals.


@pytest.mark.parametrize(
    ("values", "mean", "half_width", "deviation"),
    [
        # The standard error is sqrt(2.5 / 5) and t(0.975, 4) is 2.776445.
        pytest.param([1, 2, 3, 4, 5], 3, 2.776445 * math.sqrt(0.5), math.sqrt(2.5), id="five"),
        # The standard error is 2 and t(0.975, 1) is 12.706205.
        pytest.param([10, 14], 12, 25.41241, math.sqrt(8), id="two"),
        pytest.param([7, 7, 7], 7, 0, 0, id="all equal"),
        pytest.param([4.5], 4.5, math.nan, math.nan, id="one"),
        pytest.param([], math.nan, math.nan, math.nan, id="none"),
    ],
)
def test_an_interval_is_as_worked_by_hand(values, mean, half_width, deviation):
    found = mean_interval(np.array(values))
    assert found.n == len(values)
    assert [found.mean, found.half_width, found.standard_deviation] == pytest.approx(
        [mean, half_width, deviation], nan_ok=True
    )


# Welch's test.


def test_welchs_test_is_as_worked_by_hand():
    # Means 5 and 2, variances 4 and 1, three values each: t = 3 / sqrt(4/3 + 1/3).
    found = welch_greater(np.array([3, 5, 7]), np.array([1, 2, 3]))
    freedom = (5 / 3) ** 2 / ((4 / 3) ** 2 / 2 + (1 / 3) ** 2 / 2)
    assert found.difference == 3
    assert found.statistic == pytest.approx(3 / math.sqrt(5 / 3))
    assert found.degrees_of_freedom == pytest.approx(freedom)
    assert found.p_value == pytest.approx(stats.t.sf(3 / math.sqrt(5 / 3), freedom))


def test_the_test_is_one_sided():
    greater, less = np.array([3.0, 5, 7]), np.array([1.0, 2, 3])
    there, back = welch_greater(greater, less).p_value, welch_greater(less, greater).p_value
    assert there < 0.5 < back
    assert there + back == pytest.approx(1)


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        pytest.param([1.0], [0.0, 2.0], 0.0, id="one value against two"),
        pytest.param([1.0, 3.0], [5.0], -3.0, id="two values against one"),
        pytest.param([2.0, 2.0], [1.0, 1.0], 1.0, id="no variance at all"),
        pytest.param([0.1] * 3, [0.2] * 3, -0.1, id="no variance, in binary fractions"),
    ],
)
def test_where_the_variance_is_unknown_there_is_a_difference_and_no_p_value(
    first, second, difference
):
    found = welch_greater(np.array(first), np.array(second))
    assert found.difference == pytest.approx(difference)
    assert math.isnan(found.p_value)


@pytest.mark.filterwarnings("error")
def test_a_sample_without_spread_can_be_tested_against_one_with_some():
    # t = 10 / (2 / sqrt(3)), with the two degrees of freedom of the second sample.
    found = welch_greater(np.array([97.5, 97.5, 97.5]), np.array([85.5, 87.5, 89.5]))
    assert found.p_value == pytest.approx(stats.t.sf(10 / (2 / math.sqrt(3)), 2))


def test_without_values_there_is_not_even_a_difference():
    found = welch_greater(np.array([]), np.array([1.0, 2.0]))
    assert math.isnan(found.difference)
    assert math.isnan(found.p_value)


# Shares.


def wilson(successes, n):
    """Wilson's (1927) score interval, by its formula."""
    z, share = stats.norm.ppf(0.975), successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - reach, middle + reach


@pytest.mark.parametrize(("successes", "n"), [(1, 120), (60, 120), (3, 8), (0, 5), (5, 5), (1, 1)])
def test_the_interval_of_a_share_is_wilsons(successes, n):
    found = share_interval(successes, n)
    assert (found.n, found.share) == (n, successes / n)
    assert (found.low, found.high) == pytest.approx(wilson(successes, n), abs=1e-12)


def test_of_no_observations_there_is_no_share():
    found = share_interval(0, 0)
    assert found.n == 0
    assert np.isnan([found.share, found.low, found.high]).all()


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_holds_it_and_stays_within_0_and_1(counts):
    found = share_interval(*counts)
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize(
    ("accuracies", "share"),
    [
        ([0, 0.99, 1.0, 50], 0.5),
        ([0, 0], 1.0),
        ([98.5], 0.0),
    ],
)
def test_a_run_has_collapsed_if_less_than_1_percent_stand(accuracies, share):
    assert collapsed_share(np.array(accuracies)) == share


def test_a_summary_has_a_row_for_each_data_set_method_share_and_epoch():
    runs = joined(
        runs_of_cell(
            *("random", "0.6"),
            autoattack_accuracy=[60.0, 0.0],
            apgd_ce_40x5_accuracy=[61.0, 2.0],
            diverged_epoch=[None, 3],
        ),
        runs_of_cell("random", "0.6", e=2, autoattack_accuracy=[40.0]),
        runs_of_cell("full", autoattack_accuracy=[50.0]),
    )
    summary = summarise(runs, ["autoattack_accuracy"]).set_index(RUN_KEYS)
    first = ("mnist", "random", "0.6", 1)
    assert list(summary.index) == [("mnist", "full", "1.0", 1), first, (*first[:3], 2)]
    assert summary["n"].to_list() == [1, 2, 1]
    assert summary["autoattack_accuracy_mean"].to_list() == [50, 30, 40]
    assert summary.loc[first, "autoattack_accuracy_half_width"] == pytest.approx(12.706205 * 30)
    assert summary["autoattack_collapsed_share"].to_list() == [0, 0.5, 0]
    assert summary["apgd_ce_40x5_collapsed_share"].to_list() == [0, 0, 0]
    assert summary["diverged"].to_list() == [0, 1, 0]


def test_a_summary_is_of_the_runs_that_were_attacked():
    runs = runs_of_cell(
        "random", autoattack_accuracy=[60.0, 0.0, np.nan], apgd_ce_40x5_accuracy=[61.0, 2.0, 3.0]
    )
    (row,) = summarise(runs, list(ACCURACIES), verdicts_of(runs.fillna(0))).to_dict("records")
    assert (row["n"], row["autoattack_runs"]) == (3, 2)
    assert (row["autoattack_accuracy_mean"], row["autoattack_collapsed_share"]) == (30, 0.5)
    assert (row["apgd_ce_40x5_accuracy_mean"], row["natural_accuracy_mean"]) == (22, 98)
    assert row["autoattack_accuracy_half_width"] > 0


def test_a_summary_of_runs_that_were_not_attacked_has_no_accuracy_under_attack():
    runs = runs_of_cell("random", autoattack_accuracy=[np.nan, np.nan])
    (row,) = summarise(runs, list(ACCURACIES), verdicts_of(runs.fillna(0))).to_dict("records")
    assert np.isnan([row["autoattack_accuracy_mean"], row["autoattack_collapsed_share"]]).all()
    assert row["autoattack_runs"] == 0

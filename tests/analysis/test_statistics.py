"""Intervals, tests and summaries: against hand-worked examples and the paper's own numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_numbers import TABLE_1, N, deviation, sample
from scipy import stats

from advprune.analysis.statistics import (
    RUN_KEYS,
    collapsed_share,
    mean_interval,
    share_interval,
    summarise,
    welch_greater,
)

ROBUST = TABLE_1["autoattack_accuracy"]
# Figure 8: the first is more robust than the second, with this p value; and what Table 1's rounded
# figures give for it.
FIGURE_8 = [
    pytest.param("low-deepfool", "full", 0.108322, 0.10857, id="test 1 by DeepFool"),
    pytest.param("low-loss", "full", 0.000999, 0.001006, id="test 1 by loss"),
    pytest.param("low-loss", "random", 0.024602, 0.02467, id="test 2 by loss"),
]


@pytest.mark.parametrize(("first", "second", "printed", "implied"), FIGURE_8)
def test_figure_8_follows_from_table_1_if_its_intervals_are_t_based(
    first, second, printed, implied
):
    (mean1, half1), (mean2, half2) = ROBUST[first], ROBUST[second]
    found = stats.ttest_ind_from_stats(
        mean1, deviation(half1), N, mean2, deviation(half2), N, False, "greater"
    )
    assert found.pvalue == pytest.approx(implied, rel=1e-3)
    assert found.pvalue == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize(("first", "second", "printed", "implied"), FIGURE_8)
def test_our_test_gives_figure_8_for_samples_with_table_1s_means_and_intervals(
    first, second, printed, implied
):
    found = welch_greater(sample(*ROBUST[first]), sample(*ROBUST[second]))
    assert found.p_value == pytest.approx(implied, rel=1e-3)


@pytest.mark.parametrize("row", ROBUST)
def test_our_interval_of_a_sample_made_for_table_1_is_the_printed_one(row):
    mean, half_width = ROBUST[row]
    found = mean_interval(sample(mean, half_width))
    assert (found.n, found.mean, found.half_width) == (
        N,
        pytest.approx(mean),
        pytest.approx(half_width),
    )


# Intervals.


@pytest.mark.parametrize(
    ("values", "mean", "half_width"),
    [
        # The standard error is sqrt(2.5 / 5) and t(0.975, 4) is 2.776445.
        pytest.param([1, 2, 3, 4, 5], 3, 2.776445 * math.sqrt(0.5), id="five values"),
        # The standard error is 2 and t(0.975, 1) is 12.706205.
        pytest.param([10, 14], 12, 25.41241, id="two values"),
        pytest.param([7, 7, 7], 7, 0, id="all equal"),
    ],
)
def test_an_interval_is_as_worked_by_hand(values, mean, half_width):
    found = mean_interval(np.array(values))
    assert (found.n, found.mean) == (len(values), mean)
    assert found.half_width == pytest.approx(half_width, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "deviation"),
    [([1, 2, 3, 4, 5], math.sqrt(2.5)), ([10, 14], math.sqrt(8)), ([7, 7], 0)],
)
def test_a_standard_deviation_is_as_worked_by_hand(values, deviation):
    assert mean_interval(np.array(values)).standard_deviation == pytest.approx(deviation)


def test_one_value_has_a_mean_and_no_interval():
    found = mean_interval(np.array([4.5]))
    assert (found.n, found.mean) == (1, 4.5)
    assert math.isnan(found.half_width)


def test_no_values_have_neither_mean_nor_interval():
    found = mean_interval(np.array([]))
    assert found.n == 0
    assert math.isnan(found.mean)
    assert math.isnan(found.half_width)


percentages = st.lists(st.floats(0, 100), min_size=2, max_size=30)


@given(values=percentages, scale=st.floats(0.1, 10), shift=st.floats(-100, 100))
def test_an_interval_moves_and_stretches_with_the_values(values, scale, shift):
    before = mean_interval(np.array(values))
    after = mean_interval(scale * np.array(values) + shift)
    assert after.mean == pytest.approx(scale * before.mean + shift, abs=1e-9)
    assert after.half_width == pytest.approx(scale * before.half_width, abs=1e-6)


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


@given(n=st.integers(1, 200), successes=st.integers(0, 200))
def test_the_share_of_the_others_has_the_mirrored_interval(n, successes):
    successes = min(successes, n)
    one, other = share_interval(successes, n), share_interval(n - successes, n)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)
    assert -1e-12 <= one.low <= one.share + 1e-12 <= one.high + 2e-12


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


@pytest.fixture
def summary():
    runs = pd.DataFrame(
        [
            ("mnist", "random", "0.6", 1, 60.0, 61.0, None),
            ("mnist", "random", "0.6", 1, 0.0, 2.0, 3.0),
            ("mnist", "random", "0.6", 2, 40.0, 41.0, None),
            ("mnist", "full", "1.0", 1, 50.0, 51.0, None),
        ],
        columns=[*RUN_KEYS, "autoattack_accuracy", "apgd_ce_40x5_accuracy", "diverged_epoch"],
    )
    found = summarise(runs, ["autoattack_accuracy"])
    return found.set_index(["dataset", "method", "p", "e"])


def test_a_summary_has_a_row_for_each_data_set_method_share_and_epoch(summary):
    assert list(summary.index) == [
        ("mnist", "full", "1.0", 1),
        ("mnist", "random", "0.6", 1),
        ("mnist", "random", "0.6", 2),
    ]


def test_a_summary_says_how_many_runs_a_row_has(summary):
    assert summary["n"].to_list() == [1, 2, 1]


def test_a_summary_has_the_mean_and_the_interval_of_a_metric(summary):
    row = summary.loc[("mnist", "random", "0.6", 1)]
    assert row["autoattack_accuracy_mean"] == 30
    assert row["autoattack_accuracy_half_width"] == pytest.approx(12.706205 * 30)


def test_a_summary_says_which_share_of_runs_collapsed_by_each_attack(summary):
    assert summary["autoattack_collapsed_share"].to_list() == [0, 0.5, 0]
    assert summary["apgd_ce_40x5_collapsed_share"].to_list() == [0, 0, 0]


def test_a_summary_counts_the_runs_that_diverged(summary):
    assert summary["diverged"].to_list() == [0, 1, 0]

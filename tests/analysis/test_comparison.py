"""Effect sizes, intervals, tests and power: against formulas, tables and simulation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from claim_tools import DEFAULT, runs_of_cell
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from advprune.analysis.comparison import (
    compare,
    difference_interval,
    equal_shares_p,
    hedges_g,
    holm,
    permutation_greater,
    power_to_see,
    runs_for_power,
    spread_of,
)
from advprune.tables.comparisons import comparisons

# Anything that SciPy or statsmodels would murmur into a user's log is an error here.
pytestmark = pytest.mark.filterwarnings("error")

HIGHER, LOWER = np.array([3.0, 5, 7]), np.array([1.0, 2, 3])
groups = st.lists(st.integers(0, 100), min_size=2, max_size=6).map(
    lambda values: np.array(values, dtype=float)
)


# Differences.


def test_the_interval_of_a_difference_is_welchs():
    # Means 5 and 2, variances 4 and 1, three values each.
    found = difference_interval(HIGHER, LOWER)
    freedom = (5 / 3) ** 2 / ((4 / 3) ** 2 / 2 + (1 / 3) ** 2 / 2)
    reach = stats.t.ppf(0.975, freedom) * math.sqrt(5 / 3)
    assert (found.value, found.low, found.high) == pytest.approx((3, 3 - reach, 3 + reach))


@given(first=groups, second=groups, shift=st.integers(-50, 50))
def test_what_is_added_to_both_groups_is_not_in_their_difference(first, second, shift):
    there, moved = (difference_interval(first + added, second + added) for added in (0, shift))
    assert (moved.value, moved.low, moved.high) == pytest.approx(
        (there.value, there.low, there.high), abs=1e-9
    )


@given(first=groups, second=groups)
def test_a_difference_the_other_way_round_is_its_negative(first, second):
    there, back = difference_interval(first, second), difference_interval(second, first)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-there.value, -there.high, -there.low), abs=1e-9
    )


# Effect sizes.


def test_hedges_g_is_as_its_formula():
    # Hedges (1981): d over the pooled deviation, times 1 - 3 / (4 (n1 + n2) - 9).
    found = hedges_g(HIGHER, LOWER)
    pooled = math.sqrt((2 * 4 + 2 * 1) / 4)
    g = 3 / pooled * (1 - 3 / (4 * 6 - 9))
    variance = 6 / 9 + g**2 / (2 * (6 - 3.94))  # by Hartung, Knapp and Sinha (2008)
    reach = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (found.value, found.low, found.high) == pytest.approx((g, g - reach, g + reach))


@given(first=groups, second=groups, scale=st.integers(1, 9), shift=st.integers(-50, 50))
def test_an_effect_size_has_no_unit(first, second, scale, shift):
    assume(np.ptp(first) + np.ptp(second) > 0)
    found = hedges_g(scale * first + shift, scale * second + shift)
    assert found.value == pytest.approx(hedges_g(first, second).value)


def test_the_spread_is_the_root_of_the_mean_variance():
    assert spread_of(HIGHER, LOWER) == pytest.approx(math.sqrt(2.5))


# Tests.


def exact_permutation_p(first, second):
    """Over all ways of choosing the first group."""
    values = np.concatenate([first, second])
    sums = [sum(chosen) for chosen in itertools.combinations(values, len(first))]
    return np.mean([total >= first.sum() - 1e-9 for total in sums])


@given(first=groups.filter(lambda g: len(g) < 5), second=groups.filter(lambda g: len(g) < 5))
def test_a_permutation_test_of_few_runs_is_exact(first, second):
    assume(np.ptp(first) + np.ptp(second) > 0)
    assert permutation_greater(first, second) == pytest.approx(exact_permutation_p(first, second))


def test_three_runs_that_are_all_higher_than_three_others_are_one_case_of_twenty():
    assert permutation_greater(np.array([4.0, 5, 6]), np.array([1.0, 2, 3])) == pytest.approx(0.05)


def test_a_permutation_test_of_many_runs_agrees_with_welchs():
    random = np.random.default_rng(0)
    first, second = random.normal(52, 10, 120), random.normal(50, 10, 120)
    welch = stats.ttest_ind(first, second, equal_var=False, alternative="greater").pvalue
    assert permutation_greater(first, second) == pytest.approx(welch, abs=0.01)


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        # Sorted 0.01, 0.02, 0.04: times 3, 2 and 1, and never less than the one before.
        ([0.02, 0.04, 0.01], [0.04, 0.04, 0.03]),
        ([0.03, 0.02], [0.04, 0.04]),
        ([0.7, 0.6], [1.0, 1.0]),
        ([0.03, math.nan], [0.03, math.nan]),  # what was not tested is not counted
        ([math.nan], [math.nan]),
        ([], []),
    ],
)
def test_holms_correction_is_as_worked_by_hand(p_values, corrected):
    assert holm(np.array(p_values)) == pytest.approx(np.array(corrected), nan_ok=True)


@settings(max_examples=20)  # statsmodels collects all garbage at every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_corrected_p_value_is_never_smaller(p_values):
    raw = np.array(p_values)
    corrected = holm(raw)
    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(1, len(raw) * raw) + 1e-12).all()


@pytest.mark.parametrize(
    ("lost", "n", "p_value"),
    [
        pytest.param((0, 0), (10, 10), 1.0, id="none collapsed"),
        pytest.param((4, 4), (4, 4), 1.0, id="all collapsed"),
        # Both tables that are as extreme have the probability q^3 (1 - q)^3, at most 1/64 each.
        pytest.param((3, 0), (3, 3), 2 / 64, id="all of one, none of the other"),
    ],
)
def test_shares_are_compared_by_boschloos_test(lost, n, p_value):
    first, second = (np.arange(size) < count for count, size in zip(lost, n, strict=True))
    assert equal_shares_p(first, second) == pytest.approx(p_value, abs=1e-6)
    assert equal_shares_p(second, first) == pytest.approx(p_value, abs=1e-6)


# Power.


def test_power_is_what_a_simulation_finds():
    random = np.random.default_rng(0)
    first, second = (np.array([-1.0, 0, 1] * 5) for _ in range(2))
    claimed = power_to_see(0.8, first, second)
    drawn = random.normal(0, spread_of(first, second), (2, 4000, 15))
    p_values = stats.ttest_ind(drawn[0] + 0.8, drawn[1], axis=1, alternative="greater").pvalue
    # 4,000 repetitions: a standard error of 0.007.
    assert claimed == pytest.approx(np.mean(p_values < 0.05), abs=0.025)


@pytest.mark.parametrize(
    ("effect_size", "runs"),
    # Cohen (1988), table 2.4: one-sided at 0.05, power 0.80.
    [(0.2, 310), (0.5, 51), (0.8, 21), (1.0, 14)],
)
def test_the_runs_needed_are_those_of_cohens_table(effect_size, runs):
    assert runs_for_power(effect_size) == pytest.approx(runs, abs=1)


@given(st.floats(0.01, 50), st.sampled_from([0.0015, 0.025, 0.05, 0.15]))
def test_so_many_runs_give_the_power_and_one_fewer_does_not(effect_size, alpha):
    n = int(runs_for_power(effect_size, alpha=alpha))

    def power(n):
        freedom, noncentrality = 2 * n - 2, effect_size * math.sqrt(n / 2)
        return stats.nct.sf(stats.t.isf(alpha, freedom), freedom, noncentrality)

    assert power(n) >= 0.8 - 1e-6
    assert n == 2 or power(n - 1) < 0.8 + 1e-6


@pytest.mark.parametrize(
    ("effect_size", "runs"),
    [(0.0, math.inf), (-1.0, math.inf), (1e-15, math.inf), (math.nan, math.nan), (1e3, 2)],
)
def test_the_runs_needed_where_the_effect_is_none_or_huge(effect_size, runs):
    assert runs_for_power(effect_size) == pytest.approx(runs, nan_ok=True)


# All together.


@given(first=groups, second=groups)
def test_ordinary_small_groups_are_compared_without_a_warning(first, second):
    found = compare(first, second)
    spread = bool(np.ptp(first) or np.ptp(second))
    for name in ("welch_p", "permutation_p"):
        assert (0 <= getattr(found, name) <= 1) == spread
    assert found.bootstrap.low <= found.bootstrap.value <= found.bootstrap.high or not spread


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param([50.0], [40.0, 60.0], id="one run"),
        pytest.param([50.0], [40.0], id="one run each"),
        pytest.param([], [40.0, 60.0], id="no run"),
        pytest.param([50.0, 50.0], [40.0, 40.0], id="no spread"),
        pytest.param([0.0] * 3, [0.0] * 3, id="all collapsed"),
    ],
)
def test_where_nothing_can_be_tested_there_is_no_p_value(first, second):
    found = compare(np.array(first), np.array(second))
    untested = [found.welch_p, found.permutation_p, found.hedges_g.value, found.bootstrap.value]
    assert np.isnan(untested).all()


def test_collapsed_runs_are_counted_in_each_group():
    found = compare(np.array([0.0, 0.5, 1.0, 50]), np.array([60.0, 70]))
    assert [share.share for share in found.collapsed] == [0.5, 0.0]


# The table.


@pytest.fixture
def table():
    accuracies = {
        "low-deepfool": [50.0, 60, 70],
        "low-loss": [70.0, 80, 90],
        "random": [40.0, 50, 60],
        "full": [0.0, 30, 60],
    }
    cells = [
        runs_of_cell(
            method,
            "1.0" if method == "full" else "0.6",
            autoattack_accuracy=values,
            apgd_ce_40x5_accuracy=[5.0, 5, 5],
        )
        for method, values in accuracies.items()
    ]
    return comparisons(pd.concat(cells, ignore_index=True), DEFAULT)


def test_the_table_has_figure_8s_tests_under_both_attacks(table):
    rows = table.numbers[["method", "against", "metric"]].to_numpy().tolist()
    attacks = ("autoattack_accuracy", "apgd_ce_40x5_accuracy")
    tests = (("low-deepfool", "full"), ("low-loss", "full"), ("low-loss", "random"))
    assert rows == [[*test, attack] for test in tests for attack in attacks]


def test_the_table_corrects_for_the_tests_of_one_attack(table):
    numbers = table.numbers[table.numbers["metric"] == "autoattack_accuracy"]
    for test in ("welch_p", "permutation_p"):
        assert numbers[f"{test}_holm"].to_list() == pytest.approx(holm(numbers[test].to_numpy()))


def test_the_table_holds_what_the_comparison_finds(table):
    row = table.numbers.iloc[0]
    found = compare(np.array([50.0, 60, 70]), np.array([0.0, 30, 60]))
    assert row["difference_value"] == 30
    assert row["hedges_g_value"] == pytest.approx(found.hedges_g.value)
    assert row["collapsed_against_percent_value"] == pytest.approx(100 / 3)
    assert (row["n"], row["n_against"]) == (3, 3)


def test_the_table_shows_a_dash_where_nothing_can_be_tested(table):
    row = table.shown.iloc[1]
    assert row[["Hedges' g", "Welch p (Holm)", "Runs for 80% power"]].to_list() == [
        "–",
        "– (–)",
        "–",
    ]

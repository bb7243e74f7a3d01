"""Effect sizes, intervals, tests and power: against formulas, tables and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from advprune.analysis.comparison import (
    compare,
    difference_interval,
    equal_shares_p,
    hedges_g,
    holm,
    permutation_greater,
    runs_for_power,
)

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


# Effect sizes.


def test_hedges_g_is_as_its_formula():
    # Hedges (1981): d over the pooled deviation, times 1 - 3 / (4 (n1 + n2) - 9).
    found = hedges_g(HIGHER, LOWER)
    pooled = math.sqrt((2 * 4 + 2 * 1) / 4)
    g = 3 / pooled * (1 - 3 / (4 * 6 - 9))
    variance = 6 / 9 + g**2 / (2 * (6 - 3.94))  # by Hartung, Knapp and Sinha (2008)
    reach = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (found.value, found.low, found.high) == pytest.approx((g, g - reach, g + reach))


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

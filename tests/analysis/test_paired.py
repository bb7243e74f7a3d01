"""Tests of pairs: against enumeration, formulas and hand-worked cases."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from run_tables import seeded
from scipy import stats

from advprune.analysis.comparison import RESAMPLES
from advprune.analysis.paired import (
    compare_pairs,
    correlation,
    paired_t,
    pairs_of,
    resampled_seeds,
    share_won,
    sign_flip_greater,
)
from advprune.analysis.statistics import welch_greater

# Anything that SciPy would murmur into a user's log is an error here.
pytestmark = pytest.mark.filterwarnings("error")

few = st.lists(st.integers(-20, 20), min_size=2, max_size=8).map(lambda v: np.array(v, dtype=float))
many = st.lists(st.integers(0, 100), min_size=2, max_size=12)


# Pairs.


def test_pairs_are_of_the_seeds_that_both_groups_have():
    first = pd.Series([10.0, 20, 30], index=[2, 0, 7])
    second = pd.Series([1.0, 2, 3], index=[7, 1, 2])
    one, other = pairs_of(first, second)
    assert (one.tolist(), other.tolist()) == ([10, 30], [3, 1])


def test_runs_without_a_partner_do_not_change_what_pairs_say():
    first, second = seeded([50, 60, 75]), seeded([40, 61, 60])
    with_more = pd.concat([first, seeded([0, 0], first=90)])
    assert compare_pairs(with_more, second) == compare_pairs(first, second)


def test_groups_without_a_shared_seed_have_no_pairs():
    found = compare_pairs(seeded([1, 2]), seeded([3, 4], first=5))
    assert found.n == 0
    told = [found.difference.value, found.correlation, found.t_p, found.sign_flip_p]
    assert np.isnan([*told, found.won.share]).all()


# The paired t-test.


def test_the_paired_t_test_is_as_worked_by_hand():
    # Mean 2, deviation 1, three pairs: t = 2 sqrt(3).
    interval, p_value = paired_t(np.array([1.0, 2, 3]))
    reach = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert (interval.value, interval.low, interval.high) == pytest.approx((2, 2 - reach, 2 + reach))
    assert p_value == pytest.approx(stats.t.sf(2 * math.sqrt(3), 2))


@pytest.mark.parametrize(
    ("differences", "interval"),
    [
        pytest.param([], (math.nan,) * 3, id="no pair"),
        pytest.param([4.0], (4, math.nan, math.nan), id="one pair"),
        pytest.param([4.0, 4.0], (4, 4, 4), id="no spread"),
    ],
)
def test_where_the_t_test_has_nothing_to_go_by_it_has_no_p_value(differences, interval):
    found, p_value = paired_t(np.array(differences))
    assert (found.value, found.low, found.high) == pytest.approx(interval, nan_ok=True)
    assert math.isnan(p_value)


def test_pairs_see_a_difference_that_welchs_test_does_not():
    # What the runs of a seed share is much larger than what the methods differ by.
    random = np.random.default_rng(0)
    shared = random.normal(60, 20, 40)
    first, second = shared + random.normal(3, 2, 40), shared + random.normal(0, 2, 40)
    found = compare_pairs(pd.Series(first), pd.Series(second))
    assert welch_greater(first, second).p_value > 0.1
    assert max(found.t_p, found.sign_flip_p) < 0.001
    assert found.correlation > 0.9


def test_without_correlation_pairs_and_welchs_test_agree():
    random = np.random.default_rng(0)
    first, second = random.normal(64, 25, 120), random.normal(57, 25, 120)
    welch = welch_greater(first, second).p_value
    found = compare_pairs(pd.Series(first), pd.Series(second))
    assert [found.t_p, found.sign_flip_p] == pytest.approx([welch] * 2, abs=0.015)


# Flipping signs.


def enumerated_p(differences):
    """Over all signs."""
    signs = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    return np.mean((signs * differences).sum(axis=1) >= differences.sum() - 1e-9)


@settings(max_examples=50)
@given(few)
def test_the_signs_of_few_pairs_are_all_tried(differences):
    assume(np.any(differences))
    assert sign_flip_greater(differences) == pytest.approx(enumerated_p(differences))


def test_four_pairs_that_are_all_won_are_one_case_of_sixteen():
    assert sign_flip_greater(np.array([1.0, 5, 2, 9])) == 1 / 16


def test_the_signs_of_many_pairs_are_drawn_near_what_enumeration_gives():
    differences = np.random.default_rng(4).normal(0.4, 1, 16)  # 65,536 signs, above what is drawn
    assert RESAMPLES < 2**16
    assert sign_flip_greater(differences) == pytest.approx(enumerated_p(differences), abs=0.01)


@pytest.mark.parametrize("differences", [[], [3.0], [0.0, 0.0, 0.0]], ids=["none", "one", "all 0"])
def test_where_no_sign_can_tell_there_is_no_p_value(differences):
    assert math.isnan(sign_flip_greater(np.array(differences)))


# Pairs won, and their correlation.


def test_a_pair_of_equals_is_half_won():
    found = compare_pairs(seeded([0, 0, 70, 80]), seeded([0, 0, 60, 90]))
    assert (found.n, found.ties, found.won.share) == (4, 2, 0.5)


def test_the_interval_of_pairs_won_is_wilsons():
    z = stats.norm.ppf(0.975)
    found = share_won(np.array([1.0, 1, 1, -1, 0]))
    share, n = 0.7, 5
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert (found.share, found.low, found.high) == pytest.approx(
        (share, centre - reach, centre + reach)
    )


@given(few)
def test_what_one_wins_the_other_loses(differences):
    there, back = share_won(differences), share_won(-differences)
    assert there.share + back.share == pytest.approx(1)
    assert (there.low, there.high) == pytest.approx((1 - back.high, 1 - back.low))


def test_two_identical_groups_differ_in_nothing():
    group = seeded([0, 40, 60, 80])
    found = compare_pairs(group, group)
    assert (found.difference.value, found.ties, found.won.share) == (0, 4, 0.5)
    assert found.correlation == pytest.approx(1)
    assert np.isnan([found.t_p, found.sign_flip_p]).all()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3], [10, 30, 50], 1),
        ([1, 2, 3], [3, 2, 1], -1),
        ([1, 2, 3], [5, 5, 5], math.nan),
        ([1], [2], math.nan),
    ],
)
def test_the_correlation_of_pairs_is_pearsons(one, other, expected):
    found = correlation(np.array(one, dtype=float), np.array(other, dtype=float))
    assert found == pytest.approx(expected, nan_ok=True)


# The bootstrap over seeds.


def test_a_seed_is_drawn_for_both_groups_at_once():
    one, other = resampled_seeds(seeded(range(6)), seeded(range(100, 106)), paired=True)
    assert one.shape == other.shape == (RESAMPLES, 6)
    assert (one + 100 == other).all()
    assert set(one.flatten()) == set(range(6))


def test_unpaired_groups_are_drawn_each_for_itself():
    one, other = resampled_seeds(seeded(range(6)), seeded(range(100, 106)), paired=False)
    drawn = np.corrcoef(one.mean(axis=1), other.mean(axis=1))[0, 1]
    assert abs(drawn) < 0.05


def test_a_run_without_a_partner_is_drawn_too():
    one, other = resampled_seeds(seeded([1, 2, 3]), seeded([1, 2], first=1), paired=True)
    assert (one.shape, other.shape) == ((RESAMPLES, 3), (RESAMPLES, 2))
    assert 1 in one  # seed 0, which the other group lacks
    assert (one[:, 1:] - 1 == other).all()


@pytest.mark.parametrize("paired", [True, False])
@given(first=many, second=many)
@settings(max_examples=10, deadline=None)
def test_the_same_draws_are_made_again(paired, first, second):
    drawn = [resampled_seeds(seeded(first), seeded(second), paired=paired) for _ in range(2)]
    for one, again in zip(*drawn, strict=True):
        assert np.array_equal(one, again)

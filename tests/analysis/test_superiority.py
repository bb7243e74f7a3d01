"""The probability that one network is more robust than another: against counting all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from advprune.analysis.superiority import probability_higher

pytestmark = pytest.mark.filterwarnings("error")

groups = st.lists(st.integers(0, 9), min_size=1, max_size=9).map(lambda v: np.array(v, dtype=float))


@given(first=groups, second=groups)
def test_it_is_the_share_of_all_pairs_that_the_first_wins(first, second):
    pairs = first[:, None] - second[None, :]
    brute_force = np.mean((pairs > 0) + (pairs == 0) / 2)
    assert probability_higher(first, second).value == pytest.approx(brute_force)


@given(first=groups, second=groups)
def test_the_other_way_round_it_is_the_rest(first, second):
    there, back = probability_higher(first, second), probability_higher(second, first)
    assert (there.value, there.low, there.high) == pytest.approx(
        (1 - back.value, 1 - back.high, 1 - back.low), abs=1e-9
    )


@given(first=groups, second=groups)
def test_the_interval_holds_the_share_and_stays_between_0_and_1(first, second):
    found = probability_higher(first, second)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    assert found.high - found.low > 0.1


def test_two_identical_groups_win_half():
    group = np.array([0.0, 0, 50, 70])
    found = probability_higher(group, group)
    assert (found.value, found.low + found.high) == pytest.approx((0.5, 1))


def test_where_the_first_wins_every_pair_the_interval_has_a_width():
    found = probability_higher(np.array([60.0, 70, 80]), np.array([0.0, 1, 2]))
    assert (found.value, found.high) == (1, 1)
    assert 0.3 < found.low < 0.9


def test_an_end_is_where_the_score_test_just_rejects():
    # Newcombe's equation, with three and two runs of which five pairs of six are won.
    found = probability_higher(np.array([10.0, 20, 30]), np.array([5.0, 15]))
    z, n, m = stats.norm.ppf(0.975), 3, 2

    def score(t):
        more = (n + m) / 2 - 1
        variance = t * (1 - t) * (1 + more * (1 - t) / (2 - t) + more * t / (1 + t)) / (n * m)
        return abs(5 / 6 - t) - z * math.sqrt(variance)

    ends = (optimize.brentq(score, 1e-9, 5 / 6), optimize.brentq(score, 5 / 6, 1 - 1e-9))
    assert (found.low, found.high) == pytest.approx(ends)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    # Bimodal accuracies: 30% and 10% collapse, the others are normal, and the second 3 points up.
    random = np.random.default_rng(0)

    def draw(share, mean, n):
        return np.where(random.random(n) < share, 0, random.normal(mean, 10, n))

    # Both collapse: half; the first alone: 0; the second alone: 1; neither: P(N(-3, 200) > 0).
    both_work = stats.norm.cdf(-3 / math.sqrt(200))
    truth = 0.3 * 0.1 / 2 + 0.7 * 0.1 + 0.7 * 0.9 * both_work
    found = [probability_higher(draw(0.3, 70, 30), draw(0.1, 73, 30)) for _ in range(400)]
    assert 0.92 < np.mean([each.low <= truth <= each.high for each in found]) < 0.98


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([], [])])
def test_without_runs_there_is_no_probability(first, second):
    found = probability_higher(np.array(first), np.array(second))
    assert np.isnan([found.value, found.low, found.high]).all()

"""Class mixes, what two runs drop in common, and the interval of what pairs of runs have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from advprune.analysis.overlap import (
    class_mix,
    class_shares,
    common_share,
    common_shares,
    total_variation,
)
from advprune.analysis.statistics import mean_interval_of_pairs

LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2])


def mask(text):
    """1 for kept."""
    return np.array([sign == "1" for sign in text])


def test_the_mix_of_what_is_kept_is_counted_by_hand():
    assert class_shares(LABELS).tolist() == [0.5, 0.25, 0.25]
    assert class_mix(mask("11000110"), LABELS).tolist() == [0.5, 0.25, 0.25]


def test_a_class_that_is_dropped_whole_has_a_share_of_0():
    assert class_mix(mask("11001100"), LABELS).tolist() == [0.5, 0.5, 0.0]


def test_total_variation_is_the_share_that_would_have_to_be_of_another_class():
    # Of 4 kept examples one would have to be of class 2 instead of class 1.
    assert total_variation(class_mix(mask("11001100"), LABELS), class_shares(LABELS)) == 0.25


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        pytest.param("1100", "1100", 1.0, id="the same examples"),
        pytest.param("1100", "0011", 0.0, id="none"),
        pytest.param("1100", "1010", 0.5, id="one of two"),
        pytest.param("11110000", "11111000", 6 / 7, id="counts that rounding sets apart"),
    ],
)
def test_what_is_dropped_in_common_is_counted_by_hand(first, second, share):
    assert common_share(mask(first), mask(second)) == pytest.approx(share)


def test_two_runs_that_drop_at_random_have_1_less_p_in_common():
    generator = np.random.default_rng(0)
    first, second = (generator.permutation(100_000) < 70_000 for _ in range(2))
    assert common_share(first, second) == pytest.approx(0.3, abs=0.01)


def test_every_two_of_60000_examples_are_counted_exactly():
    generator = np.random.default_rng(1)
    kept = generator.random((5, 60_000)) < 0.6
    by_hand = [[2 * (~a & ~b).sum() / ((~a).sum() + (~b).sum()) for b in kept] for a in kept]
    assert common_shares(kept) == pytest.approx(np.array(by_hand))


@given(st.integers(0, 2**32 - 1))
def test_what_is_in_common_is_symmetric_within_0_and_1_and_whole_with_itself(seed):
    generator = np.random.default_rng(seed)
    kept = generator.random((4, 30)) < generator.random()
    kept[:, 0] = False  # every run drops something
    shares = common_shares(kept)
    assert (shares == shares.T).all()
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares.diagonal().tolist() == [1] * 4


# The mean over pairs.


def test_the_mean_over_pairs_leaves_out_each_with_itself():
    values = np.array([[9.0, 1, 2], [1, 9, 6], [2, 6, 9]])
    assert mean_interval_of_pairs(values).mean == pytest.approx((1 + 2 + 6) / 3)


def test_the_interval_of_pairs_is_the_jackknife_by_hand():
    values = np.array([[0.0, 1, 2], [1, 0, 6], [2, 6, 0]])
    # The mean without each run is that of the one pair left: 6, 2, 1; pseudo-values are
    # 3 * 3 - 2 * that.
    pseudo = np.array([-3.0, 5.0, 7.0])
    wanted = stats.t.ppf(0.975, 2) * stats.sem(pseudo)
    found = mean_interval_of_pairs(values)
    assert (found.n, found.mean) == (3, pytest.approx(pseudo.mean()))
    assert found.half_width == pytest.approx(wanted)


@pytest.mark.parametrize(("n", "mean"), [(1, np.nan), (2, 4.0)])
def test_one_pair_has_a_mean_and_no_interval_and_one_run_has_neither(n, mean):
    found = mean_interval_of_pairs(np.full((n, n), 4.0))
    assert [found.mean, found.half_width] == pytest.approx([mean, np.nan], nan_ok=True)


def test_the_interval_of_pairs_holds_the_true_mean_95_times_in_100():
    # Each pair's value owes most to its two runs: the interval of independent pairs would be far
    # too narrow, and hold it half the time.
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(1000):
        runs = generator.normal(size=15)
        noise = generator.normal(size=(15, 15)) / 10
        found = mean_interval_of_pairs(runs[:, None] + runs[None, :] + noise + noise.T)
        held += abs(found.mean) <= found.half_width
    assert 930 <= held <= 970

"""The rules: hand-worked cases, what no rule may say, and exact error rates where sums exist."""

import numpy as np
import pytest
from scipy import stats

from advprune.claims import estimates, rules
from advprune.claims.estimates import ACCURACY, Span
from advprune.claims.rules import Verdict

REPRODUCED, DIFFERS, UNDERPOWERED = list(Verdict)[:3]


def halves(first, second, n=20):
    """n runs, half of them at each of two values."""
    return np.repeat([float(first), float(second)], n // 2)


def random_accuracies(n=30, shape=(), seed=0):
    random = np.random.default_rng(seed)
    working = random.normal(75, 10, (*shape, n)).clip(0, 100)
    return np.where(random.random((*shape, n)) < 0.2, random.random((*shape, n)), working)


# Estimates

# t(0.95, 19) = 1.7291. With two runs at 0 the 22 have the mean 1000 / 22 = 45.455 and squared
# deviations of 52,000 - 22 * 45.455**2 = 6,545.5, so that the error is sqrt(6,545.5 / 21 / 22) =
# 3.7640; with two at 100 it is the same around 54.545.


def test_a_mean_of_accuracies_counts_two_runs_at_the_end_of_the_range_for_each_limit():
    found = estimates.mean_of(halves(40, 60), ACCURACY)
    assert found.value == 50
    assert found.low() == pytest.approx(45.4545 - 1.7291 * 3.7640, abs=1e-3)
    assert found.high() == pytest.approx(54.5455 + 1.7291 * 3.7640, abs=1e-3)


def test_a_mean_without_a_known_range_counts_the_most_extreme_run_twice():
    # 1, 1, 2, ..., 10: mean 56 / 11, squared deviations 386 - 56**2 / 11 = 100.91, error
    # sqrt(100.91 / 10 / 11) = 0.9578; t(0.95, 9) = 1.8331.
    found = estimates.mean_of(np.arange(1.0, 11.0))
    assert found.low() == pytest.approx(56 / 11 - 1.8331 * 0.9578, abs=1e-3)
    assert found.high() == pytest.approx(65 / 11 + 1.8331 * 0.9578, abs=1e-3)


def test_a_paired_difference_counts_one_pair_at_the_end_of_its_range():
    # 20 differences, ten of 10 and ten of 20, and one of -100: mean 200 / 21, squared deviations
    # 15,000 - 21 * (200 / 21)**2 = 13,095.2, error sqrt(13,095.2 / 20 / 21) = 5.5838.
    found = estimates.difference(halves(60, 70), halves(50, 50), paired=True, span=ACCURACY)
    assert found.value == 15
    assert found.low() == pytest.approx(200 / 21 - 1.7291 * 5.5838, abs=1e-3)


def test_an_unpaired_difference_is_that_of_two_means_with_one_extra_run_each():
    first, second = random_accuracies(30, seed=1), random_accuracies(25, seed=2)
    single = Span(0, 100, extra=1)
    one, other = estimates.mean_of(first, single), estimates.mean_of(second, single)
    found = estimates.difference(first, second, paired=False, span=ACCURACY)
    assert found.lower.center == pytest.approx(one.lower.center - other.upper.center)
    assert found.lower.error == pytest.approx(np.hypot(one.lower.error, other.upper.error))
    assert found.lower.df == 24  # of the smaller group


def test_pairing_narrows_the_interval_where_seeds_are_alike_under_both_methods():
    second = random_accuracies(60)
    first = second + np.linspace(-2, 4, 60)
    widths = [
        found.high() - found.low()
        for found in (
            estimates.difference(first, second, paired=paired, span=ACCURACY)
            for paired in (True, False)
        )
    ]
    assert widths[0] < widths[1]


def test_subtracting_adds_both_errors_as_squares():
    found = estimates.known(60, 2, 30).minus(estimates.known(64, 1.5, 119))
    assert found.value == -4
    assert found.lower.error == found.upper.error == 2.5
    assert found.lower.df == 30


def test_a_printed_interval_tells_the_standard_error_of_its_number():
    # 6.61 / t(0.975, 119) = 6.61 / 1.9801.
    found = estimates.printed(51.39, 6.61, 120)
    assert found.lower.error == pytest.approx(6.61 / 1.9801, abs=1e-4)
    assert found.low(0.025) == pytest.approx(51.39 - 6.61)


@pytest.mark.parametrize(("runs", "error"), [(1, 2.0), (4, 1.0)])
def test_a_number_without_interval_is_taken_to_scatter_as_our_runs_do(runs, error):
    ours = np.array([0.0, 2.0, 4.0, 2.0]) * np.sqrt(3 / 2)  # variance 8 / 3 * 3 / 2 = 4
    found = estimates.printed_without_interval(5.0, ours, runs)
    assert found.lower.error == pytest.approx(error)
    assert found.lower.df == 3


def test_a_printed_percentage_has_the_relative_errors_of_both_its_numbers():
    found = estimates.printed_percent(estimates.known(30, 0.3, 119), estimates.known(40, 0.3, 119))
    assert found.value == 75
    assert found.lower.error == pytest.approx(75 * np.hypot(0.01, 0.0075))


def test_a_variance_is_that_of_the_runs():
    runs = random_accuracies(40)
    assert estimates.variance_of(runs, ACCURACY).value == pytest.approx(runs.var(ddof=1))
    assert estimates.variance_of(runs, ACCURACY, 0.25).value == pytest.approx(runs.var(ddof=1) / 4)


@pytest.mark.parametrize("paired", [True, False])
def test_the_difference_of_spreads_is_that_of_variances_at_the_ratio_asked_for(paired):
    first, second = random_accuracies(40, seed=1), random_accuracies(40, seed=2)
    found = estimates.spread_difference(first, second, ratio=2, paired=paired, span=ACCURACY)
    assert found.value == pytest.approx(first.var(ddof=1) - 4 * second.var(ddof=1))
    assert found.low() < found.value < found.high()


def test_the_extra_run_of_a_variance_is_as_far_from_the_mean_as_the_range_allows():
    # Around 50 of runs at 40 and 60 all squared deviations are 100 * 20 / 19 = 105.26; the farthest
    # run is 50 away, and moves the center of the upper limit to (20 * 105.26 + 2,500) / 21.
    found = estimates.variance_of(halves(40, 60), ACCURACY)
    assert found.upper.center == pytest.approx((20 * 100 * 20 / 19 + 2500) / 21)
    assert found.lower.center == pytest.approx((20 * 100 * 20 / 19) / 21)


def test_the_farthest_run_is_at_the_farther_end_of_the_range():
    # Around 70 it is 70 away, not 30.
    found = estimates.variance_of(halves(60, 80), ACCURACY)
    assert found.upper.center == pytest.approx((20 * 100 * 20 / 19 + 4900) / 21)


def test_the_extra_pair_of_two_spreads_has_the_farthest_run_in_one_of_them():
    # The same squares, so that their differences are 0; means 50 and 70, and a ratio of 1.
    first, second = halves(40, 60), halves(60, 80)
    found = estimates.spread_difference(first, second, ratio=1, paired=True, span=ACCURACY)
    assert found.lower.center == pytest.approx(-4900 / 21)
    assert found.upper.center == pytest.approx(2500 / 21)


def test_a_slope_is_the_mean_of_each_seeds_own_line():
    shares = np.array([0.2, 0.6, 1.0])
    steepness = np.array([-30.0, -20, -10, 0, 10])
    values = 70 + steepness[:, np.newaxis] * shares
    assert estimates.slope_of(values, shares).value == pytest.approx(-10)


def test_the_steepest_slope_of_accuracies_is_that_of_a_step_from_0_to_100():
    # Of two shares 0.5 apart: 100 / 0.5.
    shares = np.array([0.5, 1.0])
    values = np.stack([halves(40, 60), halves(50, 60)], axis=-1)
    slopes = (values[:, 1] - values[:, 0]) / 0.5
    found = estimates.slope_of(values, shares, ACCURACY)
    assert found.lower.center == pytest.approx((slopes.sum() - 200) / 21)


# Too few runs, and runs that are alike


@pytest.mark.parametrize(("n", "verdict"), [(19, UNDERPOWERED), (20, DIFFERS)])
def test_a_mean_of_accuracies_that_may_collapse_takes_20_runs(n, verdict):
    runs = np.linspace(0, 0.9, n)
    ours = estimates.mean_of(runs, ACCURACY).minus(estimates.printed(64.17, 4.67, 120))
    decision = rules.within(ours, 12.78)
    assert decision.verdict is verdict
    assert ("n = 19" in decision.reason) is (n == 19)


@pytest.mark.parametrize(("n", "verdict"), [(0, UNDERPOWERED), (9, UNDERPOWERED), (10, REPRODUCED)])
def test_a_mean_of_other_numbers_takes_10_runs(n, verdict):
    decision = rules.above(estimates.mean_of(np.linspace(98.0, 98.1, n)), 90)
    assert decision.verdict is verdict


def test_two_runs_that_are_alike_are_no_certainty():
    zeros, others = np.array([0.0, 0.0]), np.array([71.0, 71.0])
    for paired in (True, False):
        found = estimates.difference(others, zeros, paired=paired, span=ACCURACY)
        assert rules.above(found).verdict is UNDERPOWERED


@pytest.mark.parametrize("paired", [True, False])
def test_any_number_of_runs_without_spread_gives_no_verdict(paired):
    zeros, others = np.zeros(40), np.full(40, 71.0)
    decision = rules.above(estimates.difference(others, zeros, paired=paired, span=ACCURACY))
    assert decision.verdict is UNDERPOWERED
    assert decision.reason == "no run differs from another"
    assert rules.above(estimates.mean_of(np.full(40, 98.0)), 90).verdict is UNDERPOWERED


@pytest.mark.parametrize("paired", [True, False])
def test_a_spread_of_runs_that_are_alike_gives_no_verdict(paired):
    runs, alike = random_accuracies(40), np.full(40, 71.0)
    assert rules.below(estimates.variance_of(alike, ACCURACY), 100**2).verdict is UNDERPOWERED
    for pair in ((runs, alike), (alike, runs)):
        found = estimates.spread_difference(*pair, ratio=1, paired=paired, span=ACCURACY)
        assert rules.above(found, -(100**2)).verdict is UNDERPOWERED


def test_either_group_of_a_difference_may_be_too_small_or_without_spread():
    runs = random_accuracies(40)
    for flawed, why in ((runs[:19], "n = 19"), (np.full(40, 71.0), "no run differs")):
        for pair in ((runs, flawed), (flawed, runs)):
            found = estimates.difference(*pair, paired=False, span=ACCURACY)
            decision = rules.above(found, -100)
            assert decision.verdict is UNDERPOWERED
            assert decision.reason.startswith(why)


def test_runs_that_all_collapse_to_exactly_0_contradict_a_printed_accuracy():
    ours = estimates.mean_of(np.zeros(20), ACCURACY).minus(estimates.printed(64.17, 4.67, 120))
    assert rules.within(ours, 12.78).verdict is DIFFERS


# Rules


@pytest.mark.parametrize(
    ("difference", "margin", "beyond", "verdict"),
    [
        # The error is 2.5: 1.645 * 2.5 = 4.11 for REPRODUCED, 1.960 * 2.5 = 4.90 for DIFFERS.
        (-4, 8.2, 0, REPRODUCED),
        (-4, 8.0, 0, UNDERPOWERED),
        (-5, 8.0, 0, DIFFERS),
        (5, 8.0, 0, DIFFERS),
        (5, 8.0, 0.5, UNDERPOWERED),
        (5, 9.2, 0, REPRODUCED),  # the difference is certain and small
        (4, 4.0, 0, UNDERPOWERED),  # exactly at the margin
    ],
)
def test_a_number_is_reproduced_within_its_margin_and_differs_off_0(
    difference, margin, beyond, verdict
):
    estimate = estimates.known(60 + difference, 2).minus(estimates.known(60, 1.5))
    assert rules.within(estimate, margin, beyond=beyond).verdict is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(11.7, REPRODUCED), (11.6, UNDERPOWERED), (8.4, UNDERPOWERED), (8.3, DIFFERS)],
)
def test_a_direction_takes_a_one_sided_test_at_5_percent(value, verdict):
    estimate = estimates.known(value, 1)  # 1.645 to either side of 10
    assert rules.above(estimate, 10).verdict is verdict


def test_below_says_the_opposite_of_above():
    opposite = {REPRODUCED: DIFFERS, DIFFERS: REPRODUCED, UNDERPOWERED: UNDERPOWERED}
    for value in (5, 9, 12):
        estimate = estimates.known(value, 1)
        one, other = rules.below(estimate, 9), rules.above(estimate, 9)
        assert one.verdict is opposite[other.verdict]
        assert (one.claim, one.contrary) == (other.contrary, other.claim)


def test_a_direction_turns_round_with_the_groups():
    first, second = random_accuracies(60, seed=1) * 0.5, random_accuracies(60, seed=2)
    for paired in (True, False):
        one, other = (
            rules.above(estimates.difference(*pair, paired=paired, span=ACCURACY)).verdict
            for pair in ((first, second), (second, first))
        )
        assert (one, other) == (DIFFERS, REPRODUCED)


@pytest.mark.parametrize(
    ("value", "reference", "verdict"),
    [
        (-3.3, 50, REPRODUCED),
        (-3.4, 50, UNDERPOWERED),
        (-6.7, 50, DIFFERS),
        (-3.3, 6.7, REPRODUCED),
        (-3.3, 6.6, UNDERPOWERED),  # it may be no higher than 5
        (-6.7, 6.6, DIFFERS),
    ],
)
def test_no_loss_allows_a_tolerance_and_takes_something_to_lose(value, reference, verdict):
    decision = rules.no_loss(estimates.known(value, 1), 5, estimates.known(reference, 1))
    assert decision.verdict is verdict


def test_where_every_run_collapses_nothing_is_kept():
    random = np.random.default_rng(0)
    runs, others = random.random((2, 120))
    found = estimates.difference(runs, others, paired=True, span=ACCURACY)
    decision = rules.no_loss(found, 6.39, estimates.mean_of(others, ACCURACY))
    assert rules.above(found, -6.39).verdict is REPRODUCED
    assert decision.verdict is UNDERPOWERED
    assert decision.reason == "the reference may be below 6.39 itself"


@pytest.mark.parametrize(("collapsed", "works"), [(5, True), (6, False), (20, False)])
def test_most_runs_work_if_a_binomial_test_says_so(collapsed, works):
    # Of 20: P(X <= 5) = 0.0207 and P(X <= 6) = 0.0577 at one half.
    runs = np.r_[np.zeros(collapsed), np.full(20 - collapsed, 70.0)]
    assert rules.most_work(runs) == works


@pytest.mark.parametrize(
    ("successes", "n", "bound", "verdict"),
    [
        (0, 120, 1 / 30, DIFFERS),  # (29 / 30)**120 = 0.017
        (0, 88, 1 / 30, UNDERPOWERED),  # 0.0506
        (3, 3, 0.3, REPRODUCED),  # 0.027
        (2, 3, 0.3, UNDERPOWERED),  # 0.216
        (3, 3, 0.4, UNDERPOWERED),  # 0.064
    ],
)
def test_a_share_is_judged_by_exact_binomial_tests(successes, n, bound, verdict):
    assert rules.share_above(successes, n, bound).verdict is verdict


def test_the_limits_of_a_share_are_those_of_clopper_and_pearson():
    for successes in (0, 3, 10):
        found = rules.share_above(successes, 10, 0.5)
        exact = stats.binomtest(successes, 10).proportion_ci(0.9, method="exact")
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    ("p_for", "p_against", "most", "verdict"),
    [
        ([0.01, 0.02, 0.05], [1, 1, 1], False, REPRODUCED),
        ([0.01, 0.02, 0.051], [1, 1, 1], False, UNDERPOWERED),
        ([0.5, 0.5, 0.99], [0.5, 0.5, 0.016], False, DIFFERS),  # 3 * 0.016 = 0.048
        ([0.5, 0.5, 0.99], [0.5, 0.5, 0.017], False, UNDERPOWERED),
        ([0.01, 0.025, 0.9], [1, 1, 1], True, REPRODUCED),  # 2 * 0.025
        ([0.01, 0.026, 0.9], [1, 1, 1], True, UNDERPOWERED),
        ([0.9, 0.9, 0.9], [0.01, 0.025, 0.9], True, DIFFERS),
        ([0.9, 0.9, 0.9], [0.01, 0.026, 0.9], True, UNDERPOWERED),
    ],
)
def test_all_cells_take_every_test_and_most_cells_more_than_half(p_for, p_against, most, verdict):
    found = rules.all_or_most(np.array(p_for), np.array(p_against), most=most)
    assert found.verdict is verdict


def test_half_of_the_cells_are_not_most_of_them():
    found = rules.all_or_most(np.array([0.0, 0.0, 0.9, 0.9]), np.ones(4), most=True)
    assert found.verdict is UNDERPOWERED
    assert found.claim == "at least 3 of 4"


def test_of_one_cell_all_and_most_are_that_cell():
    for p_value, verdict in ((0.05, REPRODUCED), (0.051, UNDERPOWERED)):
        for most in (True, False):
            found = rules.all_or_most(np.array([p_value]), np.array([1 - p_value]), most=most)
            assert found.verdict is verdict


# Properties


def decisions(estimate):
    reference = estimates.known(50, 1)
    yield rules.within(estimate, 5)
    yield rules.within(estimate, 5, beyond=5)
    yield rules.above(estimate, 1)
    yield rules.below(estimate, 1)
    yield rules.no_loss(estimate, 3, reference)


def test_no_rule_ever_says_both():
    for value in np.linspace(-20, 20, 81):
        for error in (0.01, 1.0, 5.0):
            for decision in decisions(estimates.known(value, error, 20)):
                assert not (decision.reproduced and decision.differs)


def test_a_wider_margin_never_takes_back_that_a_number_is_reproduced():
    for value in np.linspace(-6, 6, 25):
        said = [
            bool(rules.within(estimates.known(value, 1), margin).reproduced)
            for margin in range(1, 12)
        ]
        assert said == sorted(said)


def test_many_experiments_at_once_are_judged_as_each_alone():
    first, second = random_accuracies(30, (50,), seed=1), random_accuracies(30, (50,), seed=2)
    for paired in (True, False):
        stacked = estimates.difference(first, second, paired=paired, span=ACCURACY)
        singly = [
            estimates.difference(*pair, paired=paired, span=ACCURACY)
            for pair in zip(first, second, strict=True)
        ]
        for together, *apart in zip(
            decisions(stacked), *(decisions(one) for one in singly), strict=True
        ):
            assert together.reproduced.tolist() == [bool(one.reproduced) for one in apart]
            assert together.differs.tolist() == [bool(one.differs) for one in apart]


def test_where_limits_lie_in_the_claim_the_reason_says_so():
    decision = rules.above(estimates.known(12, 1), 10)
    assert decision.reason == "10.36 to 13.64 (5% error at either end) is above 10"
    assert rules.above(estimates.known(10, 1), 10).reason.endswith("neither above 10 nor below 10")
    assert rules.within(estimates.known(9, 1), 5).reason.endswith("off 0 by more than 0")


def binomial_errors(limits, truths, n):
    """How often limits by the number of collapsed runs lie above the truth, at each share."""
    return [
        stats.binom.pmf(np.arange(n + 1), n, share)[limits > truth].sum()
        for share, truth in truths.items()
    ]


# Shares of collapsed runs at which the limits' errors are largest lie beside the limits themselves:
# a fine grid is as good.
GRID = np.linspace(0, 1, 2001)


@pytest.mark.parametrize("n", [20, 30, 60, 120])
def test_of_runs_that_collapse_or_all_reach_75_the_limit_of_the_mean_errs_in_5_percent_at_most(n):
    runs = np.where(np.arange(n) < np.arange(n + 1)[:, np.newaxis], 0.0, 75.0)
    found = estimates.mean_of(runs, ACCURACY)
    limits = np.where(found.sound, found.low(), -np.inf)
    truths = {share: 75 * (1 - share) for share in GRID}
    assert max(binomial_errors(limits, truths, n)) <= 0.05


@pytest.mark.parametrize("n", [20, 30, 60, 120])
def test_where_the_first_of_a_pair_may_collapse_by_75_its_limit_errs_in_5_percent_at_most(n):
    first = np.where(np.arange(n) < np.arange(n + 1)[:, np.newaxis], 0.0, 75.0)
    found = estimates.difference(first, np.full_like(first, 70.0), paired=True, span=ACCURACY)
    limits = np.where(found.sound, found.low(), -np.inf)
    truths = {share: 5 - 75 * share for share in GRID}
    assert max(binomial_errors(limits, truths, n)) <= 0.05


def test_a_plain_t_limit_would_err_far_more_often_of_the_same_runs():
    n = 30
    runs = np.where(np.arange(n) < np.arange(n + 1)[:, np.newaxis], 0.0, 75.0)
    error = runs.std(axis=-1, ddof=1) / np.sqrt(n)
    limits = runs.mean(axis=-1) - stats.t.isf(0.05, n - 1) * error
    truths = {share: 75 * (1 - share) for share in GRID}
    assert max(binomial_errors(limits, truths, n)) > 0.5

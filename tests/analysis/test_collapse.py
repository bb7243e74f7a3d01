"""A difference of means, split into how many runs collapse and how good the others are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_tables import seeded

from advprune.analysis.collapse import parts_of_difference, split_difference, working_mean

pytestmark = pytest.mark.filterwarnings("error")

# Collapsed runs are often drawn: exactly 0, and a little above.
accuracies = st.one_of(st.sampled_from([0.0, 0.0, 0.4, 0.99, 1.0]), st.floats(0, 95))
groups = st.lists(accuracies, min_size=1, max_size=9).map(np.array)


@given(first=groups, second=groups)
def test_the_parts_add_up_to_the_difference_of_means(first, second):
    parts = parts_of_difference(first, second)
    assert sum(parts) == pytest.approx(first.mean() - second.mean(), abs=1e-9)


@given(first=groups, second=groups)
def test_the_parts_the_other_way_round_are_their_negatives(first, second):
    there, back = parts_of_difference(first, second), parts_of_difference(second, first)
    assert np.array(there) == pytest.approx(-np.array(back), abs=1e-9)


@given(groups)
def test_two_identical_groups_have_no_parts(group):
    assert parts_of_difference(group, group) == pytest.approx((0, 0))


def test_where_all_work_nothing_is_from_collapse():
    assert parts_of_difference(np.array([60.0, 70]), np.array([50.0, 52])) == pytest.approx((0, 14))


def test_where_those_that_work_are_as_good_all_is_from_collapse():
    first, second = np.array([80.0, 80, 80, 0]), np.array([80.0, 0, 0, 0])
    assert parts_of_difference(first, second) == pytest.approx((40, 0))


def test_the_parts_are_as_worked_by_hand():
    # 1 of 4 and 2 of 4 collapse, means of the rest 80 and 60: 60 - 30 points.
    # Collapse: a quarter of (80 + 60) / 2; the rest: 20 points of (3/4 + 2/4) / 2.
    first, second = np.array([70.0, 80, 90, 0]), np.array([50.0, 70, 0, 0])
    assert parts_of_difference(first, second) == pytest.approx((17.5, 12.5))


def test_where_the_line_is_drawn_higher_more_runs_have_collapsed():
    # Below 10: 1 of 2 of the first with mean 4, and none of the second, for which the first's 4
    # stands. Collapse: half of less (80 - 4 + 60 - 4) / 2; the rest: 20 points of 3/4.
    first, second = np.array([80.0, 4]), np.array([60.0, 60])
    assert parts_of_difference(first, second) == pytest.approx((0, -18))
    assert parts_of_difference(first, second, below=10) == pytest.approx((-33, 15))
    assert working_mean(first, below=10) == 80


def test_either_part_is_the_mean_over_the_order_of_changing():
    # Shapley's value: from the second group to the first, what collapses first or last.
    first, second = np.array([70.0, 80, 0.4]), np.array([50.0, 0.2, 0.0])

    def mean(share, working, collapsed):
        return (1 - share) * working + share * collapsed

    shares, working, collapsed = (1 / 3, 2 / 3), (75, 50), (0.4, 0.1)
    alone = mean(shares[0], working[1], collapsed[1]) - mean(shares[1], working[1], collapsed[1])
    last = mean(shares[0], working[0], collapsed[0]) - mean(shares[1], working[0], collapsed[0])
    assert parts_of_difference(first, second)[0] == pytest.approx((alone + last) / 2)


@pytest.mark.parametrize(
    ("first", "second", "parts"),
    [
        pytest.param([70.0, 80], [0.0, 0], (75, 0), id="all of the other collapsed"),
        pytest.param([0.0, 0.5], [0.0, 0], (0, 0.25), id="all of both collapsed"),
        pytest.param([0.5, 0.5], [60.0], (-59.5, 0), id="all of the first collapsed"),
    ],
)
def test_what_a_group_does_not_have_brings_no_difference(first, second, parts):
    assert parts_of_difference(np.array(first), np.array(second)) == pytest.approx(parts)


def test_a_run_at_1_percent_works():
    assert working_mean(np.array([1.0, 0.99, 3])) == 2


def test_where_all_collapsed_no_mean_is_told():
    assert math.isnan(working_mean(np.array([0.0, 0.5])))


def test_many_groups_are_split_at_once():
    random = np.random.default_rng(0)
    first, second = (random.choice([0.0, 0.5, 40, 80], (7, n)) for n in (4, 6))
    together = np.stack(parts_of_difference(first, second), axis=1)
    assert together == pytest.approx(
        np.array([parts_of_difference(*each) for each in zip(first, second, strict=True)])
    )


# Intervals.


@pytest.mark.parametrize("paired", [True, False])
@settings(max_examples=15, deadline=None)
@given(first=groups, second=groups)
def test_ordinary_small_groups_are_split_without_a_warning(paired, first, second):
    found = split_difference(seeded(first), seeded(second), paired=paired)
    enough = min(len(first), len(second)) >= 2
    for part in (found.from_collapse, found.from_the_rest):
        assert not math.isnan(part.value)
        assert math.isnan(part.low) != enough
        assert math.isnan(part.high) != enough


def test_pairs_kept_together_make_the_intervals_narrower():
    # Seeds that collapse under one method do so under the other; those that do not are alike too.
    random = np.random.default_rng(0)
    shared = np.where(random.random(60) < 0.3, 0, random.normal(70, 10, 60))
    first, second = shared, np.where(shared > 0, shared - 2, 0)
    paired, unpaired = (
        split_difference(seeded(first), seeded(second), paired=paired) for paired in (True, False)
    )
    for name in ("from_collapse", "from_the_rest"):
        one, other = getattr(paired, name), getattr(unpaired, name)
        assert one.value == other.value
        assert one.high - one.low < 0.5 * (other.high - other.low)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    # 30% and 10% collapse; the others' means are 70 and 73.
    random = np.random.default_rng(1)

    def draw(share, mean):
        return seeded(np.where(random.random(60) < share, 0, random.normal(mean, 10, 60)))

    truth = {"from_collapse": -0.2 * 71.5, "from_the_rest": -3 * 0.8}
    found = [split_difference(draw(0.3, 70), draw(0.1, 73), paired=False) for _ in range(100)]
    for name, true in truth.items():
        held = [getattr(each, name).low <= true <= getattr(each, name).high for each in found]
        assert np.mean(held) > 0.89


def test_without_runs_there_is_nothing_to_split():
    found = split_difference(seeded([]), seeded([50, 60]), paired=True)
    assert np.isnan([found.from_collapse.value, found.from_the_rest.value]).all()
    assert (math.isnan(found.working[0]), found.working[1]) == (True, 55)

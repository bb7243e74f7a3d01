"""Which examples each pruning method keeps."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from builders import PLAIN_PRUNING, PRUNING_METHODS
from hypothesis import given
from hypothesis import strategies as st

from advprune.spec.methods import METHODS
from advprune.training.pruning import count_to_keep, keep_indices

# From the nearest to the farthest: 1, 4, 7, 3, 6, 9, 0, 8, 2, 5.
TEN = np.array([0.7, 0.1, 0.9, 0.4, 0.2, 1.0, 0.5, 0.3, 0.8, 0.6])


def kept(distance, method, p, seed=0, labels=None, **settings):
    generator = np.random.default_rng(seed)
    distance = np.asarray(distance)
    labels = np.zeros(len(distance)) if labels is None else np.asarray(labels)
    settings = dataclasses.replace(PLAIN_PRUNING, **settings)
    return keep_indices(
        distance, labels, method=method, proportion=p, settings=settings, generator=generator
    )


@pytest.mark.parametrize("proxy", ["loss", "deepfool"])
@pytest.mark.parametrize(
    ("side", "p", "expected"),
    [
        pytest.param("low", "0.6", [0, 2, 5, 6, 8, 9], id="low, four of ten go"),
        pytest.param("high", "0.6", [1, 3, 4, 6, 7, 9], id="high, four of ten go"),
        pytest.param("lowhigh", "0.6", [0, 3, 6, 7, 8, 9], id="both ends, two go at each"),
        pytest.param("low", "0.7", [0, 2, 3, 5, 6, 8, 9], id="low, three go"),
        pytest.param("high", "0.7", [0, 1, 3, 4, 6, 7, 9], id="high, three go"),
        pytest.param("lowhigh", "0.7", [0, 3, 4, 6, 7, 8, 9], id="the odd one goes at the far end"),
        pytest.param("low", "0.25", [2, 5, 8], id="low, seven and a half round to seven"),
        pytest.param("high", "0.25", [1, 4, 7], id="high, seven and a half round to seven"),
        pytest.param("lowhigh", "0.25", [3, 6, 9], id="both ends, three go near and four far"),
        pytest.param("low", "0.1", [5], id="only the farthest stays"),
        pytest.param("high", "0.1", [1], id="only the nearest stays"),
        pytest.param("lowhigh", "0.1", [6], id="only the middle stays"),
    ],
)
def test_distance_pruning_keeps_the_examples_worked_out_by_hand(side, proxy, p, expected):
    assert kept(TEN, f"{side}-{proxy}", p).tolist() == expected


@pytest.mark.parametrize("proxy", ["loss", "deepfool"])
@pytest.mark.parametrize(
    ("p", "expected"),
    [
        pytest.param("0.6", [0, 3, 6, 7, 8, 9], id="two go at each end, no odd one"),
        pytest.param("0.7", [0, 2, 3, 6, 7, 8, 9], id="the odd one goes at the near end"),
        pytest.param("0.25", [0, 6, 9], id="four go near and three far"),
    ],
)
def test_an_odd_one_out_is_dropped_near_if_asked(proxy, p, expected):
    assert kept(TEN, f"lowhigh-{proxy}", p, odd_one="near").tolist() == expected


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        # Class 0 from the nearest: 4, 6, 0, 8, 2. Class 1: 1, 7, 3, 9, 5.
        pytest.param("low", [0, 2, 3, 5, 8, 9], id="low, two of each class go"),
        pytest.param("high", [0, 1, 3, 4, 6, 7], id="high, two of each class go"),
        pytest.param("lowhigh", [0, 3, 6, 7, 8, 9], id="both ends, one goes at each"),
    ],
)
def test_balanced_pruning_keeps_of_each_class_what_was_worked_out_by_hand(side, expected):
    labels = [0, 1] * 5
    assert kept(TEN, f"{side}-loss", "0.6", labels=labels, class_balanced=True).tolist() == expected


@pytest.mark.parametrize("method", ["low-loss", "high-deepfool", "lowhigh-loss"])
def test_of_equal_distances_chance_decides_anew_for_every_seed(method):
    runs = [kept(np.zeros(100), method, "0.5", seed=seed) for seed in range(60)]
    times = np.bincount(np.concatenate(runs), minlength=100)
    # 30 on average, with a standard deviation of 3.9.
    assert 10 < times.min() < times.max() < 50


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        pytest.param("low", [0, 2], id="low drops them"),
        pytest.param("high", [1, 3], id="high keeps them"),
    ],
)
def test_distances_that_are_not_numbers_count_as_nearest(side, expected):
    assert kept([5.0, math.nan, 2.0, math.nan], f"{side}-loss", "0.5").tolist() == expected


@pytest.mark.parametrize(
    ("total", "p", "exact", "of_dropped", "of_kept"),
    [
        pytest.param(60_000, "0.9", 54_000, 54_001, 54_000, id="MNIST, p = 0.9"),
        pytest.param(60_000, "0.8", 48_000, 48_001, 48_000, id="MNIST, p = 0.8"),
        pytest.param(60_000, "0.6", 36_000, 36_000, 36_000, id="MNIST, p = 0.6"),
        pytest.param(50_000, "0.9", 45_000, 45_001, 45_000, id="CIFAR10, p = 0.9"),
        pytest.param(10, "1.0", 10, 10, 10, id="all"),
        pytest.param(10, "0.25", 3, 3, 2, id="what is dropped is rounded down"),
        pytest.param(7, "0.5", 4, 4, 3, id="half of an odd number"),
        pytest.param(3, "0.4", 2, 2, 1, id="two fifths of three"),
    ],
)
def test_how_many_are_kept_is_worked_out_by_hand(total, p, exact, of_dropped, of_kept):
    assert count_to_keep(total, p) == exact
    assert count_to_keep(total, p, "of_dropped") == of_dropped
    assert count_to_keep(total, p, "of_kept") == of_kept


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_a_share_of_one_keeps_every_example(method):
    assert kept(TEN, method, "1.0").tolist() == list(range(10))


@pytest.mark.parametrize("method", PRUNING_METHODS)
@pytest.mark.parametrize("p", ["0.1", "0.33", "0.5", "0.9", "1.0"])
def test_every_method_keeps_exactly_its_share(method, p):
    distance = np.random.default_rng(3).random(997)
    assert len(kept(distance, method, p)) == count_to_keep(997, p)


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_a_smaller_share_is_part_of_a_larger_one(method):
    distance = np.random.default_rng(5).random(211)
    shares = [set(kept(distance, method, f"0.{tenth}").tolist()) for tenth in range(1, 10)]
    assert all(small < large for small, large in itertools.pairwise(shares))


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_the_distances_are_left_as_they_were(method):
    distance = np.array([0.3, np.nan, 0.1, 0.2])
    before = distance.copy()
    kept(distance, method, "0.5")
    np.testing.assert_array_equal(distance, before)


def test_random_pruning_does_not_depend_on_the_distances():
    assert kept(TEN, "random", "0.5").tolist() == kept(-TEN, "random", "0.5").tolist()


def test_random_pruning_keeps_every_example_about_equally_often():
    times = np.bincount(
        np.concatenate([kept(TEN, "random", "0.4", seed) for seed in range(1_000)]), minlength=10
    )
    # Binomial (1000, 0.4) has a standard deviation of 15.5.
    assert np.abs(times - 400).max() < 4.5 * 15.5


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.select])
def test_a_method_that_never_prunes_says_so(method):
    with pytest.raises(ValueError, match=f"{method}.*never prunes"):
        kept(TEN, method, "0.5")


@given(
    distances=st.lists(st.floats(allow_nan=True) | st.sampled_from([0.0, 1.0]), min_size=1),
    side=st.sampled_from(["low", "high", "lowhigh"]),
    p=st.integers(1, 100).map(lambda percent: f"{percent / 100:.2f}"),
)
def test_distance_pruning_agrees_with_its_definition(distances, side, p):
    keep = count_to_keep(len(distances), p)
    nearest_first = np.sort(np.where(np.isnan(distances), -math.inf, distances))
    drop = len(distances) - keep
    near = {"low": drop, "high": 0, "lowhigh": drop // 2}[side]
    # Of equal distances any may be kept: the distances are compared, not the examples.
    stays = np.asarray(distances)[kept(distances, f"{side}-loss", p)]
    stays = np.sort(np.where(np.isnan(stays), -math.inf, stays))
    assert stays.tolist() == nearest_first[near : near + keep].tolist()

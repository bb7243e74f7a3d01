"""Which test images are attacked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advprune.data.subset import balanced_order

LABELS = np.repeat(np.arange(10), 30)  # sorted by class, as some published sets are


@given(labels=st.lists(st.integers(0, 5), min_size=1, max_size=60), seed=st.integers(0, 1000))
def test_every_example_has_one_place(labels, seed):
    assert sorted(balanced_order(np.array(labels), seed)) == list(range(len(labels)))


@pytest.mark.parametrize("count", [1, 10, 25, 100, 299])
def test_the_first_are_of_each_class_as_often_give_or_take_one(count):
    counts = np.bincount(LABELS[balanced_order(LABELS, 0)[:count]], minlength=10)
    assert counts.max() - counts.min() <= 1


def test_a_class_that_is_used_up_leaves_the_rest_balanced():
    labels = np.array([0] * 2 + [1] * 6 + [2] * 6)
    assert np.bincount(labels[balanced_order(labels, 0)[:10]]).tolist() == [2, 4, 4]


def test_the_order_is_the_seeds():
    first, again, other = (balanced_order(LABELS, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_an_example_is_among_the_first_by_chance():
    taken = np.zeros(300)
    for seed in range(400):
        taken[balanced_order(LABELS, seed)[:100]] += 1
    # A third of 400 on average, with a standard deviation of 9.4.
    assert 80 < taken.min() < taken.max() < 190

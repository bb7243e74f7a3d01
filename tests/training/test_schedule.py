"""The cyclic learning rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advprune.training.schedule import cyclic_learning_rate


def rates(*, batches, epochs, peak, maximum):
    """Every update's rate; ``batches`` holds the number of batches of each epoch."""
    return [
        cyclic_learning_rate(
            epoch=epoch, batch=batch, batches=count, epochs=epochs, maximum=maximum, peak=peak
        )
        for epoch, count in enumerate(batches, 1)
        for batch in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("epoch", "batch", "peak", "expected"),
    [
        pytest.param(1, 1, 0.4, 0.005 / 40, id="the first update is a tenth of the first epoch"),
        pytest.param(2, 10, 0.4, 0.0025, id="half way up"),
        pytest.param(4, 10, 0.4, 0.005, id="the peak after 4 of 10 epochs"),
        pytest.param(5, 10, 0.5, 0.005, id="the peak after half"),
        pytest.param(7, 10, 0.4, 0.0025, id="half way down"),
        pytest.param(10, 9, 0.4, 0.005 / 60, id="the last update but one"),
        pytest.param(10, 10, 0.4, 0.0, id="the last update"),
    ],
)
def test_the_rate_worked_out_by_hand_for_10_epochs_of_10_batches(epoch, batch, peak, expected):
    rate = cyclic_learning_rate(
        epoch=epoch, batch=batch, batches=10, epochs=10, maximum=0.005, peak=peak
    )
    assert rate == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("later", [100, 60, 37, 1], ids="{} batches after pruning".format)
def test_the_peak_is_at_the_same_epoch_whether_or_not_data_were_pruned(later):
    batches = [100] + [later] * 9
    all_rates = rates(batches=batches, epochs=10, peak=0.4, maximum=0.005)
    assert all_rates.index(max(all_rates)) + 1 == sum(batches[:4])


@given(
    batches=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    peak=st.floats(0.05, 0.95),
)
def test_the_rate_rises_to_the_maximum_at_most_and_falls_to_exactly_0(batches, peak):
    all_rates = rates(batches=batches, epochs=len(batches), peak=peak, maximum=1.0)
    top = all_rates.index(max(all_rates))
    assert all_rates[: top + 1] == sorted(all_rates[: top + 1])
    assert all_rates[top:] == sorted(all_rates[top:], reverse=True)
    assert all_rates[-1] == min(all_rates) == 0
    assert max(all_rates) <= 1 + 1e-12

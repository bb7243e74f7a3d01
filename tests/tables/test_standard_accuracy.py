"""Accuracy without an adversary, as in the captions of figures 3 and 4."""

from run_tables import joined, runs_of_cell

from advprune.plan.config import load_config
from advprune.tables.standard_accuracy import standard_accuracy


def test_each_data_set_has_its_mean_and_interval():
    # Of two values that differ by 2: 12.706 * 1.
    runs = joined(
        runs_of_cell("standard", natural_accuracy=[98.0, 100]),
        runs_of_cell("standard", dataset="cifar10", natural_accuracy=[91.0]),
    )
    shown = standard_accuracy(runs, load_config()).shown
    rows = shown[["Data set", "n", "Standard accuracy (%)"]].to_numpy().tolist()
    assert rows == [["CIFAR10", 1, "91.00"], ["MNIST", 2, "99.00 ± 12.71"]]

"""The table of what a referee would ask of Figure 8's tests."""

import numpy as np
import pytest
from run_tables import joined, runs_of_cell

from advprune.analysis.comparison import compare, holm
from advprune.plan.config import load_config
from advprune.tables.comparisons import comparisons

ACCURACIES = {
    "low-deepfool": [50.0, 60, 70],
    "low-loss": [70.0, 80, 90],
    "random": [40.0, 50, 60],
    "full": [0.0, 30, 60],
}


@pytest.fixture(scope="module")
def table():
    cells = [
        runs_of_cell(method, autoattack_accuracy=values, apgd_ce_40x5_accuracy=[5.0, 5, 5])
        for method, values in ACCURACIES.items()
    ]
    return comparisons(joined(*cells), load_config())


def test_the_table_has_figure_8s_tests_under_both_attacks(table):
    rows = table.numbers[["method", "against", "metric"]].to_numpy().tolist()
    attacks = ("autoattack_accuracy", "apgd_ce_40x5_accuracy")
    tests = (("low-deepfool", "full"), ("low-loss", "full"), ("low-loss", "random"))
    assert rows == [[*test, attack] for test in tests for attack in attacks]


def test_the_table_corrects_for_the_tests_of_one_attack(table):
    numbers = table.numbers[table.numbers["metric"] == "autoattack_accuracy"]
    for test in ("welch_p", "permutation_p"):
        assert numbers[f"{test}_holm"].to_list() == pytest.approx(holm(numbers[test].to_numpy()))


def test_the_table_holds_what_the_comparison_finds(table):
    row = table.numbers.iloc[0]
    found = compare(np.array(ACCURACIES["low-deepfool"]), np.array(ACCURACIES["full"]))
    assert row["difference_value"] == 30
    assert row["hedges_g_value"] == pytest.approx(found.hedges_g.value)
    assert row["collapsed_against_percent_value"] == pytest.approx(100 / 3)
    assert (row["n"], row["n_against"]) == (3, 3)


def test_the_table_shows_a_dash_where_nothing_can_be_tested(table):
    row = table.shown.iloc[1]
    assert row[["Hedges' g", "Welch p (Holm)", "Runs for 80% power"]].to_list() == [
        *("–", "– (–)", "–"),
    ]

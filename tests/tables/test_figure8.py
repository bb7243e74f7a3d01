"""Figure 8: the tests of appendix B."""

import pytest
from paper_numbers import table_1
from run_tables import joined, runs_of_cell

from advprune.plan.config import load_config
from advprune.tables.comparisons import comparisons
from advprune.tables.figure8 import figure8
from advprune.tables.table import read_shown

PAPER = load_config()


def test_runs_like_the_papers_give_the_papers_p_values():
    shown = figure8(joined(*table_1()), PAPER).shown
    shown = shown[shown["Measured by"] == "AutoAttack"]
    rows = shown[["Test", "More robust", "than", "n", "Difference (points)"]].to_numpy().tolist()
    assert rows == [
        [1, "Low distance (DeepFool)", "None", "120, 120", "5.23"],
        [1, "Low distance (Loss)", "None", "120, 120", "12.78"],
        [2, "Low distance (Loss)", "Random", "120, 120", "7.51"],
    ]
    # As Table 1's rounded figures give them; printed are 0.108322, 0.000999 and 0.024602.
    implied = [0.10857, 0.001006, 0.02467]
    assert list(map(float, shown["p value"])) == pytest.approx(implied, rel=1e-3)


@pytest.mark.parametrize(
    ("chosen", "label"), [("autoattack", "AutoAttack"), ("apgd_ce_40x5", "APGD-CE 40×5")]
)
def test_the_attack_that_the_paper_is_compared_by_comes_first(chosen, label):
    table = figure8(joined(*table_1()), PAPER | {"robust_accuracy": chosen})
    assert table.shown["Measured by"].to_list()[0] == label
    assert set(table.shown["Measured by"]) == {"AutoAttack", "APGD-CE 40×5"}
    assert f"the paper's tests are compared with those by {label}" in table.notes


def test_where_nothing_can_be_tested_there_is_a_dash():
    runs = joined(*(runs_of_cell(name, autoattack_accuracy=[50.0]) for name in ("random", "full")))
    shown = figure8(runs, PAPER).shown
    assert set(shown["p value"]) == {"–"}


@pytest.mark.parametrize("made", [figure8, comparisons], ids=lambda made: made.__name__)
def test_before_any_run_with_pruning_has_finished_a_table_of_tests_says_so(made, tmp_path):
    table = made(runs_of_cell("full", autoattack_accuracy=[50.0]), PAPER)
    assert "no run with pruning has finished" in table.notes
    table.write(tmp_path / "table.csv")
    assert read_shown(tmp_path / "table.csv").rows == []

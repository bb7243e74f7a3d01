"""Table 1: on runs with the paper's own means and intervals, and on others."""

import numpy as np
import pytest
from paper_numbers import TABLE_1, table_1
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.spec.methods import METHODS, PruningMethod
from advprune.tables.table1 import table1

PAPER = load_config()
COLUMNS = {
    "natural_accuracy": "Natural accuracy (%)",
    "autoattack_accuracy": "AutoAttack accuracy (%)",
    "training_seconds": "Training time (s)",
}


def test_runs_like_the_papers_give_the_papers_table():
    shown = table1(joined(*table_1()), PAPER).shown
    rows = ["Low distance (DeepFool)", "Low distance (Loss)", "Random", "None"]
    assert shown["Pruning method"].to_list() == rows
    assert shown["p"].to_list() == ["0.6", "0.6", "0.6", "1.0"]
    assert set(shown["n"]) == {"120"}
    for metric, column in COLUMNS.items():
        printed = [f"{mean:.2f} ± {half:.2f}" for mean, half in TABLE_1[metric].values()]
        assert shown[column].to_list() == printed


def test_collapsed_runs_are_shown_under_each_attack():
    # Below 1% counts; 1% does not.
    runs = runs_of_cell(
        "random", autoattack_accuracy=[0, 0.5, 1, 80], apgd_ce_40x5_accuracy=[0.9, 1, 2, 85]
    )
    (row,) = table1(runs, PAPER).shown.to_dict("records")
    assert (row["Collapsed by AutoAttack (%)"], row["Collapsed by APGD-CE 40×5 (%)"]) == (
        "50",
        "25",
    )


def test_how_many_runs_autoattack_was_run_on_is_shown_where_it_is_fewer():
    accuracies = {"autoattack_accuracy": [60.0, 20.0, np.nan]}
    (row,) = table1(runs_of_cell("random", **accuracies), PAPER).shown.to_dict("records")
    assert row["n"] == "3 (AutoAttack: 2)"
    assert row["AutoAttack accuracy (%)"].startswith("40.00 ± ")
    assert row["Collapsed by AutoAttack (%)"] == "0"


def test_diverged_runs_are_counted_and_said_to_be():
    table = table1(runs_of_cell("random", diverged_epoch=[None, 3, None]), PAPER)
    assert table.shown["n"].item() == "3"
    assert any(note.startswith("1 of 3 runs diverged") for note in table.notes)


def test_a_table_made_from_a_stand_in_says_so_in_its_title():
    runs = runs_of_cell("random", dataset="mnist5k", natural_accuracy=[98.0])
    title = table1(runs, load_config(PROJECT / "config/smoke.yaml")).title
    assert title.endswith("on 5,000 MNIST training digits, a stand-in for MNIST")


@pytest.mark.parametrize("method", ["high-loss", "newest-loss"])
def test_a_method_that_the_paper_does_not_have_is_the_last_row(monkeypatch, method):
    monkeypatch.setitem(METHODS, "newest-loss", PruningMethod("Newest", "loss", "anywhere"))
    cells = [runs_of_cell(name, natural_accuracy=[98.0]) for name in (method, "full", "random")]
    rows = table1(joined(*cells), PAPER).shown["Pruning method"].to_list()
    assert rows == ["Random", "None", METHODS[method].label]

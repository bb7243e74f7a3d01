"""The table of what a referee would ask of Figure 8's tests."""

import functools

import numpy as np
import pandas as pd
import pytest
from run_tables import joined, runs_of_cell, seeded

from advprune.analysis.collapse import split_difference
from advprune.analysis.comparison import compare, holm
from advprune.analysis.paired import compare_pairs
from advprune.analysis.superiority import probability_higher
from advprune.plan.config import load_config
from advprune.tables.comparisons import comparisons

CONFIG = load_config()
ACCURACIES = {
    "low-deepfool": [50.0, 60, 0, 70],
    "low-loss": [70.0, 80, 90, 75],
    "random": [40.0, 0, 60, 71],
    "full": [0.0, 30, 60, 72],
}


def cell(method, accuracies):
    """Runs with these accuracies under AutoAttack, and half a point more under APGD-CE."""
    values = np.array(accuracies, dtype=float)
    return runs_of_cell(method, autoattack_accuracy=values, apgd_ce_40x5_accuracy=values + 0.5)


RUNS = joined(*(cell(*each) for each in ACCURACIES.items()))
TWO = RUNS[RUNS["method"].isin(["low-deepfool", "full"])]  # enough for one comparison


@functools.cache  # it takes seconds
def made(*, paired=True):
    """The table of these runs."""
    return comparisons(RUNS, CONFIG | {"paired_seeds": paired})


def quantity(name, table=None):
    """A row of the printed table, under AutoAttack."""
    shown = (table or made()).shown
    (row,) = shown[(shown["Under"] == "AutoAttack") & (shown["Quantity"] == name)].to_numpy()
    return list(row[3:])


def test_the_table_has_figure_8s_tests_under_both_attacks():
    rows = made().numbers[["method", "against", "metric"]].to_numpy().tolist()
    attacks = ("autoattack_accuracy", "apgd_ce_40x5_accuracy")
    tests = (("low-deepfool", "full"), ("low-loss", "full"), ("low-loss", "random"))
    assert rows == [[*test, attack] for test in tests for attack in attacks]


def test_the_table_holds_what_the_comparison_finds():
    row = made().numbers.iloc[0]
    found = compare(np.array(ACCURACIES["low-deepfool"]), np.array(ACCURACIES["full"]))
    assert row["difference_value"] == 4.5
    assert row["hedges_g_value"] == pytest.approx(found.hedges_g.value)
    assert row["collapsed_against_percent_value"] == 25
    assert (row["n"], row["n_against"]) == (4, 4)


def test_the_table_holds_what_the_tests_of_pairs_find():
    row = made().numbers.iloc[0]
    found = compare_pairs(seeded(ACCURACIES["low-deepfool"]), seeded(ACCURACIES["full"]))
    assert (row["pairs"], row["paired_t_p"], row["sign_flip_p"]) == (
        4,
        found.t_p,
        found.sign_flip_p,
    )
    assert row["pairs_correlation"] == pytest.approx(found.correlation)
    assert row["pairs_won_percent_value"] == 100 * found.won.share == 50


def test_the_table_holds_the_probability_and_the_split():
    row = made().numbers.iloc[0]
    first, second = ACCURACIES["low-deepfool"], ACCURACIES["full"]
    higher = probability_higher(np.array(first), np.array(second))
    split = split_difference(seeded(first), seeded(second), paired=True)
    assert row["probability_higher_percent_low"] == pytest.approx(100 * higher.low)
    assert row["from_collapse_low"] == pytest.approx(split.from_collapse.low)
    parts = made().numbers["from_collapse_value"] + made().numbers["from_the_rest_value"]
    assert parts.to_numpy() == pytest.approx(made().numbers["difference_value"].to_numpy())


def test_means_and_medians_stand_beside_one_another():
    row = made().numbers.iloc[0]
    assert (row["mean"], row["median"]) == (45, 55)
    assert (row["mean_against"], row["median_against"]) == (40.5, 45)
    assert quantity("Mean (%)")[0] == "45.00, 40.50"
    assert quantity("Median (%)")[0] == "55.00, 45.00"


@pytest.mark.parametrize("test", ["welch_p", "permutation_p", "paired_t_p", "sign_flip_p"])
def test_each_kind_of_test_is_corrected_within_an_attack(test):
    for _, numbers in made().numbers.groupby("metric"):
        corrected = holm(numbers[test].to_numpy())
        assert numbers[f"{test}_holm"].to_numpy() == pytest.approx(corrected)


def test_pairs_are_of_seeds_and_not_of_rows():
    again = comparisons(TWO.sample(frac=1, random_state=0), CONFIG).numbers
    names = [name for name in again if name.startswith(("pair", "sign")) and "holm" not in name]
    # The first two rows are of these two methods, under either attack.
    pd.testing.assert_frame_equal(again.loc[:1, names], made().numbers.loc[:1, names])


def test_only_seeds_that_both_have_are_pairs():
    runs = TWO[~((TWO["method"] == "full") & (TWO["seed"] == 2))]
    row = comparisons(runs, CONFIG).numbers.iloc[0]
    assert (row["n"], row["n_against"], row["pairs"]) == (4, 3, 3)


def test_without_paired_seeds_nothing_is_said_of_pairs():
    columns = " ".join([*made(paired=False).numbers.columns, *made(paired=False).shown["Quantity"]])
    assert "pair" not in columns.lower()
    assert "sign" not in columns.lower()
    assert any("share no random numbers" in note for note in made(paired=False).notes)


def test_the_paper_s_test_is_the_same_with_and_without_pairs():
    for name in ("difference_low", "welch_p", "welch_p_holm", "permutation_p", "bootstrap_low"):
        assert made().numbers[name].to_list() == made(paired=False).numbers[name].to_list()


def test_the_table_is_printed_with_a_column_for_each_comparison():
    assert list(made().shown.columns) == [
        *("Under", "p", "Quantity"),
        "Low distance (DeepFool) > None",
        "Low distance (Loss) > None",
        "Low distance (Loss) > Random",
    ]
    assert made().shown["Under"].unique().tolist() == ["AutoAttack", "APGD-CE 40×5"]
    assert made().shown["p"].unique().tolist() == ["0.6"]


def test_more_shares_of_data_are_more_rows_and_not_more_columns():
    more = pd.concat([RUNS, RUNS[RUNS["method"] != "full"].assign(p="0.3")])
    shown = comparisons(more, CONFIG).shown
    assert list(shown.columns) == list(made().shown.columns)
    assert len(shown) == 2 * len(made().shown)


def test_pruning_epochs_are_told_apart_where_there_are_several():
    more = pd.concat([TWO, TWO[TWO["method"] != "full"].assign(e=2)])
    shown = comparisons(more, CONFIG).shown
    assert shown["e"].unique().tolist() == [1, 2]


def test_a_p_value_too_small_to_print_is_not_printed_as_0():
    high, low = [80.0 + seed % 7 for seed in range(30)], [20.0 + seed % 5 for seed in range(30)]
    cells = [cell("low-loss", high), cell("full", low)]
    table = comparisons(joined(*cells), CONFIG)
    assert quantity("Paired t-test: p-value (Holm)", table)[1] == "<0.0001 (<0.0001)"


def test_where_nothing_can_be_tested_a_dash_is_printed():
    cells = [cell(method, [5.0, 5, 5]) for method in ACCURACIES]
    table = comparisons(joined(*cells), CONFIG)
    tests = ("Welch's test", "Permutation test", "Paired t-test", "Sign-flip test")
    for test in tests:
        assert quantity(f"{test}: p-value (Holm)", table) == ["– (–)"] * 3
    for name in ("Hedges' g", "Runs for 80% power", "Correlation of pairs"):
        assert quantity(name, table) == ["–"] * 3


def test_one_run_a_method_is_compared_without_an_interval():
    table = comparisons(RUNS[RUNS["seed"] == 0], CONFIG)
    assert quantity("Difference of means (points)", table)[0] == "50.00"
    assert quantity("Part from collapse (points)", table)[0] == "50.00"
    assert quantity("Pairs", table) == ["1"] * 3


@pytest.mark.parametrize("column", ["torch", "processor"])
def test_pairs_made_by_different_programs_or_processors_are_a_warning(column):
    few = TWO[TWO["seed"] < 2]
    mixed = few.assign(**{column: ["one"] + ["other"] * (len(few) - 1)})
    doubt = "WARNING, pairs differ in more than the method"
    assert any(doubt in note for note in comparisons(mixed, CONFIG).notes)
    unpaired = comparisons(mixed, CONFIG | {"paired_seeds": False}).notes
    assert not any(doubt in note for note in unpaired)

"""The table of what each attack leaves: do the networks hide their gradients?"""

import copy

import pytest
from run_tables import joined, table_of_runs, verdicts_of
from workflow_tools import PROJECT

from advprune.analysis.metrics import AFTER_EACH
from advprune.analysis.notes import interval_notes, seeds_note
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, runs_of
from advprune.spec.attacks import STANDARD_ATTACKS
from advprune.spec.runs import Run
from advprune.tables.attacks import attacks
from advprune.tables.table1 import table1

CONFIG = load_config(PROJECT / "config/smoke.yaml")
AUTOATTACK, APGD = "autoattack_accuracy", "apgd_ce_40x5_accuracy"
SHOWN_AFTER = [f"AutoAttack: {name} (%)" for name in ("APGD-CE", "APGD-T", "FAB-T", "Square")]


def run_row(method, seed, left, *, apgd=80.0, dataset="mnist5k", p="0.6", **changes):
    """A run; ``left`` is the natural accuracy and what is left after each of AutoAttack's."""
    columns = dict(zip(["natural_accuracy_autoattack_examples", *AFTER_EACH], left, strict=True))
    columns |= {AUTOATTACK: left[-1], APGD: apgd} | changes
    return table_of_runs([Run(dataset, method, p, 1, seed)], **columns)


def made(*rows):
    runs = joined(*rows)
    return attacks(runs, CONFIG, verdicts_of(runs))


# Both attacks leave the first 3 images.
HONEST = run_row("full", 0, [100, 75, 75, 75, 75], apgd=37.5, p="1.0")
HIDING = [
    run_row("random", 0, [100, 100, 100, 75, 25], apgd=100.0, square_warning=1),
    run_row("random", 1, [100, 100, 75, 75, 25], apgd=75.0, gradient_warning=1, other_warning=1),
    run_row("random", 2, [100, 100, 50, 50, 25], apgd=75.0, square_warning=1),
]


def cells(table, method="Random"):
    """The row of a method, as shown."""
    (row,) = table.shown[table.shown["Pruning method"] == method].to_dict("records")
    return row


def test_each_attack_of_autoattack_has_what_it_leaves_and_what_it_took():
    row = cells(made(HONEST, *HIDING))
    assert [row[name] for name in SHOWN_AFTER] == [
        *("100.00 (0.00)", "75.00 (25.00)", "66.67 (8.33)", "25.00 (41.67)")
    ]


def test_the_attacks_of_autoattack_are_all_there_in_their_order():
    columns = [f"robust_after_{name.replace('-', '_')}" for name in STANDARD_ATTACKS]
    assert list(AFTER_EACH) == columns
    assert [name for name in made(HONEST).shown if name.startswith("AutoAttack")] == SHOWN_AFTER


def test_the_gap_is_taken_on_the_images_that_both_attacked():
    # Of the first 4 of its 8 images APGD-CE leaves 4, 4 and 4; AutoAttack 1 of each run.
    table = made(*HIDING)
    assert cells(table)["Gap (points)"] == "75.00 ± 107.57"
    over_all = joined(*HIDING)
    assert (over_all[APGD] - over_all[AUTOATTACK]).mean() == pytest.approx(175 / 3)


def test_the_gap_of_a_single_run_has_no_interval():
    assert cells(made(HIDING[1]))["Gap (points)"] == "75.00"


def test_a_network_that_hides_nothing_has_no_gap_and_loses_nothing_to_square():
    row = cells(made(HONEST), "None")
    assert [row["Gap (points)"], row["By Square (%)"]] == ["0.00", "0.00"]


def test_squares_share_is_of_all_images_that_autoattack_broke():
    # Square broke 50 + 50 + 25 points of 3 x 75.
    assert made(*HIDING).numbers["square_share"].item() == pytest.approx(100 * 125 / 225)


def test_where_nothing_was_broken_square_has_no_share():
    table = made(run_row("random", 0, [50, 50, 50, 50, 50], apgd=50.0))
    assert cells(table)["By Square (%)"] == "–"


def test_warnings_are_counted_in_runs():
    row = cells(made(*HIDING))
    counts = [row[f"Warned: {what}"] for what in ("Square", "zero gradients", "other")]
    assert [row["n"], *counts] == ["3", 2, 1, 1]


def test_runs_that_autoattack_was_not_run_on_are_told_apart():
    left = [float("nan")] * 5
    table = made(*HIDING, run_row("random", 3, left, apgd=20.0), run_row("random", 4, left))
    assert cells(table)["n"] == "5 (AutoAttack: 3)"
    assert table.numbers["autoattack_runs"].to_list() == [3]


def test_early_stoppings_attack_is_the_mean_over_runs_and_a_dash_without_it():
    stopping = [row.assign(validation_accuracy=90.0 + row["seed"]) for row in HIDING]
    assert made(HONEST, *stopping).shown["PGD (%)"].to_list() == ["–", "91.00"]


def test_rows_stand_by_data_set_method_and_p_in_the_order_of_config_and_registry():
    left = [100, 75, 75, 75, 75]
    table = made(
        run_row("full", 0, left, dataset="shapes10", p="1.0"),
        run_row("random", 0, left, p="0.5"),
        run_row("random", 0, left, p="0.1"),
        run_row("low-loss", 0, left, p="0.5"),
    )
    assert table.numbers[["dataset", "method", "p"]].to_numpy().tolist() == [
        ["mnist5k", "random", "0.1"],
        ["mnist5k", "random", "0.5"],
        ["mnist5k", "low-loss", "0.5"],
        ["shapes10", "full", "1.0"],
    ]


def test_the_table_says_what_it_is_for():
    notes = " ".join(made(HONEST).notes)
    assert "withstands the first attacks and not the last hides its gradients" in notes
    assert "on the images that both attacked" in notes


# The runs.


def test_the_runs_are_those_of_figures_3_and_4_and_of_table_1():
    wanted = {run for name in ("figure3", "figure4", "table1") for run in runs_of(name, CONFIG)}
    assert runs_of("attacks", CONFIG) == sorted(wanted)


def test_runs_that_prune_later_are_left_out():
    config = copy.deepcopy(CONFIG)
    config["studies"]["mnist"]["experiments"]["table1"]["e"] = [1, 2]
    assert {run.e for run in runs_of("table1", config)} == {1, 2}
    assert runs_of("attacks", config) == runs_of("attacks", CONFIG)


# What ± is wherever robust accuracies have an interval.


@pytest.mark.parametrize(
    "name", ["figure3", "figure4", "table1", "distribution", "pruning_epoch", "standard_accuracy"]
)
def test_every_table_and_figure_of_mean_robust_accuracies_is_made_from_verdicts(name):
    assert EXHIBITS[name].verdicts


def test_verdicts_are_of_runs():
    assert [each.name for each in EXHIBITS.values() if each.verdicts and not each.runs] == []


def test_table_1_has_intervals_over_the_images_too_and_says_so():
    runs = joined(*HIDING)
    with_images, without = table1(runs, CONFIG, verdicts_of(runs)), table1(runs, CONFIG)
    column = f"{AUTOATTACK}_half_width"
    # All three runs have 25%, by one image of four, the same one.
    assert without.numbers[column].item() == 0
    assert with_images.numbers[column].item() == pytest.approx(4.302653 * 25, rel=1e-5)
    assert with_images.shown["AutoAttack accuracy (%)"].item() == "25.00 ± 107.57"
    assert [note for note in with_images.notes if note not in without.notes] == (
        interval_notes(over_images=True)[1:]
    )


def test_a_figure_says_that_its_bars_are_over_the_images_too():
    assert "over the attacked images" in seeds_note([3], CONFIG, over_images=True)
    assert "images" not in seeds_note([3], CONFIG)


@pytest.mark.parametrize(
    ("counts", "bars"), [([1], "confidence_interval"), ([3], "standard_deviation")]
)
def test_a_figure_without_intervals_does_not(counts, bars):
    config = CONFIG | {"error_bars": bars}
    assert "images" not in seeds_note(counts, config, over_images=True)

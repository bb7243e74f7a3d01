"""The table of variants: what one switch does to the accuracies, paired by seed."""

import pytest
from run_tables import joined
from variants import cells_of_variant, config_with_variants

from advprune.tables.sensitivity import sensitivity

AUTOATTACK = "autoattack_accuracy"


@pytest.fixture
def config():
    return config_with_variants()


RUNS = joined(
    cells_of_variant("not_normalised", [50.0, 70.0, 60.0], [50.0, 55.0, 60.0]),
    cells_of_variant("", [40.0, 50.0], [30.0, 45.0]),
)


def rows(config, runs=RUNS, metric=AUTOATTACK):
    numbers = sensitivity(runs, config).numbers
    numbers = numbers[numbers["metric"] == metric]
    return numbers.set_index(["variant", "method"])


def test_the_config_as_it_is_comes_first_and_the_attack_that_it_names(config):
    numbers = sensitivity(RUNS, config).numbers
    names = numbers[["metric", "variant", "method"]].to_numpy().tolist()
    assert names[:4] == [
        [AUTOATTACK, "", "full"],
        [AUTOATTACK, "", "low-loss"],
        [AUTOATTACK, "not_normalised", "full"],
        [AUTOATTACK, "not_normalised", "low-loss"],
    ]
    assert {metric for metric, _, _ in names[4:]} == {"apgd_ce_40x5_accuracy"}


def test_a_change_is_of_the_seeds_that_both_have(config):
    row = rows(config).loc["not_normalised", "low-loss"]
    assert (row["n"], row["robust_mean"]) == (3, 60)
    assert (row["change_n"], row["change_mean"]) == (2, 15)  # of 10 and 20
    assert row["change_half_width"] == pytest.approx(12.706205 * 5)


def test_what_pruning_does_is_compared_within_each_variant(config):
    found = rows(config)
    assert found.loc[("", "low-loss"), "less_full_mean"] == 7.5  # of 10 and 5
    row = found.loc["not_normalised", "low-loss"]
    assert row["less_full_mean"] == 5  # of 0, 15 and 0
    assert (row["less_full_change_n"], row["less_full_change_mean"]) == (2, 0)  # of -10 and 10


def test_the_config_as_it_is_has_no_change(config):
    assert rows(config).loc[("", "low-loss"), ["change_mean", "less_full_change_mean"]].isna().all()


def test_collapsed_runs_are_counted_by_each_attack(config):
    runs = cells_of_variant("stopped_early", [0.0, 80.0], [0.5, 0.0])
    found = rows(config, runs)["collapsed_share"]
    assert found.to_dict() == {("stopped_early", "full"): 1, ("stopped_early", "low-loss"): 0.5}
    assert rows(config, runs, "apgd_ce_40x5_accuracy")["collapsed_share"].max() == 0


def test_runs_that_were_not_attacked_are_not_counted(config):
    runs = cells_of_variant("", [50.0, float("nan")], [float("nan")] * 2)
    assert rows(config, runs)["n"].to_dict() == {("", "low-loss"): 1}


def test_natural_accuracy_is_of_the_runs_whose_robust_accuracy_stands_beside_it(config):
    runs = cells_of_variant("", [50.0, float("nan")], [50.0, 60.0])
    runs["natural_accuracy"] = 90.0 + runs["seed"]
    natural = rows(config, runs)["natural_mean"].to_dict()
    assert natural == {("", "full"): 90.5, ("", "low-loss"): 90.0}


def test_the_notes_say_what_each_variant_changes(config):
    notes = sensitivity(RUNS, config).notes
    assert "not_normalised: studies.mnist.training.normalise False instead of True" in notes
    assert "stopped_early: early_stopping.enabled True instead of False" in notes

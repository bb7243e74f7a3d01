"""The table of what pruning keeps, from runs written by hand."""

import copy

import numpy as np
import pytest
from run_tables import table_of_runs, write_run
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.spec.runs import Run
from advprune.tables.kept import kept, kept_numbers, other_proxies

CONFIG = load_config(PROJECT / "config/quick.yaml")
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2], np.uint8)
KEPT = {
    ("low-loss", 0): "11110000",
    ("low-loss", 1): "11101000",
    ("low-loss", 2): "11100100",
    ("low-deepfool", 0): "11000011",
    ("low-deepfool", 1): "11101000",
    ("high-deepfool", 0): "00001111",
    ("random", 0): "10101010",
}
RUNS = {Run("mnist5k", method, "0.5", 1, seed): kept for (method, seed), kept in KEPT.items()}


@pytest.fixture
def folder(tmp_path):
    for run, signs in RUNS.items():
        write_run(tmp_path, run, kept=np.array([*map(int, signs)], np.uint8), label=LABELS)
    return tmp_path


@pytest.fixture
def numbers(folder):
    """A row a method, by its name."""
    return kept_numbers(table_of_runs([*RUNS]), folder).set_index("method")


def test_methods_come_in_the_registrys_order_with_how_many_runs_they_have(numbers):
    assert numbers["n"].to_dict() == {
        **{"random": 1, "low-loss": 3, "low-deepfool": 2, "high-deepfool": 1},
    }
    assert list(numbers.index) == ["random", "low-loss", "low-deepfool", "high-deepfool"]


def test_class_shares_are_counted_by_hand(numbers):
    low_loss = numbers.loc["low-loss"]
    assert (low_loss["data_most_frequent"], low_loss["data_least_frequent"]) == (50, 25)
    # All of class 0, and twice three of four: 100, 75 and 75%; class 2 is never kept.
    assert low_loss["most_frequent_mean"] == pytest.approx(250 / 3)
    assert low_loss["least_frequent_mean"] == 0
    # Half of it would have to be of another class, and twice a quarter.
    assert low_loss["total_variation_mean"] == pytest.approx(100 / 3)


def test_the_proxies_of_a_side_are_compared_seed_by_seed(numbers):
    # Seed 0 drops {4, 5, 6, 7} and {2, 3, 4, 5}: a half in common; seed 1 drops the same twice.
    # Seed 2 has no run by DeepFool.
    for method in ("low-loss", "low-deepfool"):
        assert numbers.loc[method, "between_proxies_mean"] == pytest.approx(75)
        assert numbers.loc[method, "between_proxies_n"] == 2


def test_the_seeds_of_a_method_are_compared_two_by_two(numbers):
    # {4, 5, 6, 7}, {3, 5, 6, 7} and {3, 4, 6, 7}: three of four in each pair.
    assert numbers.loc["low-loss", "between_seeds_mean"] == pytest.approx(75)
    assert numbers.loc["low-loss", "between_seeds_half_width"] == pytest.approx(0, abs=1e-9)


def test_what_chance_would_have_in_common_is_the_share_dropped(numbers):
    assert numbers["chance"].tolist() == [50] * 4


@pytest.mark.parametrize("method", ["random", "high-deepfool"])
def test_a_method_without_the_other_proxys_runs_has_nothing_to_compare(numbers, method):
    assert numbers.loc[method, "between_proxies_n"] == 0
    assert np.isnan(numbers.loc[method, "between_proxies_mean"])
    assert np.isnan(numbers.loc[method, "between_seeds_mean"])


@pytest.mark.parametrize(
    ("method", "others"),
    [
        ("low-loss", ["low-deepfool"]),
        ("lowhigh-deepfool", ["lowhigh-loss"]),
        ("random", []),
        ("full", []),
    ],
)
def test_the_other_proxy_of_a_method_drops_the_same_side(method, others):
    assert other_proxies(method) == others


def test_runs_that_are_pruned_otherwise_are_not_compared(folder):
    run = Run("mnist5k", "low-deepfool", "0.25", 1, 0)
    write_run(folder, run, kept=np.array([1, 1, 0, 0, 0, 0, 0, 0], np.uint8), label=LABELS)
    numbers = kept_numbers(table_of_runs([*RUNS, run]), folder)
    (row,) = numbers[numbers["p"] == "0.25"].to_dict("records")
    assert (row["between_proxies_n"], row["chance"]) == (0, 75)


def test_the_table_shows_n_where_the_proxies_have_fewer_seeds_than_the_method(folder):
    shown = kept(table_of_runs([*RUNS]), CONFIG, folder).shown.set_index("Pruning method")
    cells = shown["… by both proxies (%)"]
    assert cells["Low distance (Loss)"].endswith("(n = 2)")
    assert "n =" not in cells["Low distance (DeepFool)"]
    assert cells["Random"] == "–"


def test_the_class_shares_stand_beside_the_datas(folder):
    shown = kept(table_of_runs([*RUNS]), CONFIG, folder).shown.set_index("Pruning method")
    assert shown.loc["Random", "Most frequent class (%)"] == "50.00 (data: 50.00)"


@pytest.mark.parametrize(("paired", "warned"), [(True, False), (False, True)])
def test_the_table_says_where_proxies_do_not_share_a_network(folder, paired, warned):
    notes = kept(table_of_runs([*RUNS]), CONFIG | {"paired_seeds": paired}, folder).notes
    assert any(note.startswith("Seeds are not paired") for note in notes) == warned


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        ("in_pass", "the loss is taken in the epoch's pass, the distance after it; the table"),
        ("after_pass", "the loss is taken after it, the distance after it"),
    ],
)
def test_when_the_two_proxies_are_taken_is_said(loss, told, folder):
    config = copy.deepcopy(CONFIG)
    config["pruning"] |= {"loss_taken": loss, "deepfool_taken": "after_pass"}
    assert told in " ".join(kept(table_of_runs(RUNS), config, folder).notes)

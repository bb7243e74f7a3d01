"""The table of correlations of loss and distance, a network a row."""

import copy

import pandas as pd
import pytest
from score_tools import scores_of, write_scores
from workflow_tools import PROJECT, run_program

from advprune.plan.config import load_config, write_config
from advprune.tables.correlations import correlations

CONFIG = copy.deepcopy(load_config())
CONFIG["studies"]["mnist"]["scores"]["seeds"] = [0, 7]
SCORES = {
    "mnist": [
        # Deviations of the losses -2, -1, 1, 2, of 1/d -1, -2, 2, 1. Ranks 1 2 3 4 and 2 1 4 3.
        # Of the two with 1/d up to 2, the one has the smaller loss and the larger 1/d.
        scores_of(range(4), [1, 2, 4, 5], [1 / 2, 1, 1 / 5, 1 / 4], iterations=[2, 5, 6, 1]),
        # Three lie on a rising line within 1/d = 2; a fifth was not moved, and has no 1/d.
        scores_of(
            *(range(5), [1, 2, 3, 3, 9], [2, 1, 2 / 3, 1 / 10, 0]), converged=[1, 1, 1, 1, 0]
        ),
    ]
}
# Of the second: 1/d is 0.5, 1, 1.5, 10 with mean 3.25, the losses' mean is 2.25.
# Products -1.25 * -2.75 + -0.25 * -2.25 + 0.75 * -1.75 + 0.75 * 6.75 = 7.75; squares 2.75, 61.25.
R = (7.75 / (2.75 * 61.25) ** 0.5, 0.8)
# Ranks 1, 2, 3.5, 3.5 and 1, 2, 3, 4: products 4.5, squares 4.5 and 5.
RHO = ((4.5 / 5) ** 0.5, 0.6)


@pytest.fixture(scope="module")
def table():
    return correlations(SCORES, CONFIG)


def test_each_network_has_a_row_as_worked_by_hand(table):
    first, second = table.numbers.to_dict("records")
    assert [first[name] for name in ("study", "seed")] == ["mnist", 0]
    assert [second[name] for name in ("study", "seed")] == ["mnist", 7]
    measures = ("r", "r_within", "spearman", "dropped_in_common_percent")
    assert [first[name] for name in measures] == pytest.approx([0.8, -1, 0.6, 100])
    assert [second[name] for name in measures] == pytest.approx([R[0], 1, RHO[0], 100], abs=1e-6)
    counts = ("counted", "within", "left_out", "unconverged")
    assert [first[name] for name in counts] == [4, 2, 0, 0]
    assert [second[name] for name in counts] == [4, 3, 1, 1]


def test_what_is_moved_in_few_steps_is_counted_of_all_examples(table):
    # Three of four in at most 5 steps; the one that was not moved does not count.
    assert table.numbers["moved_in_few_steps_percent"].to_list() == [75, 80]


def test_a_data_set_has_a_row_of_means_and_intervals_over_its_networks(table):
    (row,) = table.shown.to_dict("records")
    assert (row["Data set"], row["n"]) == ("MNIST", 2)
    # Of two values: t(0.975, 1) = 12.706205 times half their distance.
    for column, (high, low) in (("Pearson's r", R), ("Spearman's ρ", RHO)):
        half_width = 12.706205 * abs(high - low) / 2
        assert row[column] == f"{(high + low) / 2:.2f} ± {half_width:.2f}"
    assert row["r within 1/d ≤ 2"] == "0.00 ± 12.71"
    assert row["Moved within 5 steps (%)"] == "77.50 ± 31.77"


def test_one_network_has_no_interval():
    config = copy.deepcopy(CONFIG)
    config["studies"]["mnist"]["scores"]["seeds"] = 1
    (row,) = correlations({"mnist": SCORES["mnist"][:1]}, config).shown.to_dict("records")
    assert (row["n"], row["Pearson's r"]) == (1, "0.80")


@pytest.mark.parametrize(
    ("loss", "deepfool", "said"),
    [
        ("after_pass", "after_pass", "epoch 1 (MNIST: loss after it, distance after it)"),
        ("in_pass", "after_pass", "loss in that epoch's pass, distance after it"),
        ("after_pass", "in_pass", "loss after it, distance in that epoch's pass"),
    ],
)
def test_the_table_says_when_loss_and_distance_were_taken(loss, deepfool, said):
    config = copy.deepcopy(CONFIG)
    config["studies"]["mnist"]["scores"] |= {"loss_taken": loss, "deepfool_taken": deepfool}
    assert any(said in note for note in correlations(SCORES, config).notes)


def test_the_program_makes_it_from_every_seed_of_both_studies(tmp_path):
    config = load_config(PROJECT / "config/smoke.yaml")
    write_config(tmp_path / "config.json", config)
    scores = SCORES["mnist"][0]
    folders = [
        write_scores(tmp_path / f"{study}{seed}", study, scores, config, seed=seed)
        for study in ("mnist", "cifar10")
        for seed in (0, 1)
    ]
    ended = run_program(
        *("exhibit", "correlations", "--config", tmp_path / "config.json"),
        *("--scores", *folders, "--output", tmp_path / "correlations.csv"),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    written = pd.read_csv(tmp_path / "correlations.csv")
    assert written[["study", "seed"]].to_numpy().tolist() == [
        *(["mnist", 0], ["mnist", 1], ["cifar10", 0], ["cifar10", 1])
    ]

"""The table of claims, and the program that makes it."""

import json

import pandas as pd
import pytest
from advprune.claims.table import claims_table
from builders import write_hashed
from claim_tools import (
    DEFAULT,
    content_of_claim,
    evidence,
    four,
    pair,
    read_one,
    write_claims,
)
from run_tables import runs_of_cell
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import write_runs

# Their interval is [45.89, 54.11].
RUNS = runs_of_cell("random", "0.5", natural_accuracy=four(50))
MISSING = {"kind": "mean", "metric": "natural_accuracy", "first": {"method": "low-loss", "p": 0.5}}
CLAIMS = {
    "REPRODUCED": content_of_claim(id="right", shown_in=["table1", "figure3"], note="a note"),
    "DIFFERS": content_of_claim(id="wrong", printed={"value": 60}),
    "UNDERPOWERED": content_of_claim(id="open", judge={"by": "within", "margin": 4}),
    "NOT RUN": content_of_claim(id="missing", quantity=MISSING),
}


def judged_by_the_program(folder, *claims, config=DEFAULT):
    """The table that the program writes, by claim, and where it has written it."""
    write_hashed(folder / "config.json", json.dumps(config))
    write_runs(folder / "runs.csv", RUNS)
    ended = run_program(
        *("claims", "--runs", folder / "runs.csv", "--config", folder / "config.json"),
        *("--claims", write_claims(folder / "claims.yaml", *claims)),
        *("--output", folder / "out.csv"),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    table = pd.read_csv(folder / "out.csv", dtype=str, keep_default_na=False)
    return table.set_index("id"), folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_by_the_program(tmp_path_factory.mktemp("claims"), *CLAIMS.values())


def test_the_program_gives_each_claim_its_verdict_and_counts_them(judged):
    table, folder = judged
    assert table["verdict"].to_list() == list(CLAIMS)
    counted = "4 claims: 1 REPRODUCED, 1 DIFFERS, 1 UNDERPOWERED, 1 NOT RUN"
    assert f"- {counted}\n" in (folder / "out.md").read_text()


def test_the_table_shows_what_was_measured_beside_what_is_printed(judged):
    table, _ = judged
    row = table.loc["right"]
    assert row[["printed", "n", "printed_shown", "ours_shown", "shown_in", "note"]].to_list() == [
        *("50", "4", "50.00", "50.00 [45.89, 54.11]", "table1 figure3", "a note"),
    ]
    assert list(map(float, row[["value", "low", "high"]])) == pytest.approx(
        [50, 45.892, 54.108], abs=1e-3
    )
    assert table.loc["missing", ["n", "ours_shown"]].to_list() == ["0", ""]


@pytest.mark.parametrize(
    ("chosen", "by_it", "by_the_other"),
    [("autoattack", 50, 60), ("apgd_ce_40x5", 60, 50)],  # the usual accuracies
)
def test_the_config_says_which_attack_the_program_judges_by(tmp_path, chosen, by_it, by_the_other):
    quantity = content_of_claim()["quantity"] | {"metric": "robust_accuracy"}
    config = DEFAULT | {"robust_accuracy": chosen}
    table, _ = judged_by_the_program(tmp_path, content_of_claim(quantity=quantity), config=config)
    assert list(map(float, table.loc["a-claim", ["value", "other_value"]])) == [by_it, by_the_other]


def test_an_interval_without_end_is_shown_as_such(tmp_path):
    claim = read_one(
        tmp_path, quantity=pair("spread_percent_of"), judge={"by": "at_most", "bound": 100}
    )
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[10, 20, 30]),
        runs_of_cell("full", "1.0", autoattack_accuracy=[10, 10, 40]),
    ]
    found = evidence(*cells)
    assert claims_table([claim], found, found).shown.loc[0, "Ours"].endswith("∞]")


def test_a_partial_table_says_for_each_claim_that_runs_are_missing(tmp_path):
    found = evidence(RUNS, config=DEFAULT | {"partial": True})
    numbers = claims_table([read_one(tmp_path)], found, found).numbers
    assert numbers.loc[0, "departures"] == "only the runs that exist of those planned"
    assert not numbers.loc[0, "paper_scale"]


def test_settings_of_the_toy_model_are_departures_of_its_claims_alone(tmp_path):
    config = DEFAULT | {"appendix_c": DEFAULT["appendix_c"] | {"robust_share": 0.5}}
    toy = pd.DataFrame(
        [{"quantity": "robust_share", "simulated_mean": 50, "simulated_half_width": 1, "seeds": 2}]
    )
    found = evidence(RUNS, config=config, toy=toy)
    rule = {"by": "at_least", "bound": 0}
    claims = [
        read_one(tmp_path, quantity={"kind": "toy", "of": "robust_share"}, studies=[], judge=rule),
        read_one(tmp_path),
    ]
    told = claims_table(claims, found, found).numbers["departures"]
    assert list(told) == ["appendix_c.robust_share 0.5 instead of 0.8", ""]


def program_with(option, value, folder):
    """The end of the program that is given what another run of it was, but for one option."""
    options = {
        "--runs": folder / "runs.csv",
        "--config": folder / "config.json",
        "--claims": folder / "claims.yaml",
        "--output": value.with_name("out.csv"),
        option: value,
    }
    return run_program("claims", *(part for item in options.items() for part in item), cwd=PROJECT)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        pytest.param("--claims", "wrong.yaml", "error: claims: ", id="wrong claim"),
        pytest.param("--runs", "none.csv", "none.csv does not exist", id="no runs"),
        pytest.param("--scores", "none.csv", "none.csv does not exist", id="no scores"),
        pytest.param("--toy", "empty.csv", "empty.csv is not the table", id="empty table"),
    ],
)
def test_the_program_says_what_is_wrong_without_a_traceback(judged, tmp_path, option, value, told):
    _, folder = judged
    write_claims(tmp_path / "wrong.yaml", content_of_claim(quantity={"kind": "median"}))
    write_hashed(tmp_path / "empty.csv", "")
    ended = program_with(option, tmp_path / value, folder)
    assert (ended.status, told in ended.printed) == (1, True), ended.printed
    assert "Traceback" not in ended.printed
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("option", ["--runs", "--config", "--scores", "--embedding", "--toy"])
def test_the_program_refuses_what_was_altered_since_it_was_written(judged, tmp_path, option):
    _, folder = judged
    altered = write_hashed(tmp_path / "altered", "r\n0.5\n")
    altered.write_text("r\n0.9\n")
    ended = program_with(option, altered, folder)
    assert ended.status == 1
    assert f"{altered} is not what was written: delete {altered} and run again" in ended.printed
    assert "Traceback" not in ended.printed

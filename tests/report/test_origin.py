"""What the report says of how the results were made."""

import shutil

import pytest
from report_tools import SMOKE, page_of, timed

from advprune.analysis.run_table import write_runs
from advprune.plan.exhibits import runs_of


def test_the_cost_of_all_runs_is_added_up(results):
    count = len(runs_of("all", SMOKE))
    assert count == 15
    origin = page_of(results).sections["origin"]
    assert "Training 15.0 minutes in all, 90 seconds of them DeepFool's" in origin
    assert "Evaluation 30.0 minutes in all" in origin


@pytest.mark.parametrize(
    "said",
    [
        "Commit c0ffee with uncommitted changes",
        "Software Python 3.11.0, torch 2.0, numpy 1.0",
        "Trained on cpu: x86_64",
        "Library’s source 0123456789ab",
        "From, to 2026-01-02 03:04 to 2026-01-02 05:06 UTC",
        "Diverged 0 of 15 runs",
    ],
)
def test_what_the_runs_were_made_with_is_said(results, said):
    assert said in page_of(results).sections["origin"]


def test_what_no_record_says_is_said_to_be_unknown(results):
    shutil.rmtree(results / "runs")
    origin = page_of(results).sections["origin"]
    for name in ("Evaluated on", "Software", "Commit", "From, to"):
        assert f"{name} not known" in origin
    assert "Records 30 of 30" in origin


def test_a_mixture_of_runs_is_warned_of_at_the_top(results):
    runs = timed(runs_of("all", SMOKE))
    runs.loc[3, "torch"] = "other"
    write_runs(results / "runs.csv", runs)
    said = "different versions of PyTorch, with how many runs: 2.0 (14), other (1)"
    assert said in page_of(results).head


def test_runs_that_are_missing_are_counted_and_named(results):
    runs = runs_of("all", SMOKE)
    write_runs(results / "runs.csv", timed(runs[1:]))
    page = page_of(results)
    assert "incomplete: 14 of 15 runs are done" in page.head
    assert f"Missing runs: 1 {runs[0].folder.parent}: 1 of 2 runs" in page.sections["origin"]


def test_before_any_run_has_finished_the_page_says_so(tmp_path):
    page = page_of(tmp_path)
    assert "claims.csv is not there" in page.sections["claims"]
    assert "No run has finished yet." in page.sections["origin"]
    assert "incomplete: 0 of 15 runs are done" in page.text

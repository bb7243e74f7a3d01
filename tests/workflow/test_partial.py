"""What exists is drawn without the rest, apart from what is complete."""

import shutil

import pandas as pd
import pytest
from workflow_tools import PROJECT, SMOKE, job_counts, run_snakemake

from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, runs_of
from advprune.spec.runs import Run

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

RUNS = runs_of("all", load_config(PROJECT / "config/smoke.yaml"))
NAME = ["dataset", "method", "p", "e", "seed"]
TABLES, FIGURES = (
    [name for name, exhibit in EXHIBITS.items() if exhibit.folder == folder]
    for folder in ("tables", "figures")
)


LOST = Run("mnist5k", "random", "0.5", 1, 1)


@pytest.fixture(scope="module")
def partial(finished, tmp_path_factory):
    """A copy of the results from which a seed was deleted, the plan for the rest, and its end."""
    copied = tmp_path_factory.mktemp("partial") / "project"
    shutil.copytree(finished[0], copied)
    shutil.rmtree(copied / "results/smoke/runs" / LOST.folder)
    arguments = (*SMOKE, "config/partial.yaml")
    return (
        copied,
        run_snakemake("-n", *arguments, cwd=copied),
        run_snakemake(*arguments, cwd=copied),
    )


def test_a_partial_run_trains_evaluates_and_scores_nothing(partial):
    _, planned, _ = partial
    assert {"train", "evaluate", "start"} & set(job_counts(planned.printed)) == set()
    assert job_counts(planned.printed)["total"] > 0


def test_a_partial_run_of_a_changed_config_trains_nothing(partial, tmp_path):
    (tmp_path / "overlay.yaml").write_text("deepfool: {max_iterations: 5}")
    overlays = ("config/partial.yaml", tmp_path / "overlay.yaml")
    planned = run_snakemake("-n", "--forceall", *SMOKE, *overlays, cwd=partial[0])
    assert {"train", "evaluate", "start"} & set(job_counts(planned.printed)) == set()


def test_a_partial_run_ends_well(partial):
    _, _, ended = partial
    assert ended.status == 0, ended.printed[-4000:]


def test_a_partial_run_has_every_run_but_the_lost_one(partial):
    runs = pd.read_csv(partial[0] / "results/smoke/partial/runs.csv", dtype={"p": str})
    found = [Run(*row) for row in runs[NAME].itertuples(index=False)]
    assert found == [run for run in RUNS if run != LOST]


def test_a_partial_report_says_that_it_is_incomplete_and_which_run_is_missing(partial):
    page = (partial[0] / "results/smoke/partial/report.html").read_text(encoding="utf-8")
    assert f"incomplete: {len(RUNS) - 1} of {len(RUNS)} runs are done" in page
    assert f"<li>{LOST.folder.parent}: 1 of 2 runs</li>" in page


def test_a_partial_table_says_how_many_runs_it_has(partial):
    path = partial[0] / "results/smoke/partial/tables/table1.csv"
    numbers = pd.read_csv(path).set_index("method")["n"]
    assert numbers.to_dict() == {"low-deepfool": 2, "low-loss": 2, "random": 1, "full": 2}


@pytest.mark.parametrize(
    "path",
    [*(f"tables/{name}.md" for name in TABLES), *(f"figures/{name}.png" for name in FIGURES)],
)
def test_a_partial_run_leaves_its_tables_and_figures_apart(partial, path):
    assert (partial[0] / "results/smoke/partial" / path).stat().st_size > 0


def test_a_partial_run_leaves_the_complete_tables_alone(partial, finished):
    for path in sorted((finished[0] / "results/smoke/tables").iterdir()):
        copied = partial[0] / "results/smoke/tables" / path.name
        assert copied.read_bytes() == path.read_bytes()

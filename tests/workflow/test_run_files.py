"""The workflow makes exhibits from files of single runs, as it does from the table of them."""

import pytest
from workflow_tools import copy_project, job_counts, run_snakemake

from advprune.paths import RESULT_FILES
from advprune.spec.runs import Run

pytestmark = pytest.mark.workflow

COMMAND = ("-n", "--cores", "1", "--configfile", "config/smoke.yaml")
THERE = Run("mnist5k", "low-loss", "0.5", 1, 1)
EVALUATED_ALONE = Run("mnist5k", "random", "0.5", 1, 1)
RUNS = "results/smoke/runs"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which one run is done, and another not whole."""
    copied = copy_project(tmp_path_factory.mktemp("run_files") / "project")
    files = {THERE: (*RESULT_FILES, "pruning.safetensors", "training.csv")}
    files[EVALUATED_ALONE] = ("training.csv", "pruning.safetensors")
    for run, names in files.items():
        folder = copied / RUNS / run.folder
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
    return copied


def inputs_of(printed, rule):
    """The inputs of a rule's only job, from what a dry run prints."""
    job = printed.split(f"rule {rule}:")[1].split("\n\n")[0]
    (line,) = [line for line in job.splitlines() if line.strip().startswith("input:")]
    return {path.strip() for path in line.partition(":")[2].split(",")}


@pytest.mark.parametrize(
    ("name", "file"), [("curves", "training.csv"), ("kept", "pruning.safetensors")]
)
def test_a_partial_run_takes_files_of_runs_that_are_whole_alone(project, name, file):
    planned = run_snakemake(*COMMAND, "config/partial.yaml", "--", name, cwd=project)
    assert planned.status == 0, planned.printed
    taken = {path for path in inputs_of(planned.printed, name) if path.startswith(RUNS)}
    assert taken == {f"{RUNS}/{THERE.folder}/{file}"}
    assert job_counts(planned.printed).keys() == {"write_config", "collect", name, "total"}


def test_a_partial_run_leaves_a_missing_file_to_whoever_reads_it(project):
    path = project / RUNS / THERE.folder / "training.csv"
    path.unlink()
    try:
        planned = run_snakemake(*COMMAND, "config/partial.yaml", "--", "curves", cwd=project)
    finally:
        path.touch()
    assert planned.status == 0, planned.printed


@pytest.mark.parametrize(
    ("name", "file", "runs"), [("curves", "training.csv", 11), ("kept", "pruning.safetensors", 9)]
)
def test_a_whole_run_makes_the_runs_whose_files_are_asked_for(project, name, file, runs):
    planned = run_snakemake(*COMMAND, "--", name, cwd=project)
    taken = {path for path in inputs_of(planned.printed, name) if path.startswith(RUNS)}
    assert {path.rpartition("/")[2] for path in taken} == {file}
    assert len(taken) == runs

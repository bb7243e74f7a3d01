"""What was altered or lost on disk is noticed before it reaches a table, named, and repaired."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from tiny_workflow import COMMAND, TARGETS, differences
from workflow_tools import job_counts, run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

RUNS = "results/tiny/runs/mnist5k"
LOW_0, LOW_1 = (f"{RUNS}/low-loss/p0.5/e1/seed00{seed}" for seed in range(2))
FULL_0, FULL_1 = (f"{RUNS}/full/p1.0/e1/seed00{seed}" for seed in range(2))
SCORES = "results/tiny/starts/shapes10/e1/seed000"
PASSES = 6  # each of them finds what those before hid


@pytest.fixture
def project(uninterrupted, tmp_path):
    """A copy of the project in which all is made, to be spoilt."""
    return shutil.copytree(uninterrupted, tmp_path / "project", symlinks=True)


def run(project, *flags):
    return run_snakemake(*flags, *COMMAND, "--", *TARGETS, cwd=project)


def flip(path, *, place=-2):
    """Change a bit of a byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def flip_quietly(path):
    """The same as a disk does it: the file's time stays."""
    times = path.stat()
    flip(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def swap(first, second):
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])


def obey(project, printed):
    """Do what the messages say; the files and commands that they named."""
    deletions = set(re.findall(r"delete (\S+) and run again", printed))
    commands = set(re.findall(r"python3 (workflow/scripts/dataset\.py \S+ --output \S+)", printed))
    for path in deletions:
        (project / path).unlink()
    for command in commands:
        subprocess.run([sys.executable, *command.split()], cwd=project, check=True)
    return deletions | commands


def run_and_obey(project):
    """Run and do what is said until all is well; all that was printed on the way."""
    printed = ""
    for _ in range(PASSES):
        ended = run(project)
        printed += ended.printed
        if ended.status == 0:
            return printed
        assert "Traceback" not in ended.printed
        assert obey(project, ended.printed), ended.printed[-4000:]
    raise AssertionError(printed[-8000:])


def test_runs_that_were_deleted_are_made_again_and_nothing_else(project, uninterrupted):
    for folder in (LOW_1, FULL_0):
        shutil.rmtree(project / folder)
    planned = job_counts(run(project, "-n").printed)
    assert planned == {"train": 2, "evaluate": 2, "table1": 1, "total": 5}
    assert run(project).status == 0
    assert differences(project / "results", uninterrupted / "results") == set()
    assert "Nothing to be done" in run(project).printed


@pytest.mark.parametrize("folder", [LOW_1, SCORES], ids=["a run", "scores"])
def test_what_was_deleted_a_second_time_is_made_a_second_time(project, uninterrupted, folder):
    for _ in range(2):
        shutil.rmtree(project / folder)
        assert run(project).status == 0
        assert differences(project / "results", uninterrupted / "results") == set()
    assert "Nothing to be done" in run(project).printed


def test_a_run_whose_network_was_deleted_is_not_made_again(project):
    (project / LOW_0 / "model.safetensors").unlink()
    assert "Nothing to be done" in run(project, "-n").printed


def test_results_that_were_copied_without_their_times_are_kept(project):
    records = sorted(project.glob("results/tiny/*/**/*.json"))
    for path in sorted(project.glob("results/**/*"), reverse=True):
        path.touch()
    before = {path: path.stat().st_mtime_ns for path in records if "blocks" not in path.parts}
    assert run(project).status == 0
    made = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert {path for path in made if path.name in ("run.json", "start.json")} == set()
    assert {path for path in made if path.name == "evaluation.json"} == set()


def test_an_evaluation_that_was_deleted_is_made_again_without_the_training(project):
    (project / LOW_0 / "evaluation.json").unlink()
    planned = job_counts(run(project, "-n").printed)
    assert planned == {"evaluate": 1, "table1": 1, "total": 2}


def test_following_the_messages_repairs_all_that_was_altered(project, uninterrupted):
    # A data set that is read again, since a run is gone; networks that were swapped; a CSV; scores.
    flip_quietly(project / "results/datasets/mnist5k.safetensors")
    shutil.rmtree(project / FULL_1)
    swap(project / LOW_0 / "model.safetensors", project / LOW_1 / "model.safetensors")
    flip_quietly(project / FULL_0 / "evaluation.csv")
    flip_quietly(project / SCORES / "scores.safetensors")
    (project / "results/tiny/figures/figure6.csv").unlink()  # so that they are read
    printed = run_and_obey(project)
    for named in (
        "results/datasets/mnist5k.safetensors is damaged",
        f"{FULL_0}/evaluation.csv is not the file that {FULL_0}/evaluation.json describes",
        f"{SCORES}/scores.safetensors is not the file that {SCORES}/start.json describes",
    ):
        assert named in printed
    assert differences(project / "results", uninterrupted / "results") == set()


def test_records_that_were_edited_are_repaired_unasked(project, uninterrupted):
    record = project / LOW_0 / "run.json"
    record.write_text(record.read_text().replace('"kept_examples": 150', '"kept_examples": 250'))
    flip(project / FULL_0 / "verdicts.csv")
    flip(project / FULL_1 / "evaluation.json", place=-30)
    assert run(project).status == 0
    assert differences(project / "results", uninterrupted / "results") == set()


def test_following_the_message_repairs_what_the_analysis_reads(project, uninterrupted):
    path = "results/tiny/config.json"
    flip(project / path, place=-3)
    assert f"{path} is not what was written" in run_and_obey(project)
    assert differences(project / "results", uninterrupted / "results") == set()


def test_files_of_a_run_that_were_deleted_are_made_again_unasked(project, uninterrupted):
    made = "results/tiny/tables/table1.csv"
    for path in (f"{LOW_0}/pruning.safetensors", f"{LOW_1}/verdicts.csv", made):
        (project / path).unlink()
    assert run(project).status == 0
    assert differences(project / "results", uninterrupted / "results") == set()


@pytest.mark.parametrize(
    ("of_table_1", "of_figure_6"),
    [
        *(("csv", "csv"), ("md", "pdf"), ("tex", "png")),
        *(("html", "csv.sha256"), ("csv.sha256", "pdf"), ("json", "csv")),
    ],
)
def test_a_file_of_a_table_or_figure_that_was_deleted_is_made_again(
    project, of_table_1, of_figure_6
):
    for name in (f"tables/table1.{of_table_1}", f"figures/figure6.{of_figure_6}"):
        (project / "results/tiny" / name).unlink()
    planned = job_counts(run(project, "-n").printed)
    assert planned == {"table1": 1, "figure6": 1, "total": 2}

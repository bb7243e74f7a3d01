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
SCORES = "results/tiny/scores/shapes10/e1/seed000"
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
    assert planned == {"train": 2, "evaluate": 2, "collect": 1, "table1": 1, "total": 6}
    assert run(project).status == 0
    assert differences(project / "results", uninterrupted / "results") == set()
    assert run(project).status == 0  # Snakemake may make the small tables once more
    assert "Nothing to be done" in run(project).printed


def test_an_evaluation_that_was_deleted_is_made_again_without_the_training(project):
    (project / LOW_0 / "evaluation.json").unlink()
    planned = job_counts(run(project, "-n").printed)
    assert planned == {"evaluate": 1, "collect": 1, "table1": 1, "total": 3}


def test_following_the_messages_repairs_all_that_was_altered(project, uninterrupted):
    # A data set that is read again, since a run is gone; networks that were swapped; a CSV; scores.
    flip_quietly(project / "results/datasets/mnist5k.safetensors")
    shutil.rmtree(project / FULL_1)
    swap(project / LOW_0 / "model.safetensors", project / LOW_1 / "model.safetensors")
    flip(project / FULL_0 / "evaluation.csv")
    flip(project / SCORES / "scores.safetensors")
    printed = run_and_obey(project)
    for named in (
        "results/datasets/mnist5k.safetensors is damaged",
        f"{LOW_0}/model.safetensors is not the network that {LOW_0}/run.json describes",
        f"{LOW_1}/model.safetensors is not the network that {LOW_1}/run.json describes",
        f"{FULL_0}/evaluation.csv is not the file that {FULL_0}/evaluation.json describes",
        f"{SCORES}/scores.safetensors is not the file that {SCORES}/score.json describes",
    ):
        assert named in printed
    assert differences(project / "results", uninterrupted / "results") == set()


def test_following_the_messages_repairs_records_that_were_edited(project, uninterrupted):
    record = project / LOW_0 / "run.json"
    record.write_text(record.read_text().replace('"kept_examples": 150', '"kept_examples": 250'))
    flip(project / FULL_0 / "verdicts.csv")
    flip(project / FULL_1 / "evaluation.json", place=-30)
    printed = run_and_obey(project)
    for named in (
        f"{LOW_0}/run.json is damaged, or was edited",
        f"{FULL_0}/verdicts.csv is not the file that",
        f"{FULL_1}/evaluation.json is damaged, or was edited",
    ):
        assert named in printed
    assert differences(project / "results", uninterrupted / "results") == set()


@pytest.mark.parametrize("path", ["results/tiny/items/table1.csv", "results/tiny/config.json"])
def test_following_the_message_repairs_what_the_analysis_reads(project, uninterrupted, path):
    flip(project / path, place=-3)
    assert f"{path} is not what was written" in run_and_obey(project)
    assert differences(project / "results", uninterrupted / "results") == set()


def test_following_the_messages_repairs_files_of_a_run_that_were_deleted(project, uninterrupted):
    collected = ("results/tiny/items/table1.csv", "results/tiny/tables/table1.csv")
    for path in (f"{LOW_0}/pruning.safetensors", f"{LOW_1}/verdicts.csv", *collected):
        (project / path).unlink()
    # What the analysis reads is made again unasked; what it does not read is missed in words.
    assert "pruning.safetensors does not exist, but" in run_and_obey(project)
    assert differences(project / "results", uninterrupted / "results") == set()


@pytest.mark.parametrize(
    "name",
    [
        *(
            f"tables/table1.{suffix}"
            for suffix in ("csv", "md", "tex", "html", "json", "csv.sha256")
        ),
        *(f"figures/figure6.{suffix}" for suffix in ("csv", "pdf", "png", "csv.sha256")),
    ],
)
def test_a_file_of_a_table_or_figure_that_was_deleted_is_made_again(project, name):
    target, exhibit = name.partition(".")[0].split("/")
    command = ("-n", *COMMAND, "--", target)
    assert exhibit not in job_counts(run_snakemake(*command, cwd=project).printed)
    (project / "results/tiny" / name).unlink()
    assert job_counts(run_snakemake(*command, cwd=project).printed)[exhibit] == 1

"""Locks that end with the process that holds them."""

import platform
import subprocess
import sys

import pytest
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.storage.locking import turn_at, turns_at

SCRIPTS = PROJECT / "workflow/scripts"


@pytest.fixture
def start(tmp_path):
    """Starts programs that have the library, and ends what is left of them."""
    running = []

    def start_program(text):
        process = subprocess.Popen(
            [sys.executable, "-c", text],
            cwd=tmp_path,
            env={"PYTHONPATH": str(SCRIPTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start_program
    for process in running:
        process.kill()
        process.communicate()


# Workflows.

WORKFLOW = """
from pathlib import Path
from advprune.storage.locking import clear_dead_workflows
print(*(path.name for path in clear_dead_workflows(Path(".snakemake"))), flush=True)
input()
"""


@pytest.fixture
def lock(tmp_path):
    """A lock as Snakemake writes them."""
    path = tmp_path / ".snakemake/locks/0.input.lock"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def removed_by(process):
    return process.stdout.readline().split()


def start_workflow_that_has_locks(start, lock):
    """What is there already belongs to no workflow known; from here on it belongs to this one."""
    lock.unlink()
    process = start(WORKFLOW)
    assert removed_by(process) == []
    lock.touch()
    return process


def test_the_locks_of_a_workflow_that_was_killed_are_removed_and_named(start, lock):
    start_workflow_that_has_locks(start, lock).kill()
    assert removed_by(start(WORKFLOW)) == ["0.input.lock"]
    assert not lock.exists()


def test_the_locks_of_a_living_workflow_are_left_alone(start, lock):
    start_workflow_that_has_locks(start, lock)
    assert removed_by(start(WORKFLOW)) == []
    assert lock.exists()


def test_a_workflow_that_outlives_the_first_one_is_still_seen(start, lock):
    first = start_workflow_that_has_locks(start, lock)
    second = start(WORKFLOW)
    assert removed_by(second) == []
    first.communicate("\n")
    assert removed_by(start(WORKFLOW)) == []
    assert lock.exists()


def test_jobs_that_outlive_their_workflow_do_not_count_as_one(start, lock):
    text = "import subprocess; " + WORKFLOW.strip().replace("\n", "; ")
    text = text.replace("input()", "subprocess.Popen(['sleep', '60']); input()")
    lock.unlink()
    workflow = start(text)
    assert removed_by(workflow) == []
    lock.touch()
    workflow.kill()
    assert removed_by(start(WORKFLOW)) == ["0.input.lock"]


def test_the_locks_of_a_workflow_on_another_machine_are_left_alone(start, lock):
    start_workflow_that_has_locks(start, lock).kill()
    with open(lock.parents[1] / "workflows.lock", "a") as file:
        print("another-machine", file=file)
    assert removed_by(start(WORKFLOW)) == []
    assert lock.exists()


def test_machines_are_forgotten_when_there_are_no_locks(start, lock):
    machines = lock.parents[1] / "workflows.lock"
    machines.write_text("another-machine\n")
    start_workflow_that_has_locks(start, lock)
    assert machines.read_text().split() == [platform.node()]


def test_a_folder_that_cannot_be_written_is_left_to_snakemake(start, tmp_path):
    (tmp_path / ".snakemake").touch()
    assert removed_by(start(WORKFLOW)) == []


# Jobs.

JOB = """
import logging, sys
from advprune.storage.locking import turn_at, turns_at
logging.basicConfig(level=logging.INFO)
with turn_at("run.json"):
    print("mine", flush=True)
    input()
"""


def has_its_turn(process):
    return process.stdout.readline() == "mine\n"


def is_waiting(process, holder):
    """Whether a job says that it waits, and for whom."""
    return f"run.json is being made by process {holder.pid}: wait" in process.stderr.readline()


def test_a_job_waits_until_the_other_one_of_the_same_record_has_ended(start):
    first = start(JOB)
    assert has_its_turn(first)
    second = start(JOB)
    assert is_waiting(second, first)
    assert second.poll() is None
    first.communicate("\n")
    assert has_its_turn(second)


def test_a_job_holds_others_off_only_until_its_record_is_made(start):
    first = start(JOB + "print('done', flush=True)\ninput()")
    assert has_its_turn(first)
    second = start(JOB)
    assert is_waiting(second, first)
    print(file=first.stdin, flush=True)
    assert has_its_turn(second)
    assert first.poll() is None


def test_a_job_that_was_killed_holds_nobody_off(start):
    first = start(JOB)
    assert has_its_turn(first)
    first.kill()
    assert has_its_turn(start(JOB))


def test_jobs_of_different_records_do_not_wait_for_each_other(start):
    assert has_its_turn(start(JOB))
    assert has_its_turn(start(JOB.replace("run.json", "evaluation.json")))


def test_the_lock_beside_a_record_does_not_name_the_machine(start, tmp_path):
    first = start(JOB)
    assert has_its_turn(first)
    assert (tmp_path / ".run.json.lock").read_text() == f"{first.pid}\n"


def test_of_many_jobs_one_at_a_time_has_its_turn(start, tmp_path):
    text = JOB.replace(
        "input()",
        "import os, time; os.mkdir('taken'); time.sleep(0.05); os.rmdir('taken')",
    )
    jobs = [start(text) for _ in range(6)]
    assert [job.wait(60) for job in jobs] == [0] * 6  # os.mkdir fails where the folder is there


def test_no_lock_stays_behind(start, tmp_path):
    first = start(JOB)
    assert has_its_turn(first)
    first.kill()
    first.wait()
    second = start(JOB)
    assert has_its_turn(second)
    assert [path.name for path in tmp_path.iterdir()] == [".run.json.lock"]
    second.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    refused = pytest.raises(UserError, match=f"cannot write {tmp_path / 'file'}")
    with refused, turn_at(tmp_path / "file/run.json"):
        pass


def test_several_records_are_waited_for_in_one_order_and_all_are_let_go(tmp_path):
    records = [tmp_path / name / "run.json" for name in "ba"]
    with turns_at(records):
        assert [(path.parent / ".run.json.lock").exists() for path in records] == [True, True]
    assert not list(tmp_path.rglob("*.lock"))

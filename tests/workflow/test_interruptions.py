"""Killed at any moment, the workflow goes on by the same command and ends with the same files."""

import random
import time

import psutil
import pytest
from tiny_workflow import COMMAND, TARGETS, TINY, differences
from workflow_tools import run_snakemake
from workflow_tools import start_snakemake as start_program

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SMALL = "results/tiny/runs/mnist5k/low-loss/p0.5/e1/seed000"
TRAINED, EVALUATED = (
    f"results/tiny/blocks/{name}/mnist5k/low-loss/p0.5/e1/000-000" for name in ("train", "evaluate")
)
PATIENCE = 300  # seconds


@pytest.fixture
def project(fresh, tmp_path):
    """A copy of the project without results; what runs in it at the end is ended."""
    project = fresh(tmp_path)
    yield project
    kill_all_in(project)


# What is killed, and when.


def start_snakemake(*arguments, cwd):
    """Start it in a project; what it prints is `printed` there."""
    return start_program(*arguments, cwd=cwd, printed=cwd / "printed.txt")


def printed(project):
    return (project / "printed.txt").read_text()


def processes_in(project):
    """All processes that work in a project's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(project) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def jobs_in(project):
    """The programs of the workflow that are running."""
    found = []
    for process in processes_in(project):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if command[:1] and command[0].endswith("python3") and "workflow/scripts/" in command[1]:
            found.append(process)
    return found


def kill(processes):
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue


def kill_all_in(project):
    while left := processes_in(project):
        kill(left)
        time.sleep(0.05)


def wait_for(condition, workflow):
    """Wait until a condition holds while a workflow runs."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert workflow.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


def kill_snakemake(workflow):
    """Kill it alone: its jobs live on."""
    workflow.kill()
    workflow.wait()


# Single interruptions, at chosen moments.


def test_after_snakemake_was_killed_the_same_command_takes_over_from_the_job_that_lives_on(
    project, uninterrupted
):
    workflow = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    wait_for((project / SMALL / ".run.checkpoint.safetensors").exists, workflow)
    (orphan,) = jobs_in(project)
    orphan.suspend()
    kill_snakemake(workflow)
    workflow = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    log = project / f"{TRAINED}.log"
    waiting = f"is being made by process {orphan.pid}:"
    wait_for(lambda: log.exists() and waiting in log.read_text(), workflow)
    orphan.resume()

    assert workflow.wait(PATIENCE) == 0, printed(project)[-3000:]
    assert "0.output.lock was left by a workflow that was killed: removed" in printed(project)
    assert "seed000 is there" in log.read_text()  # all that was to do the orphan has done
    assert differences(project / SMALL, uninterrupted / SMALL) == {
        *("evaluation.csv", "evaluation.json", "verdicts.csv")
    }


def test_an_orphan_that_ended_before_the_same_command_came_has_not_worked_in_vain(project):
    workflow = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    wait_for((project / SMALL / ".run.checkpoint.safetensors").exists, workflow)
    (orphan,) = jobs_in(project)
    kill_snakemake(workflow)
    orphan.wait(PATIENCE)
    assert run_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project).status == 0
    assert "seed000 is there" in (project / f"{TRAINED}.log").read_text()


def test_after_a_training_was_killed_the_same_command_goes_on_with_it(project, uninterrupted):
    workflow = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    wait_for((project / SMALL / ".run.checkpoint.safetensors").exists, workflow)
    kill(jobs_in(project))
    assert workflow.wait(PATIENCE) == 1
    assert "Error in rule train" in printed(project)
    assert run_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project).status == 0
    assert "going on after epoch" in (project / f"{TRAINED}.log").read_text()
    for name in ("model.safetensors", "pruning.safetensors"):
        found = (project / SMALL / name).read_bytes()
        assert found == (uninterrupted / SMALL / name).read_bytes()


def test_after_an_evaluation_was_killed_the_same_command_goes_on_with_it(project, uninterrupted):
    workflow = start_snakemake(*COMMAND, "--", f"{EVALUATED}.json", cwd=project)
    wait_for((project / SMALL / ".evaluation.checkpoint.safetensors").exists, workflow)
    kill(jobs_in(project))
    assert workflow.wait(PATIENCE) == 1
    assert "Error in rule evaluate" in printed(project)
    assert run_snakemake(*COMMAND, "--", f"{EVALUATED}.json", cwd=project).status == 0
    assert "natural was done before" in (project / f"{EVALUATED}.log").read_text()
    assert differences(project / SMALL, uninterrupted / SMALL) == set()


def test_a_dry_run_beside_a_workflow_leaves_its_locks_alone(project):
    workflow = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    wait_for((project / ".snakemake/locks/0.output.lock").exists, workflow)
    run_snakemake("-n", *COMMAND, "--", f"{TRAINED}.json", cwd=project)
    assert (project / ".snakemake/locks/0.output.lock").exists()


# Two at once.


def test_a_second_workflow_with_the_same_files_is_told_of_the_first(project):
    first = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    wait_for((project / ".snakemake/locks/0.output.lock").exists, first)
    second = run_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    assert second.status != 0
    assert "Directory cannot be locked" in second.printed
    assert first.wait(PATIENCE) == 0, printed(project)[-3000:]


def test_two_scales_that_share_no_data_set_are_made_at_once(project):
    (project / "config/other.yaml").write_text(TINY.replace("scale: tiny", "scale: other"))
    first = start_snakemake(*COMMAND, "--", f"{TRAINED}.json", cwd=project)
    other = "results/other/blocks/evaluate/shapes10/standard/p1.0/e1/000-000.json"
    wait_for((project / ".snakemake/locks/0.output.lock").exists, first)
    second = run_snakemake(
        *("--cores", "1", "--configfile", "config/other.yaml", "--", other),
        cwd=project,
    )
    assert second.status == 0, second.printed[-3000:]
    assert first.wait(PATIENCE) == 0, printed(project)[-3000:]
    assert {path.name for path in (project / "results").iterdir()} == {"datasets", "tiny", "other"}


# Many interruptions, at random moments.

KILLS = 20


def random_victims(project, workflow, generator):
    """What to kill: snakemake alone, one of its jobs, or everything, as when the power fails."""
    kind = generator.choice(["snakemake", "a job", "everything"])
    jobs = jobs_in(project)
    if kind == "a job" and jobs:
        return kind, [generator.choice(jobs)]
    if kind == "everything":
        return kind, processes_in(project)
    return "snakemake", [psutil.Process(workflow.pid)]


def run_under_fire(project, kills, generator, start_up):
    """Start the workflow again and again, killing at random; the kinds of kills, until it ends.

    The delays are in units of ``start_up``, the seconds that snakemake takes to begin its work, so
    that a busy machine is killed at the same moments as an idle one.
    """
    killed = []
    while len(killed) < kills:
        workflow = start_snakemake(*COMMAND, "--", *TARGETS, cwd=project)
        while workflow.poll() is None and len(killed) < kills:
            time.sleep(start_up * generator.uniform(0.2, 6))
            if workflow.poll() is None:
                kind, victims = random_victims(project, workflow, generator)
                kill(victims)
                killed.append(kind)
                if kind != "a job":
                    break
        if workflow.wait(PATIENCE) == 0:
            break
    return killed


def test_killed_20_times_at_random_the_workflow_ends_with_the_files_of_an_uninterrupted_one(
    fresh, uninterrupted, tmp_path, capsys
):
    generator, killed, rounds = random.Random(0), [], 0  # noqa: S311
    while len(killed) < KILLS:
        rounds += 1
        project = fresh(tmp_path / f"round{rounds}")
        started = time.monotonic()
        run_snakemake("-n", *COMMAND, "--", *TARGETS, cwd=project)
        start_up = time.monotonic() - started
        killed += run_under_fire(project, KILLS - len(killed), generator, start_up)
        ended = run_snakemake(*COMMAND, "--", *TARGETS, cwd=project)
        assert ended.status == 0, ended.printed[-4000:]
        assert differences(project / "results", uninterrupted / "results") == set()
    kinds = {kind: killed.count(kind) for kind in sorted(set(killed))}
    with capsys.disabled():
        print(f"\n{len(killed)} kills in {rounds} workflows: {kinds}")

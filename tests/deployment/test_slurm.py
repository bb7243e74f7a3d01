"""The workflow on a real SLURM through the project's own profile, undisturbed and harmed."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from slurm_tools import (
    Cluster,
    account,
    ask,
    crash,
    field,
    mend,
    missing,
    partition,
    slurm_job_of,
    wait_until,
)
from workflow_tools import (
    USE_CONDA,
    job_counts,
    programs_seen,
    put_witness_into,
    skipped_without_conda,
)

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.workflow]


@pytest.fixture(scope="module", autouse=True)
def a_cluster():
    if reason := missing():
        pytest.skip(reason)


CONFIG = """
scale: cut
studies:
  mnist:
    dataset: mnist5k
    train_examples: 500
    training: {epochs: %d, batch_size: 50}
    evaluation: {autoattack_examples: 4, single_attack_examples: 8}
    experiments:
      accuracy: {methods: [random], p: [0.5], seeds: 1}
      table1: {methods: [random, low-loss], p: [0.5, 1.0], seeds: 2}
      pruning_epoch: {methods: [low-loss], p: [0.5], e: [1], seeds: 1}
      standard: {seeds: 1}
  cifar10:
    dataset: shapes10
    train_examples: 300
    training: {width: 0.0625, epochs: 2}
    evaluation: {autoattack_examples: 2, single_attack_examples: 4}
    experiments:
      accuracy: {methods: [random], p: [0.5], seeds: 1}
      standard: {seeds: 1}
"""
RUNS = "results/cut/runs/mnist5k"
BLOCKS = "results/cut/blocks"
START = "start/mnist5k/e1/000-029"
MINUTES = re.compile(r"(?:(\d+)-)?(\d+):(\d+):\d+")


def minutes(job):
    days, hours, more = MINUTES.fullmatch(field(job, "TimeLimit")).groups()
    return int(days or 0) * 1440 + int(hours) * 60 + int(more)


def megabytes(job):
    amount, unit = re.search(r"mem=(\d+)([MG])", field(job, "TRES")).groups()
    return int(amount) * (1024 if unit == "G" else 1)


def gpus(job):
    found = re.search(r"gres/gpu=(\d+)", field(job, "TRES"))
    return int(found.group(1)) if found else 0


def of_rule(jobs, rule):
    return [job for job in jobs if field(job, "Comment").startswith(f"rule_{rule}_")]


def shorten(profile, limit):
    """Ask for minutes that the partitions of a test cluster allow."""
    for resources in (profile["default-resources"], *profile["set-resources"].values()):
        if "runtime" in resources:
            resources["runtime"] = f"{limit} * attempt"


# From data to a table, stopped twice on the way.

SECONDS_TO_END = 6  # for a process that SLURM has told to


def as_a_user_would(profile):
    shorten(profile, 5)
    profile["default-resources"]["slurm_partition"] = partition()
    if account():
        profile["default-resources"]["slurm_account"] = account()
    for resources in profile["set-resources"].values():
        resources["mem_mb"] = "2000 * attempt"


class Interrupted:
    """A workflow that was stopped by INT and by TERM, and what was left of it each time."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.left = {}
        self.side_by_side = self.interrupt(
            signal.SIGINT, self.blocks_side_by_side, "two blocks in training at once"
        )
        self.interrupt(
            signal.SIGTERM, lambda: cluster.processes("evaluate"), "an evaluation that runs"
        )
        self.trained = self.times_of_training()
        cluster.start("table1")
        self.status = cluster.finish()

    def interrupt(self, sign, when, what):
        self.cluster.start("table1")
        seen = wait_until(when, what)
        self.cluster.snakemake.send_signal(sign)
        self.cluster.finish()
        time.sleep(SECONDS_TO_END)
        self.left[sign] = (self.cluster.queue(), self.cluster.processes())
        return seen

    def blocks_side_by_side(self):
        blocks = of_rule(self.cluster.queue(), "train")
        running = [job for job in blocks if field(job, "JobState") == "RUNNING"]
        return running if len(running) > 1 and self.cluster.processes("train") else None

    def times_of_training(self):
        found = self.cluster.folder.glob(f"{RUNS}/*/*/*/*/run.json")
        return {path: path.stat().st_mtime for path in found}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted") / "project"
    cluster = Cluster(folder, CONFIG % 12, as_a_user_would)
    try:
        yield Interrupted(cluster)
    finally:
        cluster.close()


def test_the_workflow_ends_well_after_it_was_stopped_twice(interrupted):
    assert interrupted.status == 0, interrupted.cluster.printed()[-4000:]


def test_the_table_has_all_runs(interrupted):
    rows = (interrupted.cluster.folder / "results/cut/tables/table1.csv").read_text().splitlines()
    assert len(rows) == 1 + 3


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_no_job_and_no_process_outlives_a_snakemake_that_was_stopped(interrupted, sign):
    assert interrupted.left[sign] == ([], [])


def test_what_was_trained_before_a_stop_is_not_trained_again(interrupted):
    assert len(interrupted.trained) == 3 * 2
    assert interrupted.times_of_training() == interrupted.trained
    assert "train" not in job_counts(interrupted.cluster.printed())


def test_every_job_is_in_the_partition_and_on_the_account_of_the_profile(interrupted):
    jobs = interrupted.cluster.jobs()
    assert {field(job, "Partition") for job in jobs} == {partition()}
    assert {field(job, "Account") for job in jobs} == {account() or "(null)"}


def test_no_job_is_requeued_by_slurm(interrupted):
    assert {field(job, "Requeue") for job in interrupted.cluster.jobs()} == {"0"}


def test_blocks_ask_for_one_gpu_and_run_side_by_side(interrupted):
    assert [gpus(job) for job in interrupted.side_by_side] == [1, 1]


@pytest.mark.parametrize("rule", ["start", "train", "evaluate"])
def test_jobs_on_data_ask_for_one_gpu(interrupted, rule):
    jobs = of_rule(interrupted.cluster.jobs(), rule)
    assert {gpus(job) for job in jobs} == {1}


def test_other_jobs_ask_for_none(interrupted):
    jobs = interrupted.cluster.jobs()
    others = [job for rule in ("dataset", "table1") for job in of_rule(jobs, rule)]
    assert {gpus(job) for job in others} == {0}


@pytest.mark.parametrize("block", [START, "train/mnist5k/full/p1.0/e1/000-029"])
def test_a_job_sees_the_gpu_that_slurm_gave_it(interrupted, block):
    text = (interrupted.cluster.folder / BLOCKS / f"{block}.log").read_text()
    assert re.search(r"given GPU \d+$", text, re.M)


def test_where_pytorch_cannot_use_the_gpu_the_device_is_the_cpu(interrupted):
    record = json.loads(
        (interrupted.cluster.folder / RUNS / "full/p1.0/e1/seed000/run.json").read_text()
    )
    assert record["provenance"]["device"].startswith("cpu")


def test_the_logs_of_slurm_jobs_that_ended_well_are_kept(interrupted):
    logs = interrupted.cluster.folder / ".snakemake/slurm_logs"
    assert list(logs.glob("rule_table1/*.log"))


# Harmed.

CANCELLED, CRASHED = (f"mnist5k/{method}/p0.5/e1" for method in ("low-loss", "random"))
FINISHED, CUT_OFF = "seed000", "seed001"  # of their two seeds


def node_to_crash():
    return ask("sinfo", "-N", "-h", "-o", "%N")[-1]


def from_less(growing, first):
    """The profile's own expression, but of a smaller number."""
    expression, count = re.subn(r"^\d+", str(first), growing)
    assert count == 1
    return expression


def in_harms_way(profile):
    """Too little memory and time where they are to run out; a node for the job that will crash.

    A GPU for the start alone, asked for as a gres.
    """
    rules, node = profile["set-resources"], node_to_crash()
    little_time = from_less(rules["dataset"]["runtime"], 1)
    shorten(profile, 5)
    for name in ("start", "train", "evaluate"):
        rules[name] |= {"gpu": 0, "mem_mb": "2000 * attempt"}
    rules["dataset"]["runtime"] = little_time
    rules["start"] |= {"mem_mb": "400 * attempt", "gres": "gpu:1"}
    profile["default-resources"]["slurm_extra"] = f"'--exclude={node}'"
    rules["train"]["slurm_extra"] = (
        f"'--nodelist={node}' if wildcards.method == 'random' and attempt == 1"
        f" else '--exclude={node}'"
    )


class Harmed:
    """A workflow of which jobs were cancelled, crashed, and starved of memory and time."""

    def __init__(self, cluster):
        self.cluster = cluster
        cluster.start(
            *(f"{BLOCKS}/train/{cell}/000-029.json" for cell in (CANCELLED, CRASHED)),
            "results/datasets/shapes10.safetensors",
        )
        slow = wait_until(lambda: cluster.processes("dataset", "shapes10"), "a data set's job")
        os.kill(slow[0], signal.SIGSTOP)  # until its time is over
        self.number, self.finished = {}, {}
        try:
            wait_until(self.harm_training, "training to cancel and to crash")
            self.status = cluster.finish()
            self.jobs = cluster.jobs()
        finally:
            mend(node_to_crash())

    def harm_training(self):
        """Harm each block whose second seed is in training; whether both are harmed."""
        for cell in {CANCELLED, CRASHED} - self.number.keys():
            if process := self.cluster.training(f"results/cut/runs/{cell}/{CUT_OFF}"):
                number = self.number[cell] = slurm_job_of(process)
                self.finished[cell] = self.files_of(cell, FINISHED)
                if cell == CANCELLED:
                    subprocess.run(["scancel", number], check=True)
                else:
                    crash(node_to_crash(), number)
        return len(self.number) == 2

    def files_of(self, cell, seed):
        """The files of a run, with the times when they were written."""
        folder = self.cluster.folder / "results/cut/runs" / cell / seed
        return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*")}

    def log_of(self, cell):
        return (self.cluster.folder / f"{BLOCKS}/train/{cell}/000-029.log").read_text()

    def states(self, cell):
        number = self.number[cell]
        return [field(job, "JobState") for job in self.jobs if field(job, "JobId") == number]


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("harmed") / "project", CONFIG % 60, in_harms_way)
    try:
        yield Harmed(cluster)
    finally:
        cluster.close()


def test_a_workflow_whose_jobs_were_harmed_ends_well(harmed):
    assert harmed.status == 0, harmed.cluster.printed()[-4000:]


@pytest.mark.parametrize("cell", [CANCELLED, CRASHED])
def test_training_that_was_cut_off_goes_on_from_its_checkpoint(harmed, cell):
    # And not from the start's, after epoch 1.
    assert re.search(rf"going on after epoch \d+, from \S+{cell}/{CUT_OFF}/", harmed.log_of(cell))


@pytest.mark.parametrize("cell", [CANCELLED, CRASHED])
def test_training_that_was_cut_off_loses_no_epoch(harmed, cell):
    curve = harmed.cluster.folder / f"results/cut/runs/{cell}/{CUT_OFF}/training.csv"
    rows = curve.read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [str(epoch) for epoch in range(1, 61)]


@pytest.mark.parametrize("cell", [CANCELLED, CRASHED])
def test_a_block_that_is_submitted_again_keeps_the_runs_that_are_finished(harmed, cell):
    assert {"run.json", "model.safetensors"} < harmed.finished[cell].keys()
    assert harmed.files_of(cell, FINISHED) == harmed.finished[cell]
    assert f"{cell}/{FINISHED} is there" in harmed.log_of(cell)


def test_a_cancelled_job_was_really_cancelled(harmed):
    assert harmed.states(CANCELLED) == ["CANCELLED"]


def test_a_crashed_node_really_failed_its_job(harmed):
    assert harmed.states(CRASHED) == ["NODE_FAIL"]


def test_a_job_over_its_memory_is_tried_again_with_more(harmed):
    *failed, last = of_rule(harmed.jobs, "start")
    assert failed
    assert field(last, "JobState") == "COMPLETED"
    asked = [megabytes(job) for job in (*failed, last)]
    assert asked == [400 * attempt for attempt in range(1, len(asked) + 1)]


def test_a_job_over_its_time_is_tried_again_with_more(harmed):
    jobs = [job for job in of_rule(harmed.jobs, "dataset") if "shapes10" in field(job, "Comment")]
    assert [field(job, "JobState") for job in jobs] == ["TIMEOUT", "COMPLETED"]
    assert [minutes(job) for job in jobs] == [1, 2]


def test_a_gpu_that_is_asked_for_as_a_gres_is_given(harmed):
    assert {gpus(job) for job in of_rule(harmed.jobs, "start")} == {1}
    log = (harmed.cluster.folder / BLOCKS / f"{START}.log").read_text()
    assert re.search(r"given GPU \d+$", log, re.M)


# SLURM and conda together.


@skipped_without_conda
def test_jobs_that_slurm_runs_are_in_condas_environments(tmp_path, conda_environments):
    environment = conda_environments["torch.yaml"]
    put_witness_into(environment)
    witness = tmp_path / "witness.jsonl"
    cluster = Cluster(tmp_path / "project", CONFIG % 2, as_a_user_would)
    try:
        cluster.start(
            f"{BLOCKS}/evaluate/mnist5k/standard/p1.0/e1/000-029.json",
            options=USE_CONDA,
            variables={"WITNESS": str(witness)},
        )
        assert cluster.finish() == 0, cluster.printed()[-4000:]
    finally:
        cluster.close()
    wanted = {(name, environment.resolve()) for name in ("dataset", "train", "evaluate")}
    assert programs_seen(witness) == wanted

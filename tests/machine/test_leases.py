"""GPUs are shared as promised: pretended ones, seen from inside the processes that use them."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest
from workflow_tools import PROJECT, copy_project, run_program, run_snakemake

from advprune.errors import UserError
from advprune.machine.leases import driver_failure, lease_gpu, visible_gpus

A, B, PART_1, PART_2 = "GPU-aaaa", "GPU-bbbb", "MIG-1111", "MIG-2222"
# Takes a lease, says so, and holds it as long as it is told to.
HOLD = """
import os, sys, time
from advprune.machine.leases import lease_gpu
sys.stdout.write(f"{lease_gpu(int(sys.argv[2]))} {time.monotonic()} ")
sys.stdout.flush()
time.sleep(float(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), time.monotonic())
"""


def pretend_gpus(folder, *lines):
    """A stand-in for nvidia-smi that lists GPUs; to be put on the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def line_of(uuid, *, part=False):
    return f"  MIG 1g.5gb Device 0: (UUID: {uuid})" if part else f"GPU 0: A100 (UUID: {uuid})"


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", pretend_gpus(tmp_path / "bin", line_of(A), line_of(B)))
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


# Which GPUs there are.


@pytest.mark.parametrize(
    ("named", "seen"),
    [
        pytest.param(None, [A, B], id="all where nothing is named"),
        pytest.param("1", [B], id="a number"),
        pytest.param("1,0", [B, A], id="in the order named"),
        pytest.param("GPU-bb", [B], id="the beginning of a UUID"),
        pytest.param("0,GPU-aaaa", [A], id="one GPU named twice"),
        pytest.param("0,7,1", [A], id="none after one that is not there"),
        pytest.param("-1", [], id="the usual way to name none"),
        pytest.param("", [], id="an empty list"),
        pytest.param("NoDevFiles", [], id="what SLURM says to a job without GPUs"),
    ],
)
def test_visible_gpus_are_those_that_the_environment_names(two_gpus, monkeypatch, named, seen):
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == seen


def test_of_a_divided_gpu_the_parts_are_visible(tmp_path, monkeypatch):
    lines = [line_of(A), line_of(PART_1, part=True), line_of(PART_2, part=True), line_of(B)]
    monkeypatch.setenv("PATH", pretend_gpus(tmp_path / "bin", *lines))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == [PART_1, PART_2, B]


@pytest.mark.parametrize(("named", "seen"), [(None, []), ("0,1", ["0", "1"])])
def test_without_nvidia_smi_only_named_gpus_are_visible(tmp_path, monkeypatch, named, seen):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == seen


# CUDA without nvidia-smi.

# Stands in for CUDA's library. Of divided GPUs CUDA shows a part, and not the whole.
LIBCUDA = r"""
#include <string.h>
int cuInit(int flags) { return STATUS; }
int cuGetErrorString(int status, const char **text) { *text = "not yet initialized"; return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strcpy(name, NAME); return 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) { memset(uuid, 0xaa + device, 16); return 0; }
"""
FIRST = "GPU-aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
SECOND = "GPU-abababab-abab-abab-abab-abababababab"


@pytest.fixture
def with_cuda(tmp_path, monkeypatch):
    """Puts a CUDA whose start ends with a status where the loader finds it."""

    def with_cuda(status, name="NVIDIA A100"):
        (tmp_path / "cuda.c").write_text(LIBCUDA)
        subprocess.run(
            [
                *("cc", "-shared", "-fPIC", f"-DSTATUS={status}", f'-DNAME="{name}"'),
                *("-o", "libcuda.so.1", "cuda.c"),
            ],
            cwd=tmp_path,
            check=True,
        )
        monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return with_cuda


needs_a_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@needs_a_compiler
@pytest.mark.parametrize(
    ("named", "seen"), [(None, [FIRST, SECOND]), ("1", [SECOND]), ("GPU-aa", [FIRST]), ("", [])]
)
def test_without_nvidia_smi_cuda_names_the_gpus(with_cuda, monkeypatch, named, seen):
    with_cuda(0)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert (visible_gpus(), driver_failure()) == (seen, "")


@needs_a_compiler
def test_a_part_of_a_gpu_has_a_parts_name(with_cuda):
    with_cuda(0, name="NVIDIA A100 MIG 1g.5gb")
    assert visible_gpus()[0] == FIRST.replace("GPU", "MIG")


@needs_a_compiler
def test_a_job_leases_a_gpu_that_cuda_alone_names(with_cuda, tmp_path, monkeypatch):
    with_cuda(0)
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    assert ended(start(0))[:2] == (FIRST, FIRST)


@needs_a_compiler
@pytest.mark.parametrize(
    ("status", "told"),
    [
        pytest.param(100, "", id="no GPU is no failure"),
        pytest.param(802, "CUDA: not yet initialized (status 802 of cuInit)", id="fails"),
    ],
)
def test_a_cuda_that_fails_is_quoted(with_cuda, status, told):
    with_cuda(status)
    assert (visible_gpus(), driver_failure()) == ([], told)


@pytest.mark.parametrize(
    ("printed", "status", "told"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch", 18, "version mismatch"),
        ("NVIDIA-SMI has failed because it could not communicate", 9, "could not communicate"),
        ("No devices were found", 6, ""),
        ("No devices were found", 0, ""),
    ],
)
def test_an_nvidia_smi_that_fails_is_quoted(tmp_path, monkeypatch, printed, status, told):
    path = pretend_gpus(tmp_path / "bin", printed)
    with open(tmp_path / "bin/nvidia-smi", "a") as file:
        file.write(f"exit {status}\n")
    monkeypatch.setenv("PATH", path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == []
    assert told in driver_failure()
    assert bool(told) == bool(driver_failure())


# Leases.


def start(seconds, jobs_per_gpu=1):
    """A process that leases a GPU for so many seconds."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(seconds), str(jobs_per_gpu)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow/scripts")},
    )


def ended(process):
    """What a holder said: the GPU it leased, that which CUDA was shown, and from when to when."""
    leased, since, shown, until = process.communicate(timeout=60)[0].split()
    return leased, shown, float(since), float(until)


def most_at_once(intervals):
    """How many of the intervals (since, until) overlap where most do."""
    return max(sum(a <= since < b for a, b in intervals) for since, _ in intervals)


def shares(reports):
    """For each GPU, how many held it at once."""
    return {
        gpu: most_at_once([(since, until) for leased, _, since, until in reports if leased == gpu])
        for gpu in {leased for leased, *_ in reports}
    }


@pytest.mark.parametrize("jobs_per_gpu", [1, 2])
def test_so_many_jobs_share_a_gpu_as_are_allowed_and_no_more(two_gpus, jobs_per_gpu):
    holders = [start(2.5, jobs_per_gpu) for _ in range(6)]
    assert shares([ended(holder) for holder in holders]) == {A: jobs_per_gpu, B: jobs_per_gpu}


def test_a_job_sees_the_gpu_that_it_leased_and_no_other(two_gpus):
    reports = [ended(holder) for holder in [start(0.5), start(0.5)]]
    assert sorted((leased, shown) for leased, shown, *_ in reports) == [(A, A), (B, B)]


def test_jobs_go_first_where_nobody_is(two_gpus):
    holders = [start(3, jobs_per_gpu=2) for _ in range(2)]
    assert {ended(holder)[0] for holder in holders} == {A, B}


def test_a_killed_job_gives_its_gpu_back_at_once(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    holder = start(600)
    assert holder.stdout.read(len(A)) == A
    waiting = start(0)
    time.sleep(1)
    assert waiting.poll() is None
    holder.kill()
    killed = time.monotonic()
    leased, _, since, _ = ended(waiting)
    assert leased == A
    assert 0 < since - killed < 5
    holder.wait()
    holder.stdout.close()


def test_a_job_that_was_promised_a_gpu_alone_stays_alone_beside_a_workflow_that_shares(
    two_gpus, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    alone = start(1.5, jobs_per_gpu=1)
    assert alone.stdout.read(len(B)) == B
    sharing = [start(0.5, jobs_per_gpu=4) for _ in range(2)]
    alone.wait(timeout=60)
    until = float(alone.stdout.read().split()[-1])
    assert all(ended(holder)[2] >= until for holder in sharing)
    alone.stdout.close()


def test_two_workflows_that_name_a_gpu_differently_do_not_meet_on_it(two_gpus, monkeypatch):
    holders = []
    for name in ("0", A):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", name)
        holders.append(start(1))
    assert shares([ended(holder) for holder in holders]) == {A: 1}


def test_leases_leave_no_files_behind_that_pile_up(two_gpus, tmp_path):
    for _ in range(3):
        ended(start(0))
    assert len(list((tmp_path / "leases").glob(f"{A}.*"))) == 1


def test_a_lease_folder_that_cannot_be_used_is_named(two_gpus, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "file/leases"))
    with pytest.raises(UserError, match=r"file/leases.*ADVPRUNE_LEASES"):
        lease_gpu(1)


# In the programs.


@pytest.mark.parametrize(
    ("program", "others"),
    [
        ("train", ["--runs", "missing", "--seeds", "0"]),
        ("start", ["--starts", "missing", "--seeds", "0"]),
        ("evaluate", ["missing"]),
    ],
)
def test_a_program_that_uses_a_gpu_leases_one(two_gpus, tmp_path, program, others):
    options = ["spec", "dataset", "block"]
    values = [part for option in options for part in (f"--{option}", tmp_path / "missing")] + others
    outcome = run_program(program, *values, cwd=PROJECT)
    assert f"working on GPU {A}" in outcome.printed


# In the workflow.

# In the place of train.py: leases as it does, and writes down when and where it ran.
STAND_IN = """
import argparse, os, time
from pathlib import Path
from advprune.machine.leases import lease_gpu
parser = argparse.ArgumentParser()
parser.add_argument("--jobs-per-gpu", type=int)
for name in ("spec", "seeds", "alone", "dataset", "device", "threads", "runs", "starts", "block"):
    parser.add_argument(f"--{name}")
options = parser.parse_args()
began = time.monotonic()
if options.device != "cpu":
    lease_gpu(options.jobs_per_gpu)
since = time.monotonic()
time.sleep(1.5)
Path(options.block).touch()
where = os.environ.get("CUDA_VISIBLE_DEVICES")
with open("jobs.txt", "a") as file:
    file.write(f"{where or 'none'} {began} {since} {time.monotonic()}\\n")
"""
# The runs without an adversary, which wait for no start, a job each.
FOUR_JOBS = """
execution: {seeds_per_job: 1}
studies: {mnist: {experiments: {standard: {seeds: 4}}}}
"""


@pytest.fixture
def trained_by_stand_in(two_gpus, tmp_path, monkeypatch):
    """Runs a few training jobs of the workflow; returns (GPU, began, since, until) of each."""

    def run(*arguments, gpus="0", config="execution: {threads: 1}"):
        project = copy_project(tmp_path / "project")
        (project / "workflow/scripts/train.py").write_text(STAND_IN)
        dataset = project / "results/datasets/mnist5k.safetensors"
        dataset.parent.mkdir(parents=True)
        dataset.touch()
        (project / "more.yaml").write_text(config)
        (project / "four.yaml").write_text(FOUR_JOBS)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
        folder = "results/smoke/blocks/train/mnist5k/standard/p1.0/e1"
        outcome = run_snakemake(
            *("--cores", "4", *arguments, "--configfile", "config/smoke.yaml"),
            *("four.yaml", "more.yaml", "--"),
            *(f"{folder}/{seed:03d}-{seed:03d}.json" for seed in range(4)),
            cwd=project,
        )
        assert outcome.status == 0, outcome.printed[-3000:]
        rows = [line.split() for line in (project / "jobs.txt").read_text().splitlines()]
        return [
            (gpu, float(began), float(since), float(until)) for gpu, began, since, until in rows
        ]

    return run


def started_at_once(jobs):
    return most_at_once([(began, until) for _, began, _, until in jobs])


@pytest.mark.slow
@pytest.mark.workflow
@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        pytest.param((), 1, id="no flags"),
        pytest.param(("--resources", "mem_mb=64000"), 1, id="another limit"),
        pytest.param(("--resources", "gpu=4"), 4, id="a limit beyond the GPUs"),
    ],
)
def test_four_cores_put_one_job_on_one_gpu_whatever_flags_are_given(
    trained_by_stand_in, arguments, started
):
    jobs = trained_by_stand_in(*arguments)
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 1}
    assert started_at_once(jobs) == started


@pytest.mark.slow
@pytest.mark.workflow
def test_four_cores_use_all_gpus_each_job_one_of_them(trained_by_stand_in):
    jobs = trained_by_stand_in(gpus="0,1")
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 1, B: 1}


@pytest.mark.slow
@pytest.mark.workflow
def test_the_config_lets_jobs_share_a_gpu(trained_by_stand_in):
    jobs = trained_by_stand_in(config="execution: {jobs_per_gpu: 2}")
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 2}


@pytest.mark.slow
@pytest.mark.workflow
@pytest.mark.parametrize(
    ("gpus", "config"),
    [
        pytest.param("", "execution: {threads: 1}", id="none there"),
        pytest.param("0", "execution: {device: cpu}", id="not to be used"),
    ],
)
def test_without_gpus_as_many_jobs_run_as_there_are_cores(trained_by_stand_in, gpus, config):
    jobs = trained_by_stand_in(gpus=gpus, config=config)
    assert (Counter(gpu for gpu, *_ in jobs), started_at_once(jobs)) == ({gpus or "none": 4}, 4)

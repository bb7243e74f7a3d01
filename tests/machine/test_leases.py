"""GPUs are shared as promised: pretended ones, seen from inside the processes that use them."""

import os
import select
import shutil
import subprocess
import sys
import time

import pytest
from pretended_gpus import PART_1, PART_2, A, B, line_of, pretend_gpus, shares
from workflow_tools import PROJECT, run_program

from advprune.errors import UserError
from advprune.machine.leases import driver_failure, lease_gpu, visible_gpus

# Takes a lease, says so, and holds it until a file is there.
HOLD = """
import os, sys, time
from advprune.machine.leases import lease_gpu
sys.stdout.write(f"{lease_gpu(int(sys.argv[1]))} {time.monotonic()} ")
sys.stdout.flush()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
print(os.environ.get("CUDA_VISIBLE_DEVICES"), time.monotonic())
"""
A_WHILE = 0.5  # seconds for what must not happen
PATIENCE = 120  # seconds for what must


@pytest.fixture
def release(tmp_path):
    """The file at whose coming all leases are given back."""
    return tmp_path / "release"


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
def test_a_job_leases_a_gpu_that_cuda_alone_names(with_cuda, release, tmp_path, monkeypatch):
    with_cuda(0)
    release.touch()
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    assert ended(start(release))[:2] == (FIRST, FIRST)


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


def start(release, jobs_per_gpu=1):
    """A process that leases a GPU and holds it until the release."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(jobs_per_gpu), release],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow/scripts")},
    )


def holding(processes):
    """How many have leased a GPU, and so have said it."""
    return len(select.select([process.stdout for process in processes], [], [], 0)[0])


def wait_for_leases(number, processes):
    end = time.monotonic() + PATIENCE
    while holding(processes) < number:
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process):
    """What a holder said: the GPU it leased, that which CUDA was shown, and from when to when."""
    leased, since, shown, until = process.communicate(timeout=PATIENCE)[0].split()
    return leased, shown, float(since), float(until)


@pytest.mark.parametrize("jobs_per_gpu", [1, 2])
def test_so_many_jobs_share_a_gpu_as_are_allowed_and_no_more(two_gpus, release, jobs_per_gpu):
    holders = [start(release, jobs_per_gpu) for _ in range(6)]
    wait_for_leases(2 * jobs_per_gpu, holders)
    time.sleep(A_WHILE)
    release.touch()
    assert shares([ended(holder) for holder in holders]) == {A: jobs_per_gpu, B: jobs_per_gpu}


def test_a_job_sees_the_gpu_that_it_leased_and_no_other(two_gpus, release):
    holders = [start(release), start(release)]
    wait_for_leases(2, holders)
    release.touch()
    reports = map(ended, holders)
    assert sorted((leased, shown) for leased, shown, *_ in reports) == [(A, A), (B, B)]


def test_jobs_go_first_where_nobody_is(two_gpus, release):
    holders = [start(release, jobs_per_gpu=2) for _ in range(2)]
    wait_for_leases(2, holders)
    release.touch()
    assert {ended(holder)[0] for holder in holders} == {A, B}


def test_a_killed_job_gives_its_gpu_back(two_gpus, release, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    holder = start(release)
    wait_for_leases(1, [holder])
    waiting = start(release)
    time.sleep(A_WHILE)
    assert holding([waiting]) == 0
    killed = time.monotonic()
    holder.kill()
    wait_for_leases(1, [waiting])
    release.touch()
    leased, _, since, _ = ended(waiting)
    assert leased == A
    assert killed < since
    holder.communicate()


def test_a_job_that_was_promised_a_gpu_alone_stays_alone_beside_a_workflow_that_shares(
    two_gpus, release, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    alone = start(release, jobs_per_gpu=1)
    wait_for_leases(1, [alone])
    sharing = [start(release, jobs_per_gpu=4) for _ in range(2)]
    time.sleep(A_WHILE)
    release.touch()
    until = ended(alone)[-1]
    assert all(ended(holder)[2] >= until for holder in sharing)


def test_two_workflows_that_name_a_gpu_differently_do_not_meet_on_it(
    two_gpus, release, monkeypatch
):
    holders = []
    for name in ("0", A):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", name)
        holders.append(start(release))
    wait_for_leases(1, holders)
    time.sleep(A_WHILE)
    release.touch()
    assert shares([ended(holder) for holder in holders]) == {A: 1}


def test_leases_leave_no_files_behind_that_pile_up(two_gpus, release, tmp_path):
    release.touch()
    for _ in range(3):
        ended(start(release))
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

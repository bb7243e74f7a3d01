"""Jobs of the workflow share pretended GPUs as the config allows, and no further."""

from collections import Counter

import pytest
from pretended_gpus import A, B, most_at_once, shares
from workflow_tools import copy_project, run_snakemake

pytestmark = pytest.mark.workflow

# In the place of train.py: leases as it does, and writes down when and where it ran. It ends when
# so many of its kind have begun, and so many have leased, as the test says.
STAND_IN = """
import argparse, glob, os, time
from pathlib import Path
from advprune.machine.leases import lease_gpu
parser = argparse.ArgumentParser()
parser.add_argument("--jobs-per-gpu", type=int)
for name in ("spec", "seeds", "alone", "dataset", "device", "threads", "runs", "starts", "block"):
    parser.add_argument(f"--{name}")
options = parser.parse_args()
began = time.monotonic()
Path(f"{os.getpid()}.began").touch()
if options.device != "cpu":
    lease_gpu(options.jobs_per_gpu)
since = time.monotonic()
Path(f"{os.getpid()}.leased").touch()
for kind in ("began", "leased"):
    while len(glob.glob(f"*.{kind}")) < int(os.environ[kind]) and time.monotonic() < since + 60:
        time.sleep(0.02)
time.sleep(0.5)
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
    """Runs four training jobs of the workflow; returns (GPU, began, since, until) of each."""

    def run(*arguments, began, leased, gpus="0", config="execution: {threads: 1}"):
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
            variables={"began": str(began), "leased": str(leased)},
        )
        assert outcome.status == 0, outcome.printed[-3000:]
        rows = [line.split() for line in (project / "jobs.txt").read_text().splitlines()]
        return [
            (gpu, float(began), float(since), float(until)) for gpu, began, since, until in rows
        ]

    return run


def started_at_once(jobs):
    return most_at_once([(began, until) for _, began, _, until in jobs])


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
    jobs = trained_by_stand_in(*arguments, began=started, leased=1)
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 1}
    assert started_at_once(jobs) == started


def test_four_cores_use_all_gpus_each_job_one_of_them(trained_by_stand_in):
    jobs = trained_by_stand_in(began=2, leased=2, gpus="0,1")
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 1, B: 1}


def test_the_config_lets_jobs_share_a_gpu(trained_by_stand_in):
    jobs = trained_by_stand_in(began=2, leased=2, config="execution: {jobs_per_gpu: 2}")
    assert shares([(gpu, gpu, since, until) for gpu, _, since, until in jobs]) == {A: 2}


@pytest.mark.parametrize(
    ("gpus", "config"),
    [
        pytest.param("", "execution: {threads: 1}", id="none there"),
        pytest.param("0", "execution: {device: cpu}", id="not to be used"),
    ],
)
def test_without_gpus_as_many_jobs_run_as_there_are_cores(trained_by_stand_in, gpus, config):
    jobs = trained_by_stand_in(began=4, leased=4, gpus=gpus, config=config)
    assert (Counter(gpu for gpu, *_ in jobs), started_at_once(jobs)) == ({gpus or "none": 4}, 4)

"""Hundreds of runs end to end: what grows, and what is left behind.

Five hundred take about three quarters of an hour on two cores: it runs only where ADVPRUNE_SOAK
says how many.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from workflow_tools import copy_project

from advprune.analysis.run_table import read_runs
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.workflow,
    pytest.mark.skipif(
        "ADVPRUNE_SOAK" not in os.environ,
        reason="three quarters of an hour: ADVPRUNE_SOAK=500 make test-all",
    ),
]

RUNS = int(os.environ.get("ADVPRUNE_SOAK", "500"))
SEEDS = (RUNS - 4) // 2  # each with and without pruning; the other four are no seeds of these
CONFIG = {
    "scale": "soak",
    "studies": {
        "mnist": {
            "dataset": "mnist5k",
            "train_examples": 100,
            "training": {"epochs": 1, "batch_size": 50},
            "evaluation": {"autoattack_examples": 1, "single_attack_examples": 1},
            "experiments": {
                "accuracy": {"methods": ["random"], "p": [0.5, 1.0], "e": [1], "seeds": SEEDS},
                "table1": {"methods": ["random"], "p": [0.5, 1.0], "e": [1], "seeds": 1},
                "pruning_epoch": {"methods": ["random"], "p": [0.5], "e": [1], "seeds": 1},
                "standard": {"methods": ["standard"], "p": [1.0], "e": [1], "seeds": 1},
            },
        },
        "cifar10": {
            "dataset": "shapes10",
            "train_examples": 100,
            "training": {"width": 0.0625, "epochs": 1},
            "evaluation": {"autoattack_examples": 1, "single_attack_examples": 1},
            "experiments": {
                "accuracy": {"methods": ["random"], "p": [0.5, 1.0], "e": [1], "seeds": 1},
                "standard": {"methods": ["standard"], "p": [1.0], "e": [1], "seeds": 1},
            },
        },
    },
    "figure2": {"examples": 100},
    "appendix_c": {"points": 1000, "seeds": 2},
}


def resident_mebibytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.fixture(scope="module")
def soaked(tmp_path_factory) -> tuple[Path, list[float]]:
    """The project after all runs, and the scheduler's memory, sampled from its first job on."""
    project = copy_project(tmp_path_factory.mktemp("soak") / "project")
    config = project / "config/soak.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    assert len(runs_of("all", load_config(config))) == 2 * SEEDS + 4
    memory = []
    with open(project / "printed", "w") as printed:
        scheduler = subprocess.Popen(
            [
                Path(sys.executable).with_name("snakemake"),
                *("--cores", str(os.cpu_count()), "--configfile", config),
            ],
            cwd=project,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        while scheduler.poll() is None:
            if (project / "results/soak/runs").exists():
                memory.append(resident_mebibytes(scheduler.pid))
            time.sleep(5)
    assert scheduler.returncode == 0, (project / "printed").read_text()[-3000:]
    print(f"{len(memory) * 5} s; the scheduler's memory: {memory[0]:.0f} to {max(memory):.0f} MiB")
    return project, memory


def test_every_run_is_in_the_table(soaked):
    project, _ = soaked
    assert len(read_runs(project / "results/soak/runs.csv")) == 2 * SEEDS + 4


def test_the_schedulers_memory_stays_flat(soaked):
    _, memory = soaked
    half = len(memory) // 2
    assert max(memory[half:]) < 1.15 * max(memory[:half])


def test_no_temporary_file_lock_or_checkpoint_is_left(soaked):
    project, _ = soaked
    left = [
        path
        for path in (project / "results").rglob("*")
        if path.name.startswith(".") or "checkpoint" in path.name or path.suffix == ".lock"
    ]
    assert left == []
    assert list((project / ".snakemake").glob("locks/*")) == []


def test_no_process_is_left(soaked):
    project, _ = soaked
    working = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            working.append(entry.readlink())
        except OSError:  # it ended meanwhile, or belongs to someone else
            continue
    assert project not in working

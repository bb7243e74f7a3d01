#!/usr/bin/env python3
"""Planning: what `snakemake -n` takes, for the paper and for ten times its seeds."""

import shutil
import sys
import tempfile
from pathlib import Path

import yaml

import measuring
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of

ROUNDS, TIMES = 3, 10
PARTS = ("Snakefile", "rules", "workflow", "config", "envs", "profiles", "report")
CONFIGS = {False: "config/config.yaml", True: "config/smoke.yaml"}  # if tiny


def copy_project(folder: Path) -> None:
    """Copy what the workflow is made of: results that are there already would shorten the plan."""
    for part in PARTS:
        source = measuring.PROJECT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / part)


def with_more_seeds(config: Path, overlay: Path) -> None:
    """Write an overlay that asks for ten times as many seeds of everything."""
    studies = load_config(config)["studies"]
    more = {
        study: {
            "experiments": {
                name: {"seeds": TIMES * experiment["seeds"]}
                for name, experiment in settings["experiments"].items()
            },
            "scores": {"seeds": TIMES * settings["scores"]["seeds"]},
        }
        for study, settings in studies.items()
    }
    overlay.write_text(yaml.safe_dump({"studies": more}))


def plan(folder: Path, *configs: str) -> list[float]:
    """CPU seconds, seconds and peak memory in MB of planning."""
    snakemake = Path(sys.executable).with_name("snakemake")
    options = ["-n", "--quiet", "--cores", "2", "--configfile", *configs]
    return measuring.taken_by([snakemake, *options], folder)


def measure(table: measuring.Table, tiny: bool) -> None:
    """Plan both."""
    config = CONFIGS[tiny]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        with_more_seeds(folder / config, folder / "more.yaml")
        for configs in ([config], [config, "more.yaml"]):
            runs = len(runs_of("all", load_config(*(folder / each for each in configs))))
            found = [plan(folder, *configs) for _ in range(1 if tiny else ROUNDS)]
            for place, unit in enumerate(("CPU seconds", "seconds", "MB")):
                table.add("snakemake -n", f"{runs:,} runs", unit, [each[place] for each in found])


if __name__ == "__main__":
    measuring.run_benchmark("planning", __doc__, measure)

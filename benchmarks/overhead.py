#!/usr/bin/env python3
"""Overhead: what programs take before they work, and what a job costs around its program."""

import subprocess
import sys
import tempfile
from pathlib import Path

import measuring

ROUNDS = 3
IMPORTS = ("torch", "advprune.training.runs", "advprune.evaluation.runs", "pandas")
PROGRAMS = sorted((measuring.PROJECT / "workflow/scripts").glob("*.py"))
JOBS = 20
# A job that does nothing, and so many that each need the one before.
SNAKEFILE = """
rule all:
    input: f"{config['jobs']}.done"
rule first:
    output: "0.done"
    shell: "touch {output}"
rule job:
    input: lambda wildcards: f"{int(wildcards.number) - 1}.done"
    output: "{number,[1-9][0-9]*}.done"
    shell: "touch {output}"
"""


def python(*arguments: str | Path) -> None:
    """Run this Python where the library is found."""
    measuring.run([sys.executable, *arguments], cwd=measuring.PROJECT / "workflow/scripts")


def jobs(count: int) -> None:
    """Run Snakemake on so many jobs that do nothing."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Snakefile").write_text(SNAKEFILE)
        snakemake = Path(sys.executable).with_name("snakemake")
        command = [snakemake, "--cores", "1", "--quiet", "--config", f"jobs={count}"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def measure(table: measuring.Table, tiny: bool) -> None:
    """Measure imports, programs and Snakemake's part."""
    rounds = 1 if tiny else ROUNDS
    ways = {"python": lambda: python("-c", "")}
    for name in IMPORTS[:1] if tiny else IMPORTS:
        ways[f"import {name}"] = lambda name=name: python("-c", f"import {name}")
    for path in PROGRAMS[:1] if tiny else PROGRAMS:
        ways[f"{path.name} --help"] = lambda path=path: python(path, "--help")
    clock = measuring.children_seconds
    for name, seconds in measuring.interleaved(ways, rounds=rounds, clock=clock).items():
        table.add("start", name, "CPU seconds", seconds)

    count = 2 if tiny else JOBS
    ways = {"none": lambda: jobs(0), "some": lambda: jobs(count)}
    seconds = measuring.interleaved(ways, rounds=1 if tiny else 3, clock=clock)
    table.add("snakemake", "with a job", "CPU seconds", seconds["none"])
    each = [(some - none) / count for none, some in zip(*seconds.values(), strict=True)]
    table.add("snakemake", "each further job", "CPU seconds", each)


if __name__ == "__main__":
    measuring.run_benchmark("overhead", __doc__, measure)

"""Running the project's programs and its workflow as a user does, in a copy of the project."""

import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PARTS = ("Snakefile", "rules", "workflow", "config", "envs", "profiles", "report")


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit status, all that it printed, and the CPU seconds it took."""

    status: int
    printed: str
    cpu_seconds: float


def copy_project(folder: Path) -> Path:
    """Copy what the workflow is made of, and no results, into a new folder."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, folder / part, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, folder / part)
    return folder


def run_snakemake(*arguments: str | Path, cwd: Path) -> Outcome:
    """Run the snakemake that belongs to this Python."""
    return _run([Path(sys.executable).with_name("snakemake"), *arguments], cwd)


def run_program(name: str, *arguments: str | Path, cwd: Path) -> Outcome:
    """Run one of the programs in workflow/scripts."""
    return _run([sys.executable, cwd / f"workflow/scripts/{name}.py", *arguments], cwd)


def job_counts(printed: str) -> dict[str, int]:
    """Rule to number of jobs, from the job stats that a dry run prints first."""
    stats = printed.partition("Job stats:")[2].partition("\n\n")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}


def _run(command: list[str | Path], cwd: Path) -> Outcome:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Outcome(ended.returncode, ended.stdout, cpu_seconds)

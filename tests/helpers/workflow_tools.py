"""Running the project's programs and its workflow as a user does, in a copy of the project."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SMOKE = ("--cores", "2", "--configfile", "config/smoke.yaml")
# As make calls it: without reasons, which list files.
BRIEFLY = ("--quiet", "reason")
PARTS = ("Snakefile", "rules", "workflow", "config", "envs", "profiles", "report")

# Put into an environment: Python loads it before a program, and it says which one runs what.
WITNESS = """
import json, os, sys
if "WITNESS" in os.environ:
    with open(os.environ["WITNESS"], "a") as file:
        file.write(json.dumps([sys.prefix, sys.orig_argv]) + "\\n")
"""
# Run rules in conda's environments. They lie in the checkout and not in the copies of it, so they
# are made once; Snakemake makes one again when its file has changed.
USE_CONDA = ("--use-conda", "--conda-prefix", PROJECT / ".snakemake/conda-of-tests")
skipped_without_conda = pytest.mark.skipif(
    shutil.which("conda") is None, reason="conda is not on the PATH"
)
needs_conda = [pytest.mark.conda, skipped_without_conda]


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


def run_snakemake(
    *arguments: str | Path, cwd: Path, variables: Mapping[str, str] | None = None
) -> Outcome:
    """Run the snakemake that belongs to this Python, with these environment variables besides."""
    command = [Path(sys.executable).with_name("snakemake"), *arguments]
    return _run(command, cwd, variables)


def start_snakemake(*arguments: str | Path, cwd: Path, printed: Path) -> subprocess.Popen:
    """Start it, and do not wait for its end; what it prints goes into the file ``printed``."""
    with open(printed, "w") as file:
        return subprocess.Popen(
            [Path(sys.executable).with_name("snakemake"), *map(str, arguments)],
            cwd=cwd,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def run_program(name: str, *arguments: str | Path, cwd: Path) -> Outcome:
    """Run one of the programs in workflow/scripts."""
    return _run([sys.executable, cwd / f"workflow/scripts/{name}.py", *arguments], cwd)


def make_conda_environments(project: Path) -> dict[str, Path]:
    """Make the conda environments of all rules, with PyTorch's build for GPUs too.

    Args:
        project: where to make the copy of the project that Snakemake is started in.

    Returns:
        The name of each environment file to the folder of its environment.
    """
    copy_project(project)
    found = {}
    for device in ("auto", "cuda"):
        overlay = project / f"{device}.yaml"
        overlay.write_text(f"execution: {{device: {device}}}")
        arguments = (*SMOKE, overlay, *USE_CONDA)
        # So that conda takes CUDA's packages on a machine without a GPU.
        variables = {"CONDA_OVERRIDE_CUDA": "12.9"} if device == "cuda" else {}
        made = run_snakemake(
            *arguments, "--conda-create-envs-only", cwd=project, variables=variables
        )
        assert made.status == 0, made.printed[-4000:]
        listed = run_snakemake(*arguments, "--list-conda-envs", cwd=project)
        found |= {
            Path(name).name: project / folder
            for name, folder in re.findall(r"^(\S+\.yaml)\t\S*\t(\S+)$", listed.printed, re.M)
        }
    return found


def job_counts(printed: str) -> dict[str, int]:
    """Rule to number of jobs, from the job stats that a dry run prints first."""
    stats = printed.partition("Job stats:")[2].partition("\n\n")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}


def put_witness_into(environment: Path) -> Path:
    """Let an environment's Python write what it runs into the file that $WITNESS names.

    Returns:
        The folder of its packages.
    """
    (packages,) = environment.glob("lib/python3.*/site-packages")
    (packages / "sitecustomize.py").write_text(WITNESS)
    return packages


def programs_seen(witness: Path) -> set[tuple[str, Path]]:
    """The project's programs that were run, each with the environment of the Python that did."""
    seen = [json.loads(line) for line in witness.read_text().splitlines()]
    return {
        (Path(argument).stem, Path(prefix).resolve())
        for prefix, command in seen
        for argument in command
        if argument.startswith("workflow/scripts/")
    }


def _run(
    command: list[str | Path], cwd: Path, variables: Mapping[str, str] | None = None
) -> Outcome:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Outcome(ended.returncode, ended.stdout, cpu_seconds)

"""What this machine has and lacks for running a config, each with the next step to take.

Each check asks the machine one thing and returns findings; none raises.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from packaging.requirements import Requirement

from advprune.data.examples import load_examples
from advprune.data.published import PUBLISHED, PublishedFiles, check_root, checked_files, find_files
from advprune.errors import UserError
from advprune.machine.devices import gpu_trouble
from advprune.machine.leases import visible_gpus
from advprune.paths import LOCK, RUNS, TRAINED_FILES
from advprune.plan.blocks import JOB_MEMORY_MB
from advprune.plan.config import Config, study_of
from advprune.preflight.estimate import all_work, work_by_dataset
from advprune.spec.datasets import DATASETS
from advprune.storage.files import has_files

OLDEST_PYTHON = (3, 11)
OLDEST_CONDA = (24, 7, 1)
NAMED_PACKAGES = ("torch", "pyautoattack", "snakemake", "numpy", "pandas", "scipy", "safetensors")
ANSWER_SECONDS = 10
# What a run leaves behind, mostly its weights and its images' verdicts, in MiB for full width.
RUN_MEBIBYTES = {"mnist_cnn": 2.0}
OTHER_RUN_MEBIBYTES = 48.0


class State(StrEnum):
    """How a finding bears on the config that was asked about."""

    OK = "ok"
    NOTE = "--"  # missing, and not needed for the config by itself
    FAILS = "NO"  # the config cannot run without it


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        state: whether it is there, or how much it is missed.
        subject: what was looked at.
        found: what there is.
        advice: the next step; empty where there is none to take.
    """

    state: State
    subject: str
    found: str
    advice: str = ""


def examine(config: Config, *, jobs: int, root: Path | None, results: Path) -> Iterator[Finding]:
    """All findings for a config.

    Args:
        config: whole and checked.
        jobs: how many jobs are to run side by side.
        root: the folder of data sets that is named, or None.
        results: where results go; it need not exist.
    """
    yield python()
    yield packages()
    yield snakemake()
    yield home()
    yield memory(jobs)
    yield disk(config, results)
    yield graphics(config)
    for name in work_by_dataset(config):
        yield dataset(name, root, results.parent / "datasets")
    yield conda()
    yield container()
    yield slurm()


def python() -> Finding:
    """The Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding(State.OK, "Python", version)
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        State.FAILS, "Python", f"{version}, older than {wanted}", "make PYTHON=python3.12 …"
    )


def packages() -> Finding:
    """Whether the locked packages are installed in their versions."""
    pins = map(Requirement, re.findall(r"^\w\S*==[^\n\\]+", LOCK.read_text(), re.M))
    wanted = {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if not pin.marker or pin.marker.evaluate()
    }
    other = []
    for name in NAMED_PACKAGES:
        try:
            found = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return Finding(State.FAILS, "packages", f"{name} is missing", "make .venv/installed")
        if found != wanted[name]:
            other.append(f"{name} {found} where {wanted[name]} is locked")
    if other:
        return Finding(State.NOTE, "packages", "; ".join(other), "make clean .venv/installed")
    return Finding(State.OK, "packages", "as locked")


def snakemake() -> Finding:
    """Whether the command ``snakemake`` is that of the environment that this runs in."""
    ours = Path(sys.executable).parent
    found = shutil.which("snakemake")
    if found and Path(found).parent.resolve() == ours.resolve():
        return Finding(State.OK, "snakemake", found)
    activate = ours / "activate"
    return Finding(
        State.NOTE,
        "snakemake",
        f"the command is {found}, of another environment" if found else "not on the PATH",
        f". {activate}" if activate.exists() else f"{ours}/snakemake",
    )


def home() -> Finding:
    """Whether Snakemake can write its cache, which it does before anything else."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        return Finding(
            State.FAILS,
            "home",
            f"{cache} cannot be written ({error.strerror}), and Snakemake does not start so",
            "name a folder that can be: export HOME=…, or XDG_CACHE_HOME=… for caches alone",
        )
    return Finding(State.OK, "home", f"{cache} can be written")


def memory(jobs: int) -> Finding:
    """Whether the jobs that are to run side by side fit into memory."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = f"{total:.1f} GiB, {os.cpu_count()} cores"
    fitting = int(1024 * total / JOB_MEMORY_MB)
    if jobs <= max(fitting, 1):
        return Finding(State.OK, "memory", found)
    return Finding(
        State.NOTE, "memory", f"{found}: {jobs} jobs may not fit", f"--cores {max(fitting, 1)}"
    )


def disk(config: Config, results: Path) -> Finding:
    """Whether the results that are not there yet fit on the disk, those of variants too."""
    there = next(
        path for path in (results.absolute(), *results.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(there).free / 2**30
    mebibytes = sum(
        _mebibytes(run.dataset, asked)
        for _, work, asked, scale in all_work(config, results)
        for run in work.runs
        if not has_files(scale / RUNS / run.folder, TRAINED_FILES)
    )
    needed = mebibytes / 1024
    found = f"{free:.1f} GiB free, about {needed:.1f} GiB needed"
    if not os.access(there, os.W_OK):
        return Finding(State.FAILS, "disk", f"{there} cannot be written", "work in another folder")
    if free < needed:
        return Finding(State.FAILS, "disk", found, "free some space, or take a smaller config")
    return Finding(State.OK, "disk", found)


def _mebibytes(name: str, config: Config) -> float:
    training = study_of(name, config)["training"]
    whole = RUN_MEBIBYTES.get(training["network"], OTHER_RUN_MEBIBYTES)
    return whole * min(1.0, training["width"]) ** 2 + 0.5


def graphics(config: Config) -> Finding:
    """The GPUs that jobs use."""
    missed = State.FAILS if config["execution"]["device"] == "cuda" else State.NOTE
    wrong, remedy = gpu_trouble()
    if wrong:
        return Finding(missed, "GPUs", f"none is used: {wrong}", remedy)
    if visible_gpus():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding(State.OK, "GPUs", ", ".join(names))
    if missed is State.FAILS:
        return Finding(
            missed,
            "GPUs",
            "none, and the config asks for one (execution.device: cuda)",
            "set execution.device to auto or cpu",
        )
    return Finding(missed, "GPUs", "none: training runs on the CPU")


def dataset(name: str, root: Path | None, folder: Path) -> Finding:
    """Whether a data set is there, or can be had."""
    subject = f"data: {DATASETS[name].title}"
    made = folder / f"{name}.safetensors"
    if made.exists():
        try:
            for part in ("train", "test"):
                load_examples(made, name, part)
        except UserError as error:
            return Finding(State.FAILS, subject, str(error))
        return Finding(State.OK, subject, str(made))
    try:
        check_root(root)
    except UserError as error:
        advice = "name one that is there, or none: data_root: null, unset ADVPRUNE_DATA"
        return Finding(State.FAILS, subject, str(error), advice)
    if name not in PUBLISHED:
        return Finding(State.OK, subject, f"needs no file: {DATASETS[name].load}")
    files = PUBLISHED[name]
    try:
        place = find_files(files, root)
        if place is not None:
            for _ in checked_files(files, place):
                pass
            return Finding(State.OK, subject, f"in {place}, checksums right")
    except UserError as error:
        return Finding(State.FAILS, subject, str(error), "fetch the file again")
    return _downloadable(files, subject)


def _downloadable(files: PublishedFiles, subject: str) -> Finding:
    answers = [mirror for mirror in files.mirrors if _answers(mirror)]
    if answers:
        return Finding(State.OK, subject, f"not here; {answers[0]} answers and will be asked")
    return Finding(
        State.FAILS,
        subject,
        "not here, and no mirror answers",
        f"put {files.folder}/ into a folder and name it in ADVPRUNE_DATA, or use the stand-in "
        f"{files.alternative} as config/quick.yaml does",
    )


def _answers(url: str) -> bool:
    """Whether anything answers at an address, be it that there is no such page."""
    try:
        urllib.request.urlopen(url, timeout=ANSWER_SECONDS).close()  # noqa: S310, https only
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def conda() -> Finding:
    """For ``--use-conda``."""
    subject, page = "conda", "docs/running.md"
    answer = _asked("conda", "--version")
    if answer is None:
        return Finding(State.NOTE, subject, "none: --use-conda cannot be used", page)
    version = tuple(map(int, re.findall(r"\d+", answer)[:3]))
    if version < OLDEST_CONDA:
        wanted = ".".join(map(str, OLDEST_CONDA))
        return Finding(
            State.NOTE, subject, f"{answer.strip()}, older than {wanted}", "conda update conda"
        )
    return Finding(State.OK, subject, answer.strip())


def container() -> Finding:
    """For ``--sdm apptainer`` or running in the image of the Dockerfile."""
    there = [name for name in ("apptainer", "docker", "podman") if shutil.which(name)]
    if there:
        return Finding(State.OK, "container", ", ".join(there), "docs/running.md")
    return Finding(State.NOTE, "container", "neither apptainer, docker nor podman")


def slurm() -> Finding:
    """For ``--workflow-profile profiles/slurm``."""
    if not shutil.which("sbatch"):
        return Finding(State.NOTE, "SLURM", "no sbatch on the PATH: jobs run on this machine")
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return Finding(State.NOTE, "SLURM", "sbatch, but not Snakemake's plugin", "make slurm")
    answer = _asked("scontrol", "ping")
    if answer is None or "UP" not in answer:
        return Finding(
            State.NOTE, "SLURM", "no controller answers `scontrol ping`", "ask whoever runs it"
        )
    return Finding(State.OK, "SLURM", "sbatch, the plugin, and a controller that answers")


def _asked(*command: str) -> str | None:
    """What a program prints; None if it is missing, fails or does not answer in time."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout

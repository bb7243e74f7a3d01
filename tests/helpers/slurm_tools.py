"""Running the workflow on SLURM, and harming it: for a cluster whose nodes are on this machine."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from workflow_tools import copy_project

from advprune.paths import checkpoint_of

PATIENCE = 180  # seconds until something that must happen has not


def missing() -> str | None:
    """Why the tests cannot run here."""
    if not shutil.which("sbatch"):
        return "no sbatch on the PATH"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "Snakemake's SLURM plugin is not installed: make slurm"
    nodes = ask("scontrol", "show", "node", "-o")
    if {field(line, "NodeHostName") for line in nodes} != {os.uname().nodename.split(".")[0]}:
        return "SLURM does not answer, or has nodes that are not on this machine, to be harmed"
    return None


def ask(*command: str) -> list[str]:
    """The lines that a command of SLURM prints."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return []
    return answer.stdout.splitlines()


def partition() -> str:
    """A partition that jobs do not go to by themselves, if there is one; it must have GPUs."""
    names = ask("sinfo", "-h", "-o", "%P")
    return next((name for name in names if not name.endswith("*")), names[0].rstrip("*"))


def account() -> str | None:
    """An account of the user's, if the cluster keeps accounts."""
    known = ask("sacctmgr", "-nP", "show", "assoc", "format=account")
    return next((name for name in reversed(known) if name), None)


def field(line: str, name: str) -> str:
    """The value of NAME=value in a line of scontrol."""
    return next((word.split("=", 1)[1] for word in line.split() if word.startswith(f"{name}=")), "")


def wait_until(happened: Callable[[], object], what: str) -> object:
    """What ``happened`` returns once that is true."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := happened():
            return found
        time.sleep(0.3)
    raise AssertionError(f"in {PATIENCE} s there was not: {what}")


class Cluster:
    """A copy of the project, and its jobs on SLURM."""

    def __init__(self, folder: Path, config: str, change: Callable[[dict], None]) -> None:
        """Copy the project, and change its SLURM profile as a user would."""
        self.folder = copy_project(folder)
        (folder / "cut.yaml").write_text(config)
        path = folder / "profiles/slurm/config.yaml"
        profile = yaml.safe_load(path.read_text())
        change(profile)
        path.write_text(yaml.safe_dump(profile))
        self.outputs: list[Path] = []

    def start(
        self,
        *targets: str,
        options: Sequence[str | Path] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start snakemake; what it prints goes into a file of its own."""
        self.outputs.append(self.folder / f"snakemake{len(self.outputs)}.txt")
        # A cluster on one machine answers at once; others need more patience than this.
        patience = ["--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5"]
        profile = ["--workflow-profile", "profiles/slurm", "--configfile", "cut.yaml"]
        with self.outputs[-1].open("w") as output:
            self.snakemake = subprocess.Popen(
                [
                    *(Path(sys.executable).with_name("snakemake"), *profile, *patience),
                    *(*options, "--", *targets),
                ],
                cwd=self.folder,
                env=os.environ | (variables or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def finish(self) -> int:
        """Wait until snakemake has ended; its exit status."""
        return self.snakemake.wait(timeout=2 * PATIENCE)

    def close(self) -> None:
        """End what is still there of snakemake and of its jobs."""
        if self.snakemake.poll() is None:
            self.snakemake.kill()
            self.snakemake.wait()
        if numbers := [field(job, "JobId") for job in self.queue()]:
            ask("scancel", *numbers)
        # A step that is cancelled as it starts may stay where SLURM tracks no processes by cgroup.
        for pid in all_processes():
            if folder_of(pid) == self.folder:
                os.kill(pid, signal.SIGKILL)

    def printed(self, start: int = -1) -> str:
        """What the start of that number printed."""
        return self.outputs[start].read_text()

    def jobs(self) -> list[str]:
        """All jobs that SLURM remembers of this project, as ``scontrol show job -o`` has them."""
        lines = ask("scontrol", "show", "job", "-o")
        return [line for line in lines if field(line, "WorkDir") == str(self.folder)]

    def queue(self) -> list[str]:
        """Those that have not ended."""
        unfinished = ("PENDING", "RUNNING", "COMPLETING")
        return [line for line in self.jobs() if field(line, "JobState") in unfinished]

    def processes(self, program: str = "", path: str = "") -> list[int]:
        """Processes of a program of this project, or of any, with ``path`` in their arguments."""
        found = []
        for pid in all_processes():
            arguments = read(pid, "cmdline")
            ours = any(part.startswith(f"workflow/scripts/{program}") for part in arguments)
            if ours and path in " ".join(arguments) and folder_of(pid) == self.folder:
                found.append(pid)
        return found

    def training(self, run: str) -> int | None:
        """The process that trains a run, while that has a checkpoint to go on from."""
        record = self.folder / run / "run.json"
        # The checkpoint of a run that is done stays.
        if record.exists() or not checkpoint_of(record).exists():
            return None
        cell = "/".join(Path(run).parts[-5:-1])
        return next(iter(self.processes("train", f"blocks/train/{cell}/")), None)


def all_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def read(pid: int, what: str) -> list[str]:
    """The arguments (cmdline) or the environment (environ) of a process."""
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has ended, or is not ours
        return []


def folder_of(pid: int) -> Path | None:
    """The folder that a process works in."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # it has ended, or is not ours
        return None


def slurm_job_of(pid: int) -> str:
    return dict(pair.split("=", 1) for pair in read(pid, "environ") if "=" in pair)["SLURM_JOB_ID"]


def node_daemon(node: str) -> int:
    """The slurmd of a node."""
    return next(
        pid
        for pid in all_processes()
        if (arguments := read(pid, "cmdline"))[:1]
        and Path(arguments[0]).name == "slurmd"
        and node in arguments
    )


def crash(node: str, job: str) -> None:
    """Let a node fall silent, its daemon stopped, and kill all that it ran of a job."""
    os.kill(node_daemon(node), signal.SIGSTOP)
    for pid in all_processes():
        of_job = f"SLURM_JOB_ID={job}" in read(pid, "environ")
        if of_job or f"slurmstepd: [{job}." in " ".join(read(pid, "cmdline")):
            os.kill(pid, signal.SIGKILL)


def mend(node: str) -> None:
    """Let a crashed node come back."""
    os.kill(node_daemon(node), signal.SIGCONT)
    wait_until(
        lambda: any("idle" in line for line in ask("sinfo", "-h", "-n", node, "-o", "%T")),
        f"node {node} back",
    )

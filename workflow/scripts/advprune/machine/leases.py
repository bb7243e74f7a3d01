"""Sharing the GPUs of one machine among jobs that know nothing of each other.

Snakemake limits how many jobs it starts, but does not say which GPU a job is to use, and another
workflow may run beside it. So every job takes a lease of a GPU itself. A lease is a locked file;
the kernel takes the lock away when the job ends, however it ends.
"""

import fcntl
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from advprune.errors import UserError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ATTEMPTS = 0.5
# In a process of its own: one that has started CUDA keeps the GPUs that it saw then. CUDA's status
# 100 is that there is no GPU.
ASK_CUDA = (
    *(sys.executable, "-I", "-c"),
    """
import ctypes, sys, uuid

try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError:
    sys.exit()


def ask(function, *arguments):
    status = getattr(cuda, function)(*arguments)
    if status == 100:
        sys.exit()
    if status:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(status, ctypes.byref(text))
        sys.exit((text.value or b"").decode() + f" (status {status} of {function})")


ask("cuInit", 0)
count, device = ctypes.c_int(), ctypes.c_int()
ask("cuDeviceGetCount", ctypes.byref(count))
for number in range(count.value):
    ask("cuDeviceGet", ctypes.byref(device), number)
    name, found = ctypes.create_string_buffer(256), ctypes.create_string_buffer(16)
    ask("cuDeviceGetName", name, 256, device)
    ask("cuDeviceGetUuid_v2", found, device)
    kind = "MIG" if b" MIG " in name.value else "GPU"
    print(f"UUID: {kind}-{uuid.UUID(bytes=found.raw)}")
""",
)
# A job's own lease, open for as long as the job runs.
_held: list[IO[str]] = []


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, by UUID where the driver tells it.

    They are those that the environment variable ``CUDA_VISIBLE_DEVICES`` names, by UUID or by the
    numbers that ``nvidia-smi`` shows, or else all. As in CUDA, names after one that is no GPU do
    not count.
    """
    installed, _ = _ask_driver()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return installed
    visible = []
    for name in map(str.strip, named.split(",")):
        if name.isdigit() and installed:
            found = installed[int(name) : int(name) + 1]
        elif name.startswith(("GPU-", "MIG-")):
            found = [gpu for gpu in installed if gpu.startswith(name)] or [name]
        else:
            found = [name] if name.isdigit() else []
        if not found:
            break
        visible += found[:1]
    return list(dict.fromkeys(visible))


def lease_gpu(jobs_per_gpu: int) -> str | None:
    """Wait for a GPU with room, and make it the only one that this process sees.

    Nothing may have used CUDA before. The lease ends with the process. Of several GPUs with room
    the one with the fewest jobs is taken; one whose jobs were promised fewer neighbours has none.

    Args:
        jobs_per_gpu: how many jobs, this one included, may share the GPU; from 1.

    Returns:
        The GPU's name; None if no GPU is visible.
    """
    gpus = visible_gpus()
    if not gpus:
        return None
    folder = _lease_folder()
    waiting = False
    while (gpu := _take(gpus, jobs_per_gpu, folder)) is None:
        if not waiting:
            log.info("waiting for a GPU: every one of %s is in use", ", ".join(gpus))
            waiting = True
        time.sleep(SECONDS_BETWEEN_ATTEMPTS)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    log.info("working on GPU %s", gpu)
    return gpu


def driver_failure() -> str:
    """What a driver says that fails and so shows no GPU; empty if it shows one or there is none.

    After an update of the driver, for example, it fails until the machine is restarted.
    """
    return _ask_driver()[1]


def _ask_driver() -> tuple[list[str], str]:
    """UUIDs of the machine's GPUs, of one that is divided (MIG) those of its parts; and complaints.

    CUDA is asked where ``nvidia-smi`` shows none: some containers have the one and not the other.
    """
    complaints = []
    everything = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    for name, *command in (("nvidia-smi", "nvidia-smi", "-L"), ("CUDA", *ASK_CUDA)):
        try:
            answer = subprocess.run(
                command,
                env=everything | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"},  # as nvidia-smi numbers them
                capture_output=True,
                text=True,
                timeout=60,
            )
        except FileNotFoundError:
            continue
        except (OSError, subprocess.SubprocessError) as error:
            complaints.append(f"{name}: {error}")
            continue
        if answer.returncode == 0 and (found := _uuids(answer.stdout)):
            return found, ""
        said = " ".join(f"{answer.stdout} {answer.stderr}".split())
        if answer.returncode and not re.search("no devices were found", said, re.I):
            complaints.append(f"{name}: {said}")
    return [], "; ".join(complaints)


def _uuids(listed: str) -> list[str]:
    found = re.findall(r"UUID: ((?:GPU|MIG)-[^)\s]+)", listed)
    return [
        name
        for name, following in zip(found, [*found[1:], ""], strict=False)
        if name.startswith("MIG-") or not following.startswith("MIG-")
    ]


def _lease_folder() -> Path:
    """A folder on this machine that all workflows of a user see, whatever their environment."""
    named = os.environ.get("ADVPRUNE_LEASES")
    folder = Path(named or f"/tmp/advprune-leases-{os.getuid()}")  # noqa: S108
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise PermissionError("it belongs to somebody else")
    except OSError as error:
        raise UserError(
            f"the folder of GPU leases {folder} cannot be used ({error}): remove it, or name "
            "another one in the environment variable ADVPRUNE_LEASES"
        ) from error
    return folder


def _take(gpus: list[str], jobs_per_gpu: int, folder: Path) -> str | None:
    """Lease one of the GPUs if one has room."""
    with _alone(folder):
        promised = {gpu: _promised(gpu, folder) for gpu in gpus}
        for gpu in sorted(gpus, key=lambda gpu: len(promised[gpu])):
            if len(promised[gpu]) < min([jobs_per_gpu, *promised[gpu]]):
                handle, _ = tempfile.mkstemp(dir=folder, prefix=_prefix(gpu))
                file = os.fdopen(handle, "w")
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(str(jobs_per_gpu))
                file.flush()
                _held.append(file)
                return gpu
    return None


def _promised(gpu: str, folder: Path) -> list[int]:
    """For every job on a GPU, how many jobs it was promised to be among at most.

    Files that no job locks any more are deleted.
    """
    limits = []
    for path in folder.glob(f"{_prefix(gpu)}*"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                limits.append(int(file.read()))
    return limits


def _prefix(gpu: str) -> str:
    return gpu.replace("/", "_") + "."


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep all others from looking at leases or taking one meanwhile."""
    with open(folder / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""Choosing the device that a program works on."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from advprune.errors import UserError
from advprune.machine.leases import driver_failure, lease_gpu, visible_gpus

log = logging.getLogger(__name__)


def use_deterministic_algorithms(asked: bool) -> None:
    """Hold PyTorch to deterministic algorithms, or not."""
    if asked:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # PyTorch insists on one
    # PyTorch imports its compiler for this, seconds that most jobs need not wait.
    if asked != torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(asked)


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Within the block or function, let a GPU round the inputs of float32 products to TF32, or not.

    PyTorch allows it for convolutions by default. What it takes from gradients, 1 to 2%, is noise
    that misleads attacks: on an H100 Square broke 190 images of a network where it breaks 257.
    """
    switches = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = allowed
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value


@contextmanager
def cudnn_benchmark(asked: bool) -> Iterator[None]:
    """Within the block, let cuDNN try its kernels on every new shape and keep the fastest, or not.

    That pays where shapes repeat, as in training. The batches of DeepFool and of AutoAttack shrink
    from step to step: on an H100 trying took DeepFool ten times as long as working.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = asked
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def choose_device(name: str, threads: int, *, jobs_per_gpu: int = 0) -> torch.device:
    """The device that the config names, ready for use.

    Args:
        name: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if PyTorch sees one.
        threads: how many CPU threads PyTorch may use.
        jobs_per_gpu: how many jobs may share a GPU; this one then waits until there is room
            (`leases`). 0 to ask nobody, where a scheduler has assigned a GPU.

    Raises:
        UserError: a GPU is asked for and PyTorch sees none.
    """
    torch.set_num_threads(threads)
    if name == "cpu":
        return torch.device("cpu")
    # PyTorch looks for GPUs but once, so this comes first.
    gpu = lease_gpu(jobs_per_gpu) if jobs_per_gpu else None
    if not jobs_per_gpu and "CUDA_VISIBLE_DEVICES" in os.environ:
        log.info("given GPU %s", os.environ["CUDA_VISIBLE_DEVICES"])
    if (gpu or not jobs_per_gpu) and torch.cuda.is_available():
        return torch.device("cuda")
    return _without_gpu(name)


def device_of_jobs(name: str, threads: int) -> torch.device:
    """The device that `choose_device` gives to jobs on this machine, without waiting for a turn.

    Raises:
        UserError: a GPU is asked for and jobs here can use none.
    """
    torch.set_num_threads(threads)
    if name != "cpu" and visible_gpus() and torch.cuda.is_available():
        return torch.device("cuda")
    return _without_gpu(name)


def gpu_trouble() -> tuple[str, str]:
    """Why jobs use no GPU on this machine though there is one, and what to do about it.

    Both are empty if jobs use it, and if there is none.
    """
    gpus = visible_gpus()
    if torch.cuda.is_available():
        if gpus:
            return "", ""
        return (
            f"{torch.cuda.device_count()} by PyTorch, none by the driver, which jobs would share",
            "name it: CUDA_VISIBLE_DEVICES=0 (the first), or have `nvidia-smi` on the PATH",
        )
    if gpus:
        return (
            f"{len(gpus)} by the driver, none by PyTorch {torch.__version__}: {_pytorchs_reason()}",
            "a PyTorch built for CUDA, and a driver as new as its CUDA: see `nvidia-smi`",
        )
    if failure := driver_failure():
        return (
            f"the driver fails: {failure}",
            "restart the machine, or install the driver again; `nvidia-smi` tells when it works",
        )
    return "", ""


def _pytorchs_reason() -> str:
    try:
        torch.cuda.init()
    except (AssertionError, RuntimeError) as error:
        return str(error).strip().split("\n")[0]
    return "it gives no reason"


def _without_gpu(name: str) -> torch.device:
    if name == "cpu":
        return torch.device("cpu")
    wrong, remedy = gpu_trouble()
    if name == "cuda":
        raise UserError(
            "the config asks for a GPU (execution.device: cuda) and there is none here that jobs "
            f"can use{f' ({wrong})' if wrong else ''}: set it to auto or cpu"
            f"{f', or mend that: {remedy}' if remedy else ''}"
        )
    log.info("working on the CPU%s", f": {wrong}; {remedy}" if wrong else "")
    return torch.device("cpu")

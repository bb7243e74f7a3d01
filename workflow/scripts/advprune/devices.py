"""Choosing the device that a program works on."""

import torch

from advprune.errors import UserError


def choose_device(name: str, threads: int) -> torch.device:
    """The device that the config names, ready for use.

    Args:
        name: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if PyTorch sees one.
        threads: how many CPU threads PyTorch may use.

    Raises:
        UserError: a GPU is asked for and PyTorch sees none.
    """
    torch.set_num_threads(threads)
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "the config asks for a GPU (execution.device: cuda) and PyTorch sees none here: "
            "set it to auto or cpu, or see what `nvidia-smi` says"
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)

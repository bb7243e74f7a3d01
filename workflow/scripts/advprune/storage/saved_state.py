"""Interrupted work on disk: tensors, and everything else as JSON, in one safetensors file.

It is never unpickled. The key says what the work belongs to; a file with another key, or one that
is torn, is never used.
"""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from advprune.storage.files import array_digest, digest
from advprune.storage.tensors import atomic_write_tensors

log = logging.getLogger(__name__)

Fill = Callable[[dict[str, Tensor], dict[str, Any]], None]


def save_state(
    path: Path, key: str, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]
) -> None:
    """Write tensors and a JSON object under a key, whole or not at all."""
    tensors = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in tensors.items()  # no two may share memory
    }
    rest = {**rest, "key": key}
    rest["digest"] = _digest(tensors, rest)
    with atomic_write_tensors(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"state": json.dumps(rest)})


def restore_state(path: Path, key: str, fill: Fill) -> bool:
    """Hand what `save_state` wrote to ``fill``; whether there was anything that fits.

    A file with another key, or one that is torn or that ``fill`` cannot take, is deleted with a
    line in the log.

    Args:
        path: the file.
        key: what the work must belong to.
        fill: is given the tensors, on the CPU, and the JSON object.
    """
    if not path.exists():
        return False
    try:
        with safe_open(path, framework="pt") as file:
            rest = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if rest["key"] != key:
            raise ValueError(
                "it belongs to another specification, network or data set, or was made by other "
                "code, packages or threads or on another device"
            )
        if rest.pop("digest") != _digest(tensors, rest):
            raise ValueError("its contents are not what was saved")
        fill(tensors, rest)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        log.warning("checkpoint %s is not used: %s; starting from the beginning", path, error)
        path.unlink()
        return False
    return True


def _digest(tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a checkpoint."""
    return digest([rest, {name: array_digest(value.numpy()) for name, value in tensors.items()}])

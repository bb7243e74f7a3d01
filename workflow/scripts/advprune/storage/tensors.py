"""Tensors on disk, in safetensors files: never unpickled, whole or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from advprune.storage.files import atomic_write


@contextmanager
def atomic_write_tensors(path: str | Path) -> Iterator[Path]:
    """`atomic_write` for a block that writes by safetensors, whose errors are no OSError.

    Raises:
        UserError: the folder cannot be written or the disk is full; the message names the path.
    """
    with atomic_write(path) as temporary:
        try:
            yield temporary
        except SafetensorError as error:
            raise OSError(str(error)) from error

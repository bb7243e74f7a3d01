"""Locks that the kernel keeps for a living process and lets go of when it dies, by kill -9 too.

Both are flocks. On a file system that has none, nothing is locked and nothing is cleared away.
"""

import logging
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TextIO

from advprune.errors import UserError

log = logging.getLogger(__name__)

_held: list[TextIO] = []  # open, and so locked, for as long as this process lives


def clear_dead_workflows(folder: Path) -> list[Path]:
    """Remove the locks of workflows that were killed, and count this process as a living one.

    Every living workflow shares one lock. Whoever gets it alone knows that no other workflow
    works in this folder, so all of Snakemake's own locks that lie there are stale. On some network
    file systems a lock is seen on one machine only: the file also says on which machines
    workflows were started, and the locks of another machine are left alone.

    Args:
        folder: where Snakemake keeps its records, ``.snakemake``.

    Returns:
        What was removed: nothing where another workflow lives, or the folder cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        file = open(folder / "workflows.lock", "a+")  # noqa: SIM115
    except OSError:
        return []  # Snakemake will say so itself
    _held.append(file)
    try:
        flock(file, LOCK_EX | LOCK_NB)
        stale = _stale_locks(file, folder / "locks")
    except BlockingIOError:
        stale = []
    except OSError as error:
        log.warning("%s cannot be locked: %s", file.name, error)
        return []
    for path in stale:
        path.unlink(missing_ok=True)
    flock(file, LOCK_SH)
    print(platform.node(), file=file, flush=True)
    return stale


def _stale_locks(file: TextIO, folder: Path) -> list[Path]:
    """The locks in ``folder``, if only this machine has worked here since there were none."""
    locks = sorted(folder.glob("*.lock"))
    file.seek(0)
    machines = set(file.read().split())
    if locks and machines != {platform.node()}:
        return []
    file.truncate(0)
    return locks


@contextmanager
def turn_at(record: str | Path) -> Iterator[None]:
    """Wait until no other process makes ``record``, and hold others off for the block's duration.

    When Snakemake is killed its jobs live on. The job that the next call starts in the place of
    such a one waits here until it has ended, and then goes on from its checkpoint.

    Raises:
        UserError: the record's folder cannot be written.
    """
    record = Path(record)
    path = record.with_name(f".{record.name}.lock")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path, record)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    with file:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def turns_at(records: Iterable[Path]) -> Iterator[None]:
    """`turn_at` for several records that are made together."""
    with ExitStack() as turns:
        for record in sorted(records):  # in one order, so that no two processes wait in a circle
            turns.enter_context(turn_at(record))
        yield


def _locked(path: Path, record: Path) -> TextIO:
    while True:
        file = open(path, "a+")  # noqa: SIM115
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            log.info("%s is being made by process %s: waiting for it", record, file.read().strip())
            flock(file, LOCK_EX)
        except OSError as error:
            log.warning("%s cannot be locked: %s", path, error)
            return file
        # Its holder deletes the file at its end; a lock on a deleted file holds nobody off.
        if os.fstat(file.fileno()).st_nlink:
            file.truncate(0)
            print(os.getpid(), file=file, flush=True)  # not where: results are published
            return file
        file.close()

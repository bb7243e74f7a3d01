"""Files that are whole or absent: everything the pipeline makes is written here."""

import contextlib
import csv
import glob
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from advprune.errors import UserError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it to ``path`` once it is on disk.

    A reader sees the old file, the new file or none, never a part of one. If the block raises,
    the temporary file is removed and ``path`` is left as it was. What a writer that was killed
    left behind is removed by the next one.

    Raises:
        UserError: the folder cannot be written or the disk is full; the message names the path.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, temporary = _locked_temporary(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _locked_temporary(path: Path) -> tuple[int, Path]:
    """A new file beside ``path``, locked for as long as its writer lives."""
    while True:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
        )
        with contextlib.suppress(OSError):  # where files cannot be locked, none is ever removed
            flock(handle, LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # another writer took it for abandoned before it was locked


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of writers of ``path`` that are dead."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????{path.suffix}"):
        with contextlib.suppress(OSError), open(left, "rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            left.unlink()


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, all with the same keys, as CSV under a header, whole or not at all.

    For programs that have no other need of pandas, which takes longer to import than to use.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def has_files(folder: Path, names: Iterable[str]) -> bool:
    """Whether a folder has files of all these names."""
    return all((folder / name).exists() for name in names)


def read_json(path: str | Path) -> Any:
    """Read a JSON file that the pipeline wrote.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not JSON ({error}): delete {path} and run again, it will be made anew"
        ) from error


def canonical_json(content: Any) -> str:
    """The one spelling of ``content`` as JSON, with sorted keys and no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def digest(content: Any) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of ``content``."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def array_digest(array: Any) -> str:
    """SHA-256, in hexadecimal, of a NumPy array: of its type, shape and values."""
    total = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    total.update(array.tobytes())
    return total.hexdigest()


def sha256_of(path: str | Path) -> str:
    """SHA-256, in hexadecimal, of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""What a program writes last: a JSON file about all that it has written, and the check of them.

A record holds the SHA-256 of the files beside it and of its own content, so that a byte that
changed since, in a file or in the record, is noticed by whoever reads them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprune.errors import UserError
from advprune.files import digest, read_json, sha256_of, write_json


def write_record(path: str | Path, content: Mapping[str, Any], files: list[str]) -> None:
    """Write ``content`` as JSON, with the hashes of ``files``, which lie in the same folder."""
    hashes = {Path(name).name: sha256_of(name) for name in files}
    whole = {**content, "files": hashes}
    write_json(path, whole | {"digest": digest(whole)})


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record.

    Raises:
        UserError: it is missing, or it is not what `write_record` wrote.
    """
    path = Path(path)
    record = read_json(path)
    if not isinstance(record, dict) or record.pop("digest", None) != digest(record):
        raise UserError(f"{path} is damaged, or was edited: {_remedy(path)}")
    return record


def check_files(path: str | Path, record: Mapping[str, Any]) -> None:
    """Compare the files that a record is about with their hashes.

    A file that is not there is not missed: networks, say, may be deleted to save space.

    Raises:
        UserError: a file is not the one that was written.
    """
    path = Path(path)
    for name, expected in record["files"].items():
        file = path.with_name(name)
        if file.exists() and sha256_of(file) != expected:
            raise UserError(f"{file} is not the file that {path} describes: {_remedy(path)}")


def _remedy(path: Path) -> str:
    return f"delete {path} and run again, they will be made anew"

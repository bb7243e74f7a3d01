"""How a byte that changed since it was written is noticed by whoever reads it.

A record, the JSON file that a program writes last about all that it has written, holds the SHA-256
of the files beside it and of its own content. What the analysis makes has a .sha256 beside it.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advprune.errors import UserError
from advprune.storage.files import digest, has_files, read_json, sha256_of, write_json, write_text

log = logging.getLogger(__name__)

NETWORK = "model.safetensors"
# In a record: the hashes of what there was before less was published of it.
REDUCED_FROM = "reduced_from"


def write_record(path: str | Path, content: Mapping[str, Any], files: list[str]) -> None:
    """Write ``content`` as JSON, with the hashes of ``files``, which lie in the same folder."""
    hashes = {Path(name).name: sha256_of(name) for name in files}
    whole = {**content, "files": hashes}
    write_json(path, whole | {"digest": digest(whole)})


def write_block(path: str | Path, records: Sequence[Path]) -> None:
    """Write which results the job of a block has made or found, by the hashes of their records."""
    write_json(path, {str(record): sha256_of(record) for record in records})


def is_as_left(block: Path, names: Sequence[str]) -> bool:
    """Whether the results that `write_block` listed have files of these names, unchanged since.

    Their networks may be deleted.
    """
    since = block.stat().st_mtime
    try:
        records = read_json(block)
    except UserError:
        return False  # its job reads what there is
    for folder in (Path(record).parent for record in records):
        if not has_files(folder, names):
            return False
        files = [folder / name for name in (*names, NETWORK) if (folder / name).exists()]
        if max(file.stat().st_mtime for file in files) > since:
            return False
    return True


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

    A network alone is not missed: it may be deleted to save space.

    Raises:
        UserError: a file is missing, or is not the one that was written.
    """
    for name in record["files"]:
        if name == NETWORK and not Path(path).with_name(name).exists():
            continue
        check_file(path, record, name)


def check_file(path: str | Path, record: Mapping[str, Any], name: str) -> Path:
    """Compare one file that a record is about with its hash.

    Args:
        path: of the record.
        record: what `read_record` found there.
        name: of the file, in the same folder.

    Returns:
        the path of the file.

    Raises:
        UserError: the file is missing, or is not the one that was written.
    """
    path = Path(path)
    file = path.with_name(name)
    if not file.exists():
        raise UserError(f"{file} does not exist, but {path} describes it: {_remedy(path)}")
    if sha256_of(file) != record["files"][name]:
        raise UserError(f"{file} is not the file that {path} describes: {_remedy(path)}")
    return file


def is_as_asked_for(path: str | Path, wanted: Mapping[str, Any], **made_from: str) -> bool:
    """Whether a result is there, whole, and made with a specification and from certain files.

    Args:
        path: of its record.
        wanted: the specification, as plain values.
        made_from: what the record says by these names of what the result was made from.
    """
    if not Path(path).exists():
        return False
    try:
        record = read_record(path)
        check_spec(path, record, wanted)
        check_files(path, record)
    except UserError as error:
        log.warning("made anew: %s", error)
        return False
    return all(record[name] == value for name, value in made_from.items())


def check_spec(path: str | Path, record: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Compare the specification in a record with the one that the config asks for.

    Raises:
        UserError: it is another one; the message says what differs.
    """
    path = Path(path)
    made_with = record["spec"]
    if made_with == wanted and record["spec_digest"] == digest(wanted):
        return
    differing = [
        f"{name} was {json.dumps(made_with.get(name))}, the config says {json.dumps(value)}"
        for name, value in wanted.items()
        if made_with.get(name) != value
    ]
    raise UserError(
        f"{path} was made with another specification: {'; '.join(differing) or 'fields differ'}. "
        f"Delete the folder {path.parent} and run again, or give the config another scale"
    )


def write_hashes(path: str | Path, *beside: str | Path) -> None:
    """Write into ``path``'s .sha256 the hashes of it and of others, as ``sha256sum`` does."""
    write_text(_hashes_of(path), "".join(f"{_hash_line(file)}\n" for file in (path, *beside)))


def check_hash(path: str | Path, *, made_with: str | Path | None = None) -> None:
    """Compare a file with the hash of it that `write_hashes` left.

    Args:
        path: the file.
        made_with: the file whose .sha256 has its hash; itself by default.

    Raises:
        UserError: it is missing, has no hash, or is not what was written.
    """
    if not Path(path).exists():
        raise UserError(f"{path} does not exist")
    hashes = _hashes_of(made_with or path)
    if not hashes.exists() or _hash_line(path).encode() not in hashes.read_bytes().split(b"\n"):
        raise UserError(f"{path} is not what was written: delete {path} and run again")


def _hashes_of(path: str | Path) -> Path:
    return Path(f"{path}.sha256")


def _hash_line(path: str | Path) -> str:
    return f"{sha256_of(path)}  {Path(path).name}"


def _remedy(path: Path) -> str:
    return f"delete {path} and run again, they will be made anew"

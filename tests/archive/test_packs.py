"""Packs: several runs' files in one."""

import io
import lzma
import tarfile

import pytest

from advprune.archive.packs import read_pack, write_pack
from advprune.errors import UserError

CONTENT = {
    "p1.0/seed000": {"run.json": b"{}", "training.csv": b"a,b\n1,2\n"},
    "seed001": {"run.json": b"[]", "kept": bytes(range(256))},
}


def test_what_is_packed_comes_back(tmp_path):
    write_pack(tmp_path / "new/folder/pack.tar.xz", CONTENT)
    assert read_pack(tmp_path / "new/folder/pack.tar.xz") == CONTENT


def test_the_same_content_in_another_order_has_the_same_bytes(tmp_path):
    turned = {folder: dict(reversed(files.items())) for folder, files in reversed(CONTENT.items())}
    write_pack(tmp_path / "one", CONTENT)
    write_pack(tmp_path / "other", turned)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_pack_that_holds_the_same_is_left_as_it_is(tmp_path):
    # Another version of liblzma may write other bytes, which would be a change to be committed.
    write_pack(tmp_path / "pack", CONTENT)
    packed = lzma.compress(lzma.decompress((tmp_path / "pack").read_bytes()), preset=0)
    (tmp_path / "pack").write_bytes(packed)
    assert not write_pack(tmp_path / "pack", CONTENT)
    assert (tmp_path / "pack").read_bytes() == packed


def test_any_tar_can_read_a_pack(tmp_path):
    write_pack(tmp_path / "pack", CONTENT)
    with tarfile.open(tmp_path / "pack") as tar:
        assert tar.extractfile("p1.0/seed000/training.csv").read() == b"a,b\n1,2\n"


@pytest.mark.parametrize("place", [0, 30, -1])
def test_a_pack_with_a_changed_byte_is_refused(tmp_path, place):
    write_pack(tmp_path / "pack", CONTENT)
    spoilt = bytearray((tmp_path / "pack").read_bytes())
    spoilt[place] ^= 1
    (tmp_path / "pack").write_bytes(spoilt)
    with pytest.raises(UserError, match="pack cannot be read as a pack"):
        read_pack(tmp_path / "pack")


@pytest.mark.parametrize(
    "name", ["../run.json", "seed000/../run.json", "a/./x", "a//x", "/etc/x", "run.json", "a/.."]
)
def test_a_pack_that_names_a_file_elsewhere_is_refused(tmp_path, name):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    (tmp_path / "pack").write_bytes(lzma.compress(whole.getvalue()))
    with pytest.raises(UserError, match="which is no file of a run"):
        read_pack(tmp_path / "pack")


def test_a_pack_with_a_link_is_refused(tmp_path):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        link = tarfile.TarInfo("seed000/run.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (tmp_path / "pack").write_bytes(lzma.compress(whole.getvalue()))
    with pytest.raises(UserError, match="which is no file of a run"):
        read_pack(tmp_path / "pack")

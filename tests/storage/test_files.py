"""Files are whole or absent."""

import hashlib
import os
import stat
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_tools import PROJECT

from advprune.errors import UserError
from advprune.storage.files import (
    atomic_write,
    canonical_json,
    digest,
    read_json,
    sha256_of,
    write_csv,
    write_json,
    write_text,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=8,
)
mappings = st.dictionaries(st.text(), plain, max_size=4)


def test_nothing_is_seen_under_the_name_until_the_file_is_complete(tmp_path):
    path = tmp_path / "result.csv"
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_a_failed_write_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "result.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"


def test_a_file_is_replaced_and_not_written_over(tmp_path):
    path, other_name = tmp_path / "result.csv", tmp_path / "the same file"
    path.write_text("old")
    os.link(path, other_name)
    write_text(path, "new")
    assert (path.read_text(), other_name.read_text()) == ("new", "old")


@pytest.mark.parametrize("fails", [False, True], ids=["success", "failure"])
def test_no_temporary_file_stays_behind(tmp_path, fails):
    path = tmp_path / "result.csv"
    try:
        with atomic_write(path) as temporary:
            temporary.write_text("text")
            if fails:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert [file.name for file in tmp_path.iterdir()] == ([] if fails else ["result.csv"])


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a/b/c.txt", "text")
    assert (tmp_path / "a/b/c.txt").read_text() == "text"


def test_the_temporary_file_has_the_suffix_that_writers_go_by(tmp_path):
    with atomic_write(tmp_path / "picture.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.touch()


def test_a_file_is_as_readable_for_others_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "text")
        left = os.umask(0o027)
    finally:
        os.umask(before)
    assert (stat.S_IMODE((tmp_path / "a.txt").stat().st_mode), left) == (0o640, 0o027)


def test_where_no_file_can_be_written_the_message_names_the_path(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file/result.csv"
    with pytest.raises(UserError, match=f"cannot write {path}"):
        write_text(path, "text")


def test_where_a_folder_has_the_name_the_message_names_the_path(tmp_path):
    path = tmp_path / "folder"
    (path / "within").mkdir(parents=True)
    with pytest.raises(UserError, match=f"cannot write {path}"):
        write_text(path, "text")


@given(content=mappings)
def test_json_is_read_back_as_it_was_written(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "content.json"
    write_json(path, content)
    assert read_json(path) == content


def test_json_that_is_missing_is_named(tmp_path):
    path = tmp_path / "none.json"
    with pytest.raises(UserError, match=f"{path} does not exist"):
        read_json(path)


@pytest.mark.parametrize(
    "content", [b"", b'{"a": ', b"\xff\xfe\x00"], ids=["empty", "cut short", "no text"]
)
def test_damaged_json_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{path} is not JSON .* delete {path} and run again"):
        read_json(path)


@given(content=mappings)
def test_a_digest_does_not_depend_on_the_order_of_keys(content):
    assert digest(dict(reversed(content.items()))) == digest(content)


@given(first=mappings, second=mappings)
def test_different_contents_have_different_digests(first, second):
    same = canonical_json(first) == canonical_json(second)
    assert (digest(first) == digest(second)) == same


def test_a_digest_is_the_sha256_of_compact_sorted_json():
    assert digest({"b": [1, 2.5], "a": None}) == (
        hashlib.sha256(b'{"a":null,"b":[1,2.5]}').hexdigest()
    )


def test_a_files_sha256_is_that_of_its_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_csv_is_read_back_as_it_was_written(tmp_path):
    rows = [{"name": "a, b", "value": 0.1}, {"name": 'say "so"', "value": 1e-300}]
    write_csv(tmp_path / "rows.csv", rows)
    assert pd.read_csv(tmp_path / "rows.csv").to_dict("records") == rows


# What writers that were killed leave behind.

KILLED = """
import os, signal, sys
from advprune.storage.files import atomic_write
with atomic_write("result.csv") as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    if "live" in sys.argv:
        input()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def start_writer(folder, *arguments):
    """A process that is in the middle of writing ``result.csv``."""
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT / "workflow/scripts")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return writer, writer.stdout.readline().strip()


def test_what_a_writer_that_was_killed_left_is_removed_by_the_next_one(tmp_path):
    writer, temporary = start_writer(tmp_path)
    writer.communicate()
    assert (tmp_path / temporary).exists()
    write_text(tmp_path / "result.csv", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["result.csv"]


def test_what_a_living_writer_has_begun_is_left_alone(tmp_path):
    writer, temporary = start_writer(tmp_path, "live")
    write_text(tmp_path / "result.csv", "whole")
    left = (tmp_path / temporary).exists()
    writer.communicate("\n")
    assert left


def test_temporary_files_of_other_files_are_left_alone(tmp_path):
    others = [tmp_path / ".result.json.abcdefgh.json", tmp_path / ".result.csv.lock"]
    for path in others:
        path.touch()
    write_text(tmp_path / "result.csv", "whole")
    assert [path for path in others if not path.exists()] == []

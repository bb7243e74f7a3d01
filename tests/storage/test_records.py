"""A record and the files that it is about: what changed since is noticed, with what to delete."""

import pytest

from advprune.errors import UserError
from advprune.storage.files import digest
from advprune.storage.records import (
    NETWORK,
    check_files,
    check_hash,
    check_spec,
    read_record,
    write_hashes,
    write_record,
)

SPEC = {"epochs": 10, "p": "0.6"}


@pytest.fixture
def record(tmp_path):
    """The path of a record of a network and a curve, which lie beside it."""
    for name in (NETWORK, "curve.csv"):
        (tmp_path / name).write_text(name)
    content = {"spec": SPEC, "spec_digest": digest(SPEC)}
    write_record(tmp_path / "run.json", content, [tmp_path / NETWORK, tmp_path / "curve.csv"])
    return tmp_path / "run.json"


def test_a_record_is_read_back_and_its_files_are_found_unchanged(record):
    content = read_record(record)
    check_files(record, content)
    check_spec(record, content, SPEC)
    assert content["spec"] == SPEC


@pytest.mark.parametrize(
    "text", ["[]", '{"spec": 3}', None], ids=["a list", "no digest", "one number edited"]
)
def test_a_record_that_was_edited_is_refused(record, text):
    record.write_text(text or record.read_text().replace("10", "11"))
    with pytest.raises(UserError, match=f"{record} is damaged, or was edited: delete {record} "):
        read_record(record)


@pytest.mark.parametrize("name", [NETWORK, "curve.csv"])
def test_a_file_that_changed_since_it_was_recorded_is_named(record, name):
    record.with_name(name).write_text("other")
    with pytest.raises(UserError, match=f"{name} is not the file that .* delete {record} "):
        check_files(record, read_record(record))


def test_a_file_that_is_gone_is_named(record):
    record.with_name("curve.csv").unlink()
    with pytest.raises(UserError, match=r"curve\.csv does not exist, but .*run\.json describes it"):
        check_files(record, read_record(record))


def test_a_network_that_was_deleted_to_save_space_is_not_missed(record):
    record.with_name(NETWORK).unlink()
    check_files(record, read_record(record))


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        pytest.param(SPEC | {"epochs": 5}, "epochs was 10, the config says 5", id="a value"),
        pytest.param(SPEC | {"peak": 0.4}, "peak was null, the config says 0.4", id="a new field"),
        pytest.param({"epochs": 10}, "fields differ", id="a field less"),
    ],
)
def test_what_differs_from_the_specification_that_is_wanted_is_told(record, wanted, told):
    with pytest.raises(UserError, match=f"another specification: {told}. Delete the folder"):
        check_spec(record, read_record(record), wanted)


@pytest.fixture
def hashed(tmp_path):
    """A table and a picture, with their hashes beside the table."""
    table, picture = tmp_path / "table.csv", tmp_path / "picture.png"
    for path in (table, picture):
        path.write_text(path.name)
    write_hashes(table, picture)
    return table, picture


def test_files_that_are_as_they_were_written_pass(hashed):
    table, picture = hashed
    check_hash(table)
    check_hash(picture, made_with=table)


def test_a_file_that_is_not_what_was_hashed_is_refused(hashed):
    hashed[0].write_text("other")
    for path in hashed:  # the second has no hash of its own
        with pytest.raises(UserError, match=f"{path} is not what was written: delete {path} and"):
            check_hash(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.csv does not exist"):
        check_hash(tmp_path / "absent.csv")

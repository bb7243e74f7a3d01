"""Interrupted work on disk: what is restored is what was saved, or nothing."""

import logging
import math

import numpy as np
import pytest
import torch
from builders import same_tensors

from advprune.storage.saved_state import restore_state, save_state

TENSORS = {
    "weights": torch.arange(3_000, dtype=torch.float32).view(30, 100),
    "losses": torch.tensor([math.nan, 0.5]),
    "kept": torch.arange(40),
}
REST = {"epoch": 1, "seconds": {"training": 0.5}}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_state(path, "key", TENSORS, REST)
    return path


def restored(path, key="key"):
    """What is restored; None for nothing."""
    found = []
    there = restore_state(path, key, lambda *content: found.append(content))
    assert there == bool(found)
    return found[0] if found else None


def assert_discarded(path, caplog, key="key"):
    with caplog.at_level(logging.WARNING):
        assert restored(path, key) is None
    assert not path.exists()
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]


def test_a_state_is_restored_as_it_was_saved(saved):
    tensors, rest = restored(saved)
    assert same_tensors(tensors, TENSORS)
    assert rest == REST | {"key": "key"}
    assert saved.exists()


def test_tensors_that_share_memory_or_are_laid_out_otherwise_are_saved_too(tmp_path):
    whole = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    save_state(tmp_path / "state", "key", {"whole": whole, "part": whole[0]}, {})
    tensors, _ = restored(tmp_path / "state")
    assert torch.equal(tensors["whole"], whole)
    assert torch.equal(tensors["part"], whole[0])


def test_where_nothing_was_saved_there_is_nothing_to_restore(tmp_path):
    assert restored(tmp_path / "checkpoint.safetensors") is None


def test_saving_leaves_no_temporary_file_behind(saved):
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_the_state_of_other_work_is_discarded(saved, caplog):
    assert_discarded(saved, caplog, "another key")


def test_a_state_that_cannot_be_taken_is_discarded(saved):
    def fill(tensors, rest):
        raise KeyError("a field that older code did not save")

    assert restore_state(saved, "key", fill) is False
    assert not saved.exists()


def replaced(old, new):
    def damage(content):
        assert content.count(old) >= 1
        return content.replace(old, new, 1)

    return damage


def flipped(place):
    def damage(content):
        altered = bytearray(content)
        altered[place] ^= 1
        return bytes(altered)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:5], id="cut in the length of the header"),
        pytest.param(lambda content: content[:200], id="cut in the header"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut in the middle"),
        pytest.param(lambda content: content[:-1], id="cut by a byte"),
        pytest.param(lambda content: content + b"\0", id="a byte too many"),
        pytest.param(lambda content: b"garbage" * 1_000, id="garbage"),
        pytest.param(lambda content: b"\0" * len(content), id="zeros"),
        pytest.param(flipped(0), id="another length of the header"),
        pytest.param(flipped(-1), id="a bit of the last tensor"),
        pytest.param(flipped(-9_000), id="a bit of a tensor in the middle"),
        pytest.param(replaced(b"weights", b"weighte"), id="a tensor's name"),
        pytest.param(replaced(b'"F32"', b'"I32"'), id="a tensor's type"),
        pytest.param(replaced(b'\\"epoch\\": 1', b'\\"epoch\\": 2'), id="a number"),
        pytest.param(replaced(b'\\"seconds\\"', b'\\"seconda\\"'), id="a key"),
        pytest.param(replaced(b'\\"epoch\\": ', b'\\"epoch\\"; '), id="broken JSON"),
        pytest.param(replaced(b"__metadata__", b"__metadatb__"), id="no metadata"),
    ],
)
def test_a_damaged_state_is_discarded(damage, saved, caplog):
    saved.write_bytes(damage(saved.read_bytes()))
    assert_discarded(saved, caplog)


def test_any_altered_byte_is_noticed_or_harmless(saved):
    """Flips single bits all over the file."""
    content = saved.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(content), 300):
        saved.write_bytes(flipped(place)(content))
        if found := restored(saved):
            assert same_tensors(found[0], TENSORS)
            assert found[1] == REST | {"key": "key"}

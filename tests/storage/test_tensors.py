"""Tensors on disk."""

import pytest
from safetensors import SafetensorError

from advprune.errors import UserError
from advprune.storage.tensors import atomic_write_tensors


def test_what_safetensors_cannot_write_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    with (
        pytest.raises(UserError, match=f"cannot write {path}: No space left"),
        atomic_write_tensors(path),
    ):
        raise SafetensorError("No space left on device")
    assert list(tmp_path.iterdir()) == []

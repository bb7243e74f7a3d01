"""Where unfinished work lies, and when it goes."""

import pytest

from advprune.paths import checkpoint_of, discard_checkpoints


@pytest.mark.parametrize("record", ["run.json", "evaluation.json", "start.json"])
def test_checkpoints_of_work_that_is_done_are_deleted(tmp_path, record):
    checkpoint = checkpoint_of(tmp_path / "seed000" / record)
    checkpoint.parent.mkdir()
    checkpoint.touch()
    (tmp_path / "seed000" / record).touch()
    discard_checkpoints(tmp_path)
    assert not checkpoint.exists()


def test_checkpoints_of_work_that_goes_on_are_kept(tmp_path):
    (tmp_path / "run.json").touch()
    checkpoint = checkpoint_of(tmp_path / "evaluation.json")
    checkpoint.touch()
    discard_checkpoints(tmp_path)
    assert checkpoint.exists()

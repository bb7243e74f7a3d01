"""Losses: noted with their time, so that the second of the same thing is another."""

from advprune.storage.losses import note_losses, read_losses


def test_a_loss_is_remembered(tmp_path):
    noted = note_losses(tmp_path / "losses.json", ["train/a"])
    assert noted.keys() == {"train/a"}
    assert read_losses(tmp_path / "losses.json") == noted
    assert note_losses(tmp_path / "losses.json", []) == noted


def test_the_same_loss_a_second_time_is_another(tmp_path):
    first, second = (note_losses(tmp_path / "losses.json", ["train/a"]) for _ in range(2))
    assert first.keys() == second.keys()
    assert first != second


def test_a_loss_leaves_what_was_noted_of_others(tmp_path):
    first = note_losses(tmp_path / "losses.json", ["train/a"])
    second = note_losses(tmp_path / "losses.json", ["train/b"])
    assert second["train/a"] == first["train/a"]


def test_where_nothing_was_lost_nothing_is_written(tmp_path):
    assert note_losses(tmp_path / "losses.json", []) == {}
    assert not any(tmp_path.iterdir())


def test_notes_that_are_damaged_are_begun_anew(tmp_path):
    (tmp_path / "losses.json").write_text("{")
    assert read_losses(tmp_path / "losses.json") == {}

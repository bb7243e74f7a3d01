"""A disk that is full or cannot be written: the message names the file, and none is cut short."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
from builders import random_examples, training_spec
from matplotlib.figure import Figure
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import write_runs
from advprune.data.examples import save_examples
from advprune.errors import UserError
from advprune.figures.style import Drawing
from advprune.storage.files import write_text
from advprune.storage.records import write_record
from advprune.storage.saved_state import save_state


@pytest.fixture
def disk(tmp_path):
    """A folder that is a disk of its own with room for 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)


def noise():
    """A picture that cannot be compressed."""
    figure = Figure()
    figure.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(0).random((300, 300)))
    return figure


# More than 64 KiB each.
WRITERS = {
    "table.md": lambda path: write_text(path, "text " * 100_000),
    "figure.csv": lambda path: Drawing(noise(), pd.DataFrame({"x": range(50_000)})).write(path),
    "data.safetensors": lambda path: save_examples(
        path, "tiny", {"images": np.zeros(500_000, "uint8")}
    ),
    "checkpoint.safetensors": lambda path: save_state(path, "", {"x": torch.zeros(100_000)}, {}),
    "run.json": lambda path: write_record(path, {"note": "text " * 100_000}, []),
    "runs.csv": lambda path: write_runs(path, pd.DataFrame({"x": range(50_000)})),
}


@pytest.mark.parametrize("name", WRITERS)
def test_on_a_full_disk_the_file_is_named_and_no_part_of_it_is_left(disk, name):
    path = disk / name
    with pytest.raises(UserError, match=rf"cannot write {path.with_suffix('')}.*No space left"):
        WRITERS[name](path)
    assert [path for path in disk.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", WRITERS)
def test_on_a_full_disk_the_old_file_stays_as_it_was(disk, name):
    (disk / name).write_text("old")
    with pytest.raises(UserError):
        WRITERS[name](disk / name)
    assert (disk / name).read_text() == "old"


@pytest.mark.parametrize("name", WRITERS)
def test_in_a_folder_that_cannot_be_written_the_file_is_named(disk, name):
    assert mount("-o", "remount,ro", disk).returncode == 0
    path = disk / name
    with pytest.raises(UserError, match=f"cannot write {path.with_suffix('')}.*Read-only"):
        WRITERS[name](path)


# A whole program.


@pytest.fixture
def train(tmp_path, disk):
    """Trains a small network, with all results on the small disk."""
    examples = random_examples(40)
    arrays = {"train_images": examples.images.numpy(), "train_labels": examples.labels.numpy()}
    save_examples(tmp_path / "data.safetensors", "mnist", arrays)
    return lambda: run_program(
        *("train", "--spec", json.dumps(training_spec().to_dict()), "--seeds", "0"),
        *("--device", "cpu", "--dataset", tmp_path / "data.safetensors"),
        *("--runs", disk, "--block", disk / "block.json"),
        cwd=PROJECT,
    )


@pytest.mark.slow
def test_a_training_on_a_full_disk_says_so_and_goes_on_when_there_is_room(train, disk):
    full = train()
    assert full.status == 1
    assert f"error: cannot write {disk}" in full.printed
    assert "Traceback" not in full.printed
    assert [path for path in disk.rglob("*") if path.is_file()] == []
    assert mount("-o", "remount,size=10m", disk).returncode == 0
    ended = train()
    assert ended.status == 0, ended.printed
    assert (disk / "block.json").exists()


@pytest.mark.slow
def test_a_training_into_a_folder_that_cannot_be_written_says_so_at_once(train, disk):
    assert mount("-o", "remount,ro", disk).returncode == 0
    ended = train()
    assert ended.status == 1
    assert f"error: cannot write {disk}" in ended.printed
    assert "epoch" not in ended.printed

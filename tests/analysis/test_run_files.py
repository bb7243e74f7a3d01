"""Reading files of single runs for a table of runs."""

import numpy as np
import pytest
from run_tables import table_of_runs, write_run

from advprune.analysis.run_files import checked_file, read_curves, read_prunings
from advprune.errors import UserError
from advprune.spec.runs import Run

FIRST = Run("mnist5k", "low-loss", "0.5", 1, 0)
SECOND = Run("mnist5k", "low-loss", "0.5", 1, 7)
KEPT = {FIRST: [1, 0, 1, 0], SECOND: [0, 0, 1, 1]}


def row_of(run, **changes):
    return table_of_runs([run], **changes).iloc[0].to_dict()


def curve(*losses):
    rows = enumerate(losses, 1)
    return [{"epoch": n, "loss": loss, "validation_accuracy": None} for n, loss in rows]


@pytest.fixture
def folder(tmp_path):
    labels = np.array([0, 1, 2, 1], np.uint8)
    for run, kept in KEPT.items():
        losses = curve(2.0, run.seed + 0.5)
        write_run(tmp_path, run, curve=losses, kept=np.array(kept, np.uint8), label=labels)
    return tmp_path


def test_curves_have_a_row_for_every_run_and_epoch(folder):
    read = read_curves(table_of_runs([FIRST, SECOND]), folder)
    assert read[["method", "p", "seed", "epoch", "loss"]].to_numpy().tolist() == [
        ["low-loss", "0.5", 0, 1, 2.0],
        ["low-loss", "0.5", 0, 2, 0.5],
        ["low-loss", "0.5", 7, 1, 2.0],
        ["low-loss", "0.5", 7, 2, 7.5],
    ]


def test_only_runs_of_the_table_are_read(folder):
    read = read_curves(table_of_runs([SECOND]), folder)
    assert read["seed"].unique().tolist() == [7]


def test_what_was_kept_is_read_in_the_tables_order(folder):
    kept, labels = read_prunings(table_of_runs([SECOND, FIRST]), folder)
    assert kept.tolist() == [
        [False, False, True, True],
        [True, False, True, False],
    ]
    assert labels.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("name", ["training.csv", "pruning.safetensors"])
def test_a_file_that_changed_since_it_was_written_is_refused(folder, name):
    path = folder / FIRST.folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(UserError, match=f"{name} is not the file that .*run.json describes"):
        checked_file(row_of(FIRST), folder, name)


def test_a_file_that_is_missing_is_named(folder):
    (folder / FIRST.folder / "training.csv").unlink()
    with pytest.raises(UserError, match=r"seed000/training.csv does not exist"):
        read_curves(table_of_runs([SECOND, FIRST]), folder)


def test_other_files_of_the_run_are_not_asked_for(folder):
    (folder / FIRST.folder / "pruning.safetensors").unlink()
    assert len(read_curves(table_of_runs([FIRST]), folder)) == 2


def test_a_run_with_another_specification_than_in_the_table_is_refused(folder):
    with pytest.raises(UserError, match="with another specification: run again"):
        checked_file(row_of(FIRST, training_spec="f" * 12), folder, "training.csv")

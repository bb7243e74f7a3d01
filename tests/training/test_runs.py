"""The runs of a block: what is made, what is kept, and what they write."""

import json

import pytest
import torch
from builders import examples_for, train_on_noise, training_spec, write_dataset
from safetensors.torch import load_file

from advprune.training import runs as module
from advprune.training.runs import train_runs, write_pruning

SPEC = training_spec(method="low-loss", p="0.5")
CELL = "mnist/low-loss/p0.5/e1"


@pytest.fixture
def make(tmp_path):
    """Makes a block of runs; returns when each of their records was written."""

    def run(*seeds, spec=SPEC):
        records = train_runs(
            [spec.of_seed(seed) for seed in seeds],
            tmp_path / "data.safetensors",
            runs=tmp_path,
            starts=None,
            device=torch.device("cpu"),
            made_by={"source": "0123"},
        )
        return [record.stat().st_mtime_ns for record in records]

    write_dataset(tmp_path / "data.safetensors")
    return run


@pytest.fixture
def folder(tmp_path):
    """Of the run with seed 1."""
    return tmp_path / CELL / "seed001"


def test_each_run_has_a_folder_of_its_own(make, tmp_path):
    make(0, 1)
    assert {path.name for path in (tmp_path / CELL).iterdir()} == {"seed000", "seed001"}


def test_runs_that_are_there_are_kept(make):
    first = make(0, 1)
    assert make(0, 1, 2)[:2] == first


@pytest.mark.parametrize("name", ["run.json", "training.csv", "pruning.safetensors"])
def test_a_run_of_which_a_file_is_gone_is_made_again_and_no_other(make, folder, name):
    first = make(0, 1)
    (folder / name).unlink()
    second = make(0, 1)
    assert second[0] == first[0]
    assert second[1] != first[1]
    assert (folder / name).exists()


def test_a_run_whose_network_alone_was_deleted_is_kept(make, folder):
    first = make(0, 1)
    (folder / "model.safetensors").unlink()
    assert make(0, 1) == first


@pytest.mark.parametrize("name", ["run.json", "training.csv", "model.safetensors"])
def test_a_damaged_run_is_made_again(make, folder, name):
    first = make(1)
    with open(folder / name, "ab") as file:
        file.write(b" ")
    assert make(1) != first


def test_a_run_by_another_specification_is_made_again(make, folder):
    make(1)
    make(1, spec=training_spec(method="low-loss", p="0.5", epochs=2))
    assert json.loads((folder / "run.json").read_text())["spec"]["epochs"] == 2


def test_a_run_on_other_data_is_made_again(make, tmp_path):
    first = make(1)
    write_dataset(tmp_path / "data.safetensors", seed=1)
    assert make(1) != first


def test_a_run_is_the_same_in_whatever_block_it_is_made(make, folder):
    make(1)
    alone = (folder / "model.safetensors").read_bytes()
    for path in folder.iterdir():
        path.unlink()
    make(0, 1, 2)
    assert (folder / "model.safetensors").read_bytes() == alone


def test_what_was_made_of_a_block_that_was_cut_off_is_kept(make, monkeypatch):
    write, written = module.write_run, []

    def write_and_die(*arguments):
        if written:
            raise KeyboardInterrupt
        written.append(write(*arguments))

    monkeypatch.setattr(module, "write_run", write_and_die)
    with pytest.raises(KeyboardInterrupt):
        make(0, 1)
    monkeypatch.undo()
    first = make(0)
    assert make(0, 1)[:1] == first


@pytest.mark.parametrize(
    ("method", "names"),
    [
        pytest.param("full", {"kept", "label"}, id="never pruned"),
        pytest.param("low-loss", {"kept", "label", "distance"}, id="by loss"),
        pytest.param("low-deepfool", {"kept", "label", "distance", "converged"}, id="by DeepFool"),
    ],
)
def test_what_was_kept_is_written_with_what_it_was_pruned_by(tmp_path, method, names):
    spec = training_spec(method=method, p="0.5")
    examples = examples_for(spec)
    state = train_on_noise(spec)
    write_pruning(tmp_path / "pruning.safetensors", state, examples)
    written = load_file(tmp_path / "pruning.safetensors")
    assert written.keys() == names
    assert written["label"].tolist() == examples.labels.tolist()
    assert written["kept"].nonzero().flatten().tolist() == state.kept.tolist()

"""What is left of a run, or a start, that is packed."""

import json

import numpy as np
import pytest
from safetensors.numpy import load

from advprune.archive.reduced import reduced_run, reduced_start, rounded
from advprune.errors import UserError
from advprune.paths import RESULT_FILES, START_FILES
from advprune.plan.blocks import scored_start
from advprune.plan.exhibits import runs_of
from advprune.storage.records import check_files, read_record


@pytest.fixture
def folder(scale, config):
    return scale / "runs" / runs_of("all", config)[-1].folder


def put(files, folder):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_run_has_all_its_files_but_the_network(folder):
    assert sorted(reduced_run(folder)) == sorted(RESULT_FILES)


def test_of_the_pruning_there_is_what_was_kept_and_not_by_which_score(folder):
    whole = load((folder / "pruning.safetensors").read_bytes())
    left = load(reduced_run(folder)["pruning.safetensors"])
    assert {name: values.tolist() for name, values in left.items()} == {
        name: whole[name].tolist() for name in ("kept", "label")
    }


@pytest.mark.parametrize(
    "name", ["training.csv", "evaluation.csv", "verdicts.csv", "evaluation.json"]
)
def test_the_other_files_are_the_same_bytes(folder, name):
    assert reduced_run(folder)[name] == (folder / name).read_bytes()


def test_the_record_is_whole_and_says_what_there_was(folder, tmp_path):
    before = read_record(folder / "run.json")
    place = put(reduced_run(folder), tmp_path / "reduced")
    after = read_record(place / "run.json")
    check_files(place / "run.json", after)
    assert after.pop("reduced_from") == before.pop("files")
    assert after.pop("files").keys() == {"pruning.safetensors", "training.csv"}
    assert after == before


def test_what_is_reduced_already_stays_as_it_is(folder, tmp_path):
    files = reduced_run(folder)
    assert reduced_run(put(files, tmp_path / "reduced")) == files


def test_a_damaged_run_is_refused(folder):
    (folder / "verdicts.csv").write_text("index\n")
    with pytest.raises(UserError, match=r"verdicts.csv is not the file that .* describes"):
        reduced_run(folder)


def test_a_start_has_the_scores_that_figures_show_and_no_others(scale, config):
    start = scored_start("mnist", 0, config)
    files = reduced_start(scale / "starts" / start.folder, start.dataset, config)
    assert sorted(files) == sorted(START_FILES)
    assert sorted(load(files["scores.safetensors"])) == [
        *("converged.after_pass", "distance.after_pass", "iterations.after_pass"),
        *("label", "loss.after_pass"),
    ]
    assert "loss.in_pass" in load(
        (scale / "starts" / start.folder / "scores.safetensors").read_bytes()
    )
    assert json.loads(files["start.json"])["reduced_from"]


def test_scores_are_rounded_and_whole_numbers_are_not():
    values = np.array([1, 1 + 2**-12, 1 + 2**-13, 1 + 3 * 2**-14, 3e-7, 700.1], np.float32)
    left = rounded(values)
    assert left[:4].tolist() == [1, 1 + 2**-12, 1 + 2**-12, 1 + 2**-12]
    assert (abs(left / values - 1) <= 2**-13).all()
    assert left.dtype == np.float32
    special = np.array([0, np.inf, np.nan], np.float32)
    assert np.array_equal(rounded(special), special, equal_nan=True)
    assert rounded(np.arange(9)).tolist() == [*range(9)]


def test_the_scores_of_a_start_are_the_rounded_ones(scale, config):
    start = scored_start("mnist", 0, config)
    whole = load((scale / "starts" / start.folder / "scores.safetensors").read_bytes())
    left = load(
        reduced_start(scale / "starts" / start.folder, start.dataset, config)["scores.safetensors"]
    )
    for name in ("loss.after_pass", "distance.after_pass", "label"):
        assert np.array_equal(left[name], rounded(whole[name]), equal_nan=True)
    assert not np.array_equal(left["loss.after_pass"], whole["loss.after_pass"])

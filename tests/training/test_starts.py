"""Starts: what goes on from one is what it would be by itself, and costs less."""

import dataclasses
import json

import pytest
import torch
from builders import (
    ADVERSARIAL_METHODS,
    EARLY_STOPPING,
    PLAIN_DEEPFOOL,
    examples_for,
    pruning_of,
    training_spec,
    write_dataset,
)
from safetensors.torch import load_file

from advprune.machine.provenance import source_digest
from advprune.paths import checkpoint_of
from advprune.spec.methods import METHODS
from advprune.spec.specification import StartSpec
from advprune.storage.records import read_record, write_record
from advprune.training import algorithm, starts
from advprune.training.runs import train_runs
from advprune.training.starts import make_starts

CPU = torch.device("cpu")
MADE_BY = {"source": "0123", "threads": 1}
BOTH = ["after_pass", "in_pass"]


def spec_of(method, *, taken=None, **changes):
    """A run pruned at the end of epoch 2, its proxy taken in a certain way."""
    pruning = pruning_of(method) if METHODS[method].select else None
    if taken and METHODS[method].proxy:
        pruning = dataclasses.replace(pruning, taken=taken)
    p = "0.5" if pruning else "1.0"
    e = 2 if pruning else 1
    return training_spec(method=method, p=p, e=e, pruning=pruning, **changes)


def start_of(spec, **changes):
    settings = {"losses": BOTH, "distances": BOTH, "deepfool": PLAIN_DEEPFOOL} | changes
    return StartSpec(training=spec.on_all_data(), epoch=spec.run.e, **settings)


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path / "mnist")
    return tmp_path


@pytest.fixture
def begin(folder):
    """Makes the starts of seeds 0 and 1."""

    def run(spec, **changes):
        make_starts(
            [start_of(spec, **changes).of_seed(seed) for seed in (0, 1)],
            folder / "mnist",
            starts=folder / "starts",
            device=CPU,
            made_by=MADE_BY | {"source": source_digest(starts.PROGRAM)},
        )

    return run


@pytest.fixture
def train(folder):
    """Trains the run with seed 1, and returns its files by name and its record."""

    def run(spec, *, begun=True, made_by=MADE_BY):
        where = folder / ("begun" if begun else "alone")
        (record,) = train_runs(
            [spec.of_seed(1)],
            folder / "mnist",
            runs=where,
            starts=folder / "starts" if begun else None,
            device=CPU,
            made_by=made_by,
        )
        names = ("model.safetensors", "pruning.safetensors")
        files = {name: record.with_name(name).read_bytes() for name in names}
        curve = record.with_name("training.csv").read_text().splitlines()
        # Less the seconds.
        files["curve"] = [row.split(",")[:5] + row.split(",")[6:] for row in curve]
        return files, json.loads(record.read_text())

    return run


def passes_of(monkeypatch):
    """A list that grows by the epoch of each pass over the training set."""
    one_epoch, passes = algorithm.train_one_epoch, []

    def count(specs, states, model, examples, epoch, *rest):
        passes.append(epoch)
        return one_epoch(specs, states, model, examples, epoch, *rest)

    monkeypatch.setattr(algorithm, "train_one_epoch", count)
    return passes


@pytest.mark.parametrize("taken", BOTH)
@pytest.mark.parametrize("method", ADVERSARIAL_METHODS)
def test_a_run_that_goes_on_from_a_start_is_bit_for_bit_the_run_by_itself(
    begin, train, method, taken
):
    spec = spec_of(method, taken=taken)
    begin(spec)
    assert train(spec)[0] == train(spec, begun=False)[0]


def test_so_is_one_that_is_stopped_early(begin, train):
    spec = spec_of("low-loss", early_stopping=EARLY_STOPPING, epochs=6)
    begin(spec)
    (begun, record), (alone, other) = train(spec), train(spec, begun=False)
    assert begun == alone
    assert record["stopped_epoch"] == other["stopped_epoch"]


def test_a_run_does_no_pass_that_its_start_has_done(begin, train, monkeypatch):
    spec = spec_of("low-loss")
    begin(spec)
    passes = passes_of(monkeypatch)
    train(spec)
    assert passes == [3]


def test_a_run_measures_nothing_that_its_start_has_measured(begin, train, monkeypatch):
    spec = spec_of("low-deepfool")
    begin(spec)
    monkeypatch.setattr(algorithm, "deepfool_all", None)
    train(spec)


def test_a_state_that_was_deleted_is_trained_again_for_all(begin, train, folder, monkeypatch):
    spec = spec_of("low-loss")
    begin(spec)
    state = checkpoint_of(folder / "starts/mnist/e2/seed001/start.json")
    state.unlink()
    passes = passes_of(monkeypatch)
    files, _ = train(spec)
    assert passes == [1, 2, 3]
    assert state.exists()
    train(spec_of("random"))
    assert passes == [1, 2, 3, 3]
    assert files == train(spec, begun=False)[0]


@pytest.mark.parametrize(
    ("spec", "made_by"),
    [
        pytest.param(spec_of("low-loss"), MADE_BY | {"threads": 2}, id="elsewhere"),
        pytest.param(spec_of("low-loss", batch_size=20), MADE_BY, id="otherwise"),
        pytest.param(spec_of("low-loss", paired_seeds=False), MADE_BY, id="for paired seeds alone"),
    ],
)
def test_a_run_begins_by_itself_where_a_start_is_not_its_own(
    begin, train, monkeypatch, spec, made_by
):
    begin(spec_of("low-loss"))
    passes = passes_of(monkeypatch)
    train(spec, made_by=made_by)
    assert passes == [1, 2, 3]


def test_a_start_of_which_less_was_published_is_not_gone_on_from(begin, train, folder, monkeypatch):
    begin(spec_of("low-loss"))
    record = folder / "starts/mnist/e2/seed001/start.json"
    content = read_record(record)
    files = [record.with_name(name) for name in content["files"]]
    write_record(record, content | {"reduced_from": content["files"]}, files)
    passes = passes_of(monkeypatch)
    train(spec_of("low-loss"))
    assert passes == [1, 2, 3]


def test_a_start_of_older_code_is_not_gone_on_from(begin, train, monkeypatch):
    begin(spec_of("low-loss"))
    monkeypatch.setattr(starts, "source_digest", lambda program: "4567")
    passes = passes_of(monkeypatch)
    train(spec_of("low-loss"))
    assert passes == [1, 2, 3]


@pytest.mark.parametrize("taken", BOTH)
def test_the_seconds_of_a_run_are_the_starts_and_its_own(begin, train, folder, taken):
    spec = spec_of("low-deepfool", taken=taken)
    begin(spec)
    record = folder / "starts/mnist/e2/seed001/start.json"
    begun = json.loads(record.read_text())
    seconds = train(spec)[1]["seconds"]
    assert seconds["training"] > begun["seconds"]["training"]
    assert seconds["scoring"] >= begun["scoring_seconds"][f"deepfool {taken}"]


@pytest.mark.parametrize("method", ["low-loss", "random", "full"])
def test_distances_cost_no_run_that_does_not_use_them(begin, train, method):
    spec = spec_of(method)
    begin(spec)
    assert train(spec)[1]["seconds"].get("scoring", 0) == 0


def test_a_start_holds_what_it_was_asked_to_measure(begin, folder):
    begin(spec_of("low-loss"), losses=["in_pass"], distances=["after_pass"])
    written = load_file(folder / "starts/mnist/e2/seed000/scores.safetensors")
    assert written.keys() == {"label", "loss.in_pass"} | {
        f"{name}.after_pass" for name in ("distance", "converged", "iterations")
    }
    assert len(written["label"]) == len(examples_for(spec_of("low-loss")))


def test_starts_that_are_there_are_kept(begin, folder):
    begin(spec_of("low-loss"))
    records = sorted(folder.glob("starts/**/start.json"))
    before = [record.stat().st_mtime_ns for record in records]
    records[1].with_name("scores.safetensors").unlink()
    begin(spec_of("low-loss"))
    after = [record.stat().st_mtime_ns for record in records]
    assert after[0] == before[0]
    assert after[1] != before[1]

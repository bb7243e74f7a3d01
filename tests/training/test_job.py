"""A training job: what it goes on with, and what it writes."""

import dataclasses

import pytest
import torch
from builders import training_spec, write_dataset
from safetensors.torch import load_file

from advprune.training import job
from advprune.training.job import run_training, write_pruning

SPEC = training_spec(method="low-deepfool", p="0.5")
MADE_BY = {"source": "0123", "threads": 1}


@pytest.fixture
def train(tmp_path):
    """Trains as a job does that was started again, with the same record."""

    def run(spec=SPEC, made_by=MADE_BY, **settings):
        where = {"record": tmp_path / "run.json", "device": torch.device("cpu")}
        return run_training(spec, tmp_path / "mnist", made_by=made_by, **where, **settings)

    write_dataset(tmp_path / "mnist")
    return run


@pytest.fixture
def killed(train, monkeypatch):
    """Lets a job be killed once it has saved an epoch."""
    save = job.save_checkpoint

    def save_and_die(path, state, key):
        save(path, state, key)
        if state.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(job, "save_checkpoint", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        train()
    monkeypatch.undo()


@pytest.mark.usefixtures("killed")
def test_a_job_goes_on_after_the_last_epoch_of_one_that_was_killed(train, caplog):
    caplog.set_level("INFO")
    state, _ = train()
    assert "going on after epoch 2" in caplog.text
    assert state.epoch == SPEC.epochs


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"spec": dataclasses.replace(SPEC, epochs=2)}, id="another specification"),
        pytest.param({"made_by": MADE_BY | {"source": "4567"}}, id="other code"),
        pytest.param({"made_by": MADE_BY | {"threads": 2}}, id="other threads"),
        pytest.param({"stop_after": 1}, id="another end"),
        pytest.param({}, id="other data"),
    ],
)
@pytest.mark.usefixtures("killed")
def test_a_job_starts_anew_under_anything_else(train, change, tmp_path, caplog):
    if not change:
        write_dataset(tmp_path / "mnist", seed=1)
    train(**change)
    assert "is not used: it belongs to another" in caplog.text


def test_the_images_to_train_on_are_the_first(train):
    state, examples = train(dataclasses.replace(SPEC, train_examples=30))
    assert (len(examples), state.curve[0].examples) == (30, 30)


@pytest.mark.parametrize(
    ("method", "names"),
    [
        pytest.param("full", {"kept", "label"}, id="never pruned"),
        pytest.param("low-loss", {"kept", "label", "distance"}, id="by loss"),
        pytest.param("low-deepfool", {"kept", "label", "distance", "converged"}, id="by DeepFool"),
    ],
)
def test_what_was_kept_is_written_with_what_it_was_pruned_by(train, tmp_path, method, names):
    state, examples = train(training_spec(method=method, p="0.5"))
    write_pruning(tmp_path / "pruning.safetensors", state, examples)
    written = load_file(tmp_path / "pruning.safetensors")
    assert written.keys() == names
    assert written["label"].tolist() == examples.labels.tolist()
    assert written["kept"].nonzero().flatten().tolist() == state.kept.tolist()

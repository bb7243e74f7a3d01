"""A training job: what it goes on with, and what it writes."""

import dataclasses

import pytest
import torch
from builders import training_spec, write_dataset

from advprune.training import job
from advprune.training.job import load_data, run_training

SPEC = training_spec(method="low-deepfool", p="0.5")
MADE_BY = {"source": "0123", "threads": 1}


@pytest.fixture
def train(tmp_path):
    """Trains as a job does that was started again, with the same record."""

    def run(spec=SPEC, made_by=MADE_BY, **settings):
        data = load_data(spec, tmp_path / "mnist", torch.device("cpu"))
        record = tmp_path / "run.json"
        return run_training({record: spec}, data, made_by=made_by, **settings)[record]

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
    state = train()
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
    assert train(dataclasses.replace(SPEC, train_examples=30)).curve[0].examples == 30


def test_a_job_begins_with_the_state_that_it_is_given(train):
    begun = train(SPEC.on_all_data(), stop_after=1)
    state = train(begin=lambda spec: begun)
    assert [record.epoch for record in state.curve] == [1, 2, 3]


@pytest.mark.usefixtures("killed")
def test_a_job_that_goes_on_asks_for_no_state_to_begin_with(train):
    def fail():
        raise AssertionError

    assert train(begin=fail).epoch == SPEC.epochs

"""Going on with a run that was interrupted."""

import dataclasses

import numpy as np
import pytest
import torch
from builders import (
    EARLY_STOPPING,
    PRUNED_BEFORE,
    WIDE,
    examples_for,
    numerics,
    resnet_spec,
    same_tensors,
    train_on_noise,
    training_spec,
    weights_of,
)

from advprune.training import algorithm, checkpoints
from advprune.training.algorithm import train
from advprune.training.checkpoints import restore_checkpoint, save_checkpoint
from advprune.training.state import start


class JobEndedError(Exception):
    """Stands for whatever ends a job early."""


def interrupt(spec, examples, path, *, after):
    """Train until an epoch is saved, and no further."""

    def save_and_fail(state):
        save_checkpoint(path, state, spec.digest)
        if state.epoch == after:
            raise JobEndedError

    with pytest.raises(JobEndedError):
        train(spec, examples, validation=examples, save=save_and_fail)


SPEC = training_spec()
EXAMPLES = examples_for(SPEC)


def resume(spec, examples, path):
    state = start(spec, examples)
    assert restore_checkpoint(path, state, spec.digest)
    return train(spec, examples, validation=examples, state=state)


def assert_same_validation(first, second):
    assert same_tensors(first.best_weights or {}, second.best_weights or {})
    plain = [dataclasses.replace(each, best_weights=None) for each in (first, second)]
    assert plain[0] == plain[1]


def curve_without_seconds(state):
    return [dataclasses.replace(record, seconds=0.0) for record in state.curve]


EPOCHS = 3
RECIPES = [
    pytest.param(training_spec(), id="Adam, no pruning"),
    pytest.param(training_spec(method="low-loss", p="0.5", e=2), id="Adam, pruned by loss"),
    pytest.param(training_spec(method="high-deepfool", p="0.5", e=2), id="Adam, by DeepFool"),
    pytest.param(resnet_spec(method="random", p="0.5"), id="SGD, batch statistics, at random"),
    pytest.param(
        resnet_spec(width=WIDE, numerics=numerics(channels_last=True)),
        id="channels last",
    ),
    pytest.param(training_spec(numerics=numerics(precision="bfloat16")), id="bfloat16"),
    pytest.param(training_spec(numerics=numerics(precision="float16")), id="float16"),
    pytest.param(
        training_spec(method="low-loss", p="0.5", optimiser="sgd", max_learning_rate=1e30),
        id="diverged",
    ),
    pytest.param(
        # So patient that it goes on to the last epoch, whatever this machine's arithmetic finds.
        resnet_spec(
            method="random",
            p="0.5",
            paired_seeds=False,
            early_stopping=dataclasses.replace(EARLY_STOPPING, patience=EPOCHS),
        ),
        id="validated",
    ),
    pytest.param(
        training_spec(
            method="low-loss",
            p="0.5",
            e=2,
            pruning=PRUNED_BEFORE,
        ),
        id="pruned before",
    ),
]


@pytest.mark.parametrize("spec", RECIPES)
@pytest.mark.parametrize("after", range(1, EPOCHS + 1), ids="after epoch {}".format)
def test_a_run_that_was_resumed_ends_as_if_it_had_not_been_interrupted(spec, after, tmp_path):
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    interrupt(spec, examples, path, after=after)
    resumed = resume(spec, examples, path)
    uninterrupted = train(spec, examples, validation=examples)

    assert same_tensors(weights_of(resumed), weights_of(uninterrupted))
    assert torch.equal(resumed.kept, uninterrupted.kept)
    np.testing.assert_array_equal(resumed.distance, uninterrupted.distance)
    np.testing.assert_array_equal(resumed.converged, uninterrupted.converged)
    assert repr(curve_without_seconds(resumed)) == repr(curve_without_seconds(uninterrupted))
    assert resumed.diverged_epoch == uninterrupted.diverged_epoch
    assert_same_validation(resumed.validation, uninterrupted.validation)
    assert resumed.scaler.state_dict() == uninterrupted.scaler.state_dict()


@pytest.mark.parametrize("after", [1, 2, 3, 4], ids="after epoch {}".format)
def test_a_run_that_is_stopped_early_is_stopped_early_too_when_resumed(
    after, tmp_path, monkeypatch
):
    spec = training_spec(epochs=6, early_stopping=EARLY_STOPPING)
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"

    def train_as_told(run, first):
        told = iter([0.1, 0.5, 0.4, 0.3][first:])
        monkeypatch.setattr(algorithm, "robust_share", lambda *given, **options: next(told))
        return run()

    uninterrupted = train_as_told(lambda: train(spec, examples, validation=examples), 0)
    train_as_told(lambda: interrupt(spec, examples, path, after=after), 0)
    resumed = train_as_told(lambda: resume(spec, examples, path), after)
    assert (resumed.epoch, resumed.validation.stopped_epoch) == (4, 4)
    assert same_tensors(weights_of(resumed), weights_of(uninterrupted))
    assert_same_validation(resumed.validation, uninterrupted.validation)


@pytest.fixture
def interrupted(tmp_path):
    """The state of a run after its first epoch, and the checkpoint."""
    path = tmp_path / "checkpoint.safetensors"
    state = train_on_noise(SPEC, stop_after=1)
    save_checkpoint(path, state, SPEC.digest)
    return state, path


def test_seconds_go_on_from_where_they_were(interrupted):
    state, path = interrupted
    state.stopwatch.seconds = {"training": 1_000.0}
    save_checkpoint(path, state, SPEC.digest)
    assert 1_000 < resume(SPEC, EXAMPLES, path).stopwatch.seconds["training"] < 1_010


def test_a_run_that_was_resumed_started_when_its_first_attempt_did(interrupted):
    state, path = interrupted
    assert resume(SPEC, EXAMPLES, path).started == state.started


def test_a_run_that_is_already_done_is_not_trained_on(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    interrupt(SPEC, EXAMPLES, path, after=EPOCHS)
    assert resume(SPEC, EXAMPLES, path).epoch == EPOCHS


def test_a_runs_own_checkpoint_is_gone_on_from(interrupted):
    assert checkpoints.resume(interrupted[1], SPEC, EXAMPLES, SPEC.digest).epoch == 1


def test_another_works_checkpoint_is_not_gone_on_from(interrupted):
    assert checkpoints.resume(interrupted[1], SPEC, EXAMPLES, "another") is None


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(tmp_path):
    assert checkpoints.resume(tmp_path / "none", SPEC, EXAMPLES, SPEC.digest) is None


def test_a_checkpoint_that_fills_a_part_of_the_state_alone_is_not_used(tmp_path):
    # Under the same key, what a run with a wider hidden layer has saved: some of it fits.
    path = tmp_path / "checkpoint.safetensors"
    wider = dataclasses.replace(SPEC, width=0.26)
    save_checkpoint(path, train_on_noise(wider, stop_after=1), "key")
    assert checkpoints.resume(path, SPEC, EXAMPLES, "key") is None


def test_saving_does_not_change_the_run(tmp_path):
    spec = resnet_spec(method="random", p="0.5")
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    saved = train(spec, examples, save=lambda state: save_checkpoint(path, state, spec.digest))
    assert same_tensors(weights_of(saved), weights_of(train(spec, examples)))

"""Going on with a run that was interrupted."""

import dataclasses
import logging

import numpy as np
import pytest
import torch
from builders import (
    EARLY_STOPPING,
    PLAIN,
    PLAIN_PRUNING,
    WIDE,
    examples_for,
    resnet_spec,
    same_tensors,
    training_spec,
    weights_of,
)

from advprune import training
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
        train(spec, examples, validation=examples, after_epoch=save_and_fail)


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
        resnet_spec(width=WIDE, numerics=dataclasses.replace(PLAIN, channels_last=True)),
        id="channels last",
    ),
    pytest.param(
        training_spec(numerics=dataclasses.replace(PLAIN, precision="bfloat16")), id="bfloat16"
    ),
    pytest.param(
        training_spec(numerics=dataclasses.replace(PLAIN, precision="float16")), id="float16"
    ),
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
            pruning=dataclasses.replace(PLAIN_PRUNING, when="before_epoch"),
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
        monkeypatch.setattr(training, "robust_share", lambda *given, **options: next(told))
        return run()

    uninterrupted = train_as_told(lambda: train(spec, examples, validation=examples), 0)
    train_as_told(lambda: interrupt(spec, examples, path, after=after), 0)
    resumed = train_as_told(lambda: resume(spec, examples, path), after)
    assert (resumed.epoch, resumed.validation.stopped_epoch) == (4, 4)
    assert same_tensors(weights_of(resumed), weights_of(uninterrupted))
    assert_same_validation(resumed.validation, uninterrupted.validation)


def test_seconds_go_on_from_where_they_were(tmp_path):
    spec = training_spec()
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    state = train(spec, examples, stop_after=1)
    state.stopwatch.seconds = {"training": 1_000.0}
    save_checkpoint(path, state, spec.digest)
    assert 1_000 < resume(spec, examples, path).stopwatch.seconds["training"] < 1_010


def test_a_run_that_was_resumed_started_when_its_first_attempt_did(tmp_path):
    spec = training_spec()
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    state = train(spec, examples, stop_after=1)
    save_checkpoint(path, state, spec.digest)
    assert resume(spec, examples, path).started == state.started


def test_a_run_that_is_already_done_is_not_trained_on(tmp_path):
    spec = training_spec()
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    interrupt(spec, examples, path, after=EPOCHS)
    assert resume(spec, examples, path).epoch == EPOCHS


def test_without_a_checkpoint_a_run_starts_from_the_beginning(tmp_path):
    spec = training_spec()
    state = start(spec, examples_for(spec))
    assert restore_checkpoint(tmp_path / "checkpoint.safetensors", state, spec.digest) is False
    assert state.epoch == 0


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a run that was interrupted after its first epoch."""
    spec = training_spec(method="low-loss", p="0.5")
    path = tmp_path / "checkpoint.safetensors"
    interrupt(spec, examples_for(spec), path, after=1)
    return path


def restored(path, spec):
    state = start(spec, examples_for(spec))
    before = weights_of(state)
    found = restore_checkpoint(path, state, spec.digest)
    assert found or same_tensors(weights_of(state), before)  # all of it or nothing
    return found


def assert_discarded(path, spec, caplog):
    with caplog.at_level(logging.WARNING):
        assert restored(path, spec) is False
    assert not path.exists()
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]


OF_CHECKPOINT = training_spec(method="low-loss", p="0.5")


def test_an_untouched_checkpoint_is_used(checkpoint):
    assert restored(checkpoint, OF_CHECKPOINT) is True
    assert checkpoint.exists()


def replaced(old, new):
    def damage(content):
        assert content.count(old) >= 1
        return content.replace(old, new, 1)

    return damage


def flipped(place):
    def damage(content):
        altered = bytearray(content)
        altered[place] ^= 1
        return bytes(altered)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:5], id="cut in the length of the header"),
        pytest.param(lambda content: content[:200], id="cut in the header"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut in the middle"),
        pytest.param(lambda content: content[:-1], id="cut by a byte"),
        pytest.param(lambda content: content + b"\0", id="a byte too many"),
        pytest.param(lambda content: b"garbage" * 1_000, id="garbage"),
        pytest.param(lambda content: b"\0" * len(content), id="zeros"),
        pytest.param(flipped(0), id="another length of the header"),
        pytest.param(flipped(-1), id="a bit of the last tensor"),
        pytest.param(flipped(-9_000), id="a bit of a tensor in the middle"),
        pytest.param(replaced(b"weights.0.bias", b"weights.0.bios"), id="a tensor's name"),
        pytest.param(replaced(b'"F32"', b'"I32"'), id="a tensor's type"),
        pytest.param(replaced(b'\\"epoch\\": 1', b'\\"epoch\\": 2'), id="the epoch"),
        pytest.param(replaced(b'\\"examples\\": 40', b'\\"examples\\": 41'), id="the curve"),
        pytest.param(replaced(b'\\"seconds\\"', b'\\"seconda\\"'), id="a key"),
        pytest.param(replaced(b'\\"epoch\\": ', b'\\"epoch\\"; '), id="broken JSON"),
        pytest.param(replaced(b"__metadata__", b"__metadatb__"), id="no metadata"),
    ],
)
def test_a_damaged_checkpoint_is_discarded(damage, checkpoint, caplog):
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    assert_discarded(checkpoint, OF_CHECKPOINT, caplog)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(training_spec(method="low-loss", p="0.5", seed=1), id="another seed"),
        pytest.param(training_spec(method="low-loss", p="0.6"), id="another share"),
        pytest.param(training_spec(method="high-loss", p="0.5"), id="another method"),
        pytest.param(training_spec(method="low-loss", p="0.5", epochs=4), id="more epochs"),
        pytest.param(training_spec(method="low-loss", p="0.5", width=0.5), id="another network"),
        pytest.param(training_spec(method="low-loss", p="0.5", peak=0.5), id="another schedule"),
    ],
)
def test_a_checkpoint_of_another_specification_is_discarded(spec, checkpoint, caplog):
    assert_discarded(checkpoint, spec, caplog)


def test_any_altered_byte_is_noticed_or_harmless(checkpoint):
    """Flips single bits all over the file: what is restored is what was saved, or nothing."""
    content = checkpoint.read_bytes()
    whole = start(OF_CHECKPOINT, examples_for(OF_CHECKPOINT))
    restore_checkpoint(checkpoint, whole, OF_CHECKPOINT.digest)
    for place in np.random.default_rng(0).integers(0, len(content), 150):
        checkpoint.write_bytes(flipped(place)(content))
        state = start(OF_CHECKPOINT, examples_for(OF_CHECKPOINT))
        if restore_checkpoint(checkpoint, state, OF_CHECKPOINT.digest):
            assert same_tensors(weights_of(state), weights_of(whole))
            assert repr(state.curve) == repr(whole.curve)


def test_saving_leaves_no_temporary_file_behind(checkpoint):
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_saving_does_not_change_the_run(tmp_path):
    spec = resnet_spec(method="random", p="0.5")
    examples = examples_for(spec)
    path = tmp_path / "checkpoint.safetensors"
    saved = train(
        spec, examples, after_epoch=lambda state: save_checkpoint(path, state, spec.digest)
    )
    assert same_tensors(weights_of(saved), weights_of(train(spec, examples)))

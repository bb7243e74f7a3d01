"""Early stopping by test images under PGD."""

import dataclasses

import pytest
import torch
from builders import (
    EARLY_STOPPING,
    examples_for,
    linear_classifier,
    resnet_spec,
    same_tensors,
    train_on_noise,
    training_spec,
    weights_of,
)

from advprune.data.examples import Examples
from advprune.training import algorithm
from advprune.training.algorithm import train
from advprune.training.early_stopping import robust_share


def stopped_spec(**changes):
    return training_spec(epochs=6, early_stopping=EARLY_STOPPING, **changes)


def train_with(spec, accuracies, monkeypatch, **arguments):
    """Train where PGD is said to leave these accuracies after the epochs; also the weights then."""
    told = iter(accuracies)
    history = []

    def accuracy(model, test, **options):
        history.append({k: v.clone() for k, v in model.network.state_dict().items()})
        return next(told)

    monkeypatch.setattr(algorithm, "robust_share", accuracy)
    examples = examples_for(spec)
    return train(spec, examples, validation=examples, **arguments), history


@pytest.mark.parametrize(
    ("accuracies", "stopped", "best"),
    [
        pytest.param([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], None, 6, id="it rises to the end"),
        pytest.param([0.1, 0.5, 0.4, 0.3, 0.9, 0.9], 4, 2, id="two epochs without a rise"),
        pytest.param([0.1, 0.5, 0.4, 0.6, 0.5, 0.5], 6, 4, id="a rise in time"),
        pytest.param([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 3, 1, id="the same is no rise"),
        pytest.param([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2, 0, id="no image ever withstands"),
    ],
)
def test_training_ends_once_patience_is_at_its_end(accuracies, stopped, best, monkeypatch):
    state, _ = train_with(stopped_spec(), accuracies, monkeypatch)
    assert (state.validation.stopped_epoch, state.validation.best_epoch) == (stopped, best)
    assert state.epoch == (stopped or 6)


def test_the_best_weights_are_put_back_when_training_is_stopped(monkeypatch):
    state, history = train_with(stopped_spec(), [0.1, 0.5, 0.4, 0.3], monkeypatch)
    assert same_tensors(weights_of(state), history[1])
    assert not same_tensors(history[1], history[3])


def test_the_last_weights_stay_when_training_is_not_stopped(monkeypatch):
    state, history = train_with(stopped_spec(), [0.1, 0.2, 0.3, 0.4, 0.9, 0.8], monkeypatch)
    assert same_tensors(weights_of(state), history[5])


def test_the_last_weights_stay_when_no_epoch_was_any_good(monkeypatch):
    state, history = train_with(stopped_spec(), [0.0, 0.0], monkeypatch)
    assert same_tensors(weights_of(state), history[1])


def test_the_curve_holds_the_accuracies(monkeypatch):
    state, _ = train_with(stopped_spec(), [0.1, 0.5, 0.4, 0.3], monkeypatch)
    assert [record.validation_accuracy for record in state.curve] == [0.1, 0.5, 0.4, 0.3]


def test_without_early_stopping_there_is_no_accuracy_and_no_validation():
    state = train_on_noise(training_spec())
    assert [record.validation_accuracy for record in state.curve] == [None] * 3
    assert "validation" not in state.stopwatch.seconds


@pytest.mark.parametrize("kind", [training_spec, resnet_spec])
def test_validation_changes_nothing_as_long_as_training_is_not_stopped(kind):
    spec = kind(method="low-loss", p="0.5")
    patient = dataclasses.replace(EARLY_STOPPING, patience=9)
    examples = examples_for(spec)
    plain = train(spec, examples)
    validated = train(
        dataclasses.replace(spec, early_stopping=patient), examples, validation=examples
    )
    assert same_tensors(weights_of(validated), weights_of(plain))


def test_the_seconds_of_the_curve_leave_validation_out():
    spec = stopped_spec()
    examples = examples_for(spec)
    state = train(spec, examples, validation=examples)
    seconds = dict(state.stopwatch.seconds)
    assert seconds.pop("validation") > 0
    assert state.curve[-1].seconds == pytest.approx(sum(seconds.values()))


@pytest.mark.parametrize(("asked", "attacked"), [(7, 7), (None, 40)])
def test_as_many_test_images_as_asked_are_attacked_within_the_bound(asked, attacked, monkeypatch):
    settings = dataclasses.replace(EARLY_STOPPING, examples=asked, steps=3)
    spec = training_spec(early_stopping=settings, epochs=1)
    seen = []

    def look(model, test, *, epsilon, steps, generator):
        seen.append((len(test), epsilon, steps))
        return 0.5

    monkeypatch.setattr(algorithm, "robust_share", look)
    examples = examples_for(spec)
    train(spec, examples, validation=examples)
    assert seen == [(attacked, spec.epsilon, 3)]


def test_a_run_that_needs_the_test_set_says_so():
    spec = stopped_spec()
    with pytest.raises(ValueError, match=r"mnist/full.* needs the test set"):
        train_on_noise(spec)


def test_the_robust_share_counts_images_farther_from_the_boundary_than_the_bound():
    # Boundary 0.5, bound 0.1. Steps of 0.1 in all from a start in [-0.1, 0.1] end at 0 or below.
    images = torch.tensor([0.45, 0.5, 0.7, 0.9]).view(-1, 1, 1, 1) * 255
    share = robust_share(
        linear_classifier(torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, -0.5])),
        Examples(images, torch.ones(4, dtype=torch.int64)),
        epsilon=0.1,
        steps=40,
        generator=torch.Generator().manual_seed(0),
    )
    assert share == 0.5

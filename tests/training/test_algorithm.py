"""Training with pruning (Algorithm 1)."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from builders import (
    ADVERSARIAL_METHODS,
    EARLY_STOPPING,
    PLAIN_PRUNING,
    PRUNED_BEFORE,
    PRUNING_METHODS,
    examples_for,
    numerics,
    random_examples,
    resnet_spec,
    same_tensors,
    train_on_noise,
    training_spec,
    weights_of,
)
from workflow_tools import PROJECT

from advprune.data.examples import Examples
from advprune.plan.config import load_config
from advprune.plan.specify import training_spec as planned_spec
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.training import algorithm, epoch
from advprune.training.algorithm import train
from advprune.training.deepfool import deepfool
from advprune.training.state import start

KINDS = [
    pytest.param(training_spec, id="MNIST's recipe"),
    pytest.param(resnet_spec, id="CIFAR10's recipe"),
]


def weights_by_epoch(spec):
    """The weights after each epoch, and before the first as number 0."""
    history = {0: weights_of(start(spec, examples_for(spec)))}
    train_on_noise(spec, save=lambda state: history.update({state.epoch: weights_of(state)}))
    return list(history.values())


# The same run is the same, and runs differ only where they should


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_specification_gives_the_same_weights(kind):
    spec = kind(method="low-loss", p="0.5")
    first = train_on_noise(spec)
    torch.rand(7)  # the global random state plays no part
    assert same_tensors(weights_of(train_on_noise(spec)), weights_of(first))


def test_training_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    train_on_noise(resnet_spec(method="random", p="0.5", epochs=2))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("method", [name for name in ADVERSARIAL_METHODS if name != "full"])
def test_methods_share_their_weights_up_to_the_pruning_epoch(method):
    full = weights_by_epoch(training_spec())
    pruned = weights_by_epoch(training_spec(method=method, p="0.5", e=2))
    assert [same_tensors(a, b) for a, b in zip(full, pruned, strict=True)] == [True] * 3 + [False]


def test_shares_share_their_weights_up_to_the_pruning_epoch():
    half, most = (
        weights_by_epoch(training_spec(method="random", p=p, e=2)) for p in ("0.5", "0.9")
    )
    assert [same_tensors(a, b) for a, b in zip(half, most, strict=True)] == [True] * 3 + [False]


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_keeping_every_example_is_training_without_pruning(method):
    full, kept_all = (weights_of(train_on_noise(training_spec(method=m))) for m in ("full", method))
    assert same_tensors(kept_all, full)


@pytest.mark.parametrize("paired", [True, False])
def test_of_two_runs_pruned_at_random_one_keeps_a_part_of_the_others_only_if_paired(paired):
    few, more = (
        set(train_on_noise(training_spec(method="random", p=p, paired_seeds=paired)).kept.tolist())
        for p in ("0.5", "0.6")
    )
    assert (few < more) is paired


# Pruning


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        pytest.param(1, [40, 24, 24], id="after the first epoch"),
        pytest.param(2, [40, 40, 24], id="after the second epoch"),
        pytest.param(3, [40, 40, 40], id="after the last epoch"),
    ],
)
def test_the_curve_counts_the_examples_trained_on(e, expected):
    curve = train_on_noise(training_spec(method="low-loss", p="0.6", e=e)).curve
    assert [record.examples for record in curve] == expected


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_a_run_that_stops_at_the_pruning_epoch_stops_before_pruning(method):
    state = train_on_noise(training_spec(method=method, p="0.5", e=2), stop_after=2)
    assert state.epoch == 2
    assert len(state.kept) == 40
    assert state.distance is None


def test_low_loss_pruning_drops_the_examples_with_the_highest_loss():
    spec = training_spec(method="low-loss", p="0.5", e=2)
    losses = train_on_noise(spec, stop_after=2).losses
    kept = train_on_noise(spec).kept
    dropped = sorted(set(range(40)) - set(kept.tolist()))
    assert losses[kept].max() <= losses[dropped].min()


def test_high_deepfool_pruning_drops_the_examples_farthest_by_deepfool():
    spec = training_spec(method="high-deepfool", p="0.5", e=2)
    before = train_on_noise(spec, stop_after=2)
    images, _ = examples_for(spec).batch(slice(None))
    distance = deepfool(before.classifier, images, spec.deepfool).distance
    kept = train_on_noise(spec).kept
    dropped = sorted(set(range(40)) - set(kept.tolist()))
    assert distance[kept].max() <= distance[dropped].min()


IN_THE_PASS = training_spec(
    method="high-deepfool",
    p="0.5",
    pruning=dataclasses.replace(PLAIN_PRUNING, taken="in_pass"),
    epochs=2,
)


def test_distances_in_the_pass_are_those_of_the_network_before_each_update(monkeypatch):
    measured = []

    def measure(model, images, settings):
        found = deepfool(model, images, settings)
        measured.append((found, [*map(torch.clone, model.parameters())]))
        return found

    updated = []
    real_update = epoch.Learner.update

    def update(learner, *arguments):
        (group,) = learner.optimiser.param_groups
        updated.append([*map(torch.clone, group["params"])])
        real_update(learner, *arguments)

    monkeypatch.setattr(epoch, "deepfool", measure)
    monkeypatch.setattr(epoch.Learner, "update", update)
    state = train_on_noise(IN_THE_PASS, stop_after=1, in_pass=IN_THE_PASS.deepfool)
    assert len(measured) == 3  # batches of 16, 16 and 8
    for (_, weights), before in zip(measured, updated, strict=True):
        assert all(map(torch.equal, weights, before))
    together = torch.cat([found.distance for found, _ in measured])
    assert sorted(together.tolist()) == sorted(state.distances.distance.tolist())


def test_a_run_is_pruned_by_the_distances_in_the_pass_if_asked():
    measured = train_on_noise(IN_THE_PASS, stop_after=1, in_pass=IN_THE_PASS.deepfool).distances
    kept = train_on_noise(IN_THE_PASS).kept
    dropped = sorted(set(range(40)) - set(kept.tolist()))
    assert measured.distance[kept].max() <= measured.distance[dropped].min()


def test_measuring_in_the_pass_changes_no_weight():
    measured = train_on_noise(IN_THE_PASS, stop_after=1, in_pass=IN_THE_PASS.deepfool)
    assert same_tensors(weights_of(measured), weights_of(train_on_noise(IN_THE_PASS, stop_after=1)))


def test_distances_in_the_pass_are_scoring_and_not_training():
    assert train_on_noise(IN_THE_PASS).stopwatch.seconds["scoring"] > 0


def test_the_loss_after_the_pass_is_by_the_network_that_the_epoch_ends_with():
    after = dataclasses.replace(PLAIN_PRUNING, taken="after_pass")
    spec = training_spec(method="low-loss", p="0.5", pruning=after, epochs=2)
    scored = train_on_noise(spec)
    assert not np.allclose(scored.distance, -train_on_noise(spec, stop_after=1).losses.numpy())


@pytest.mark.parametrize("count", [None, 7])
def test_early_stopping_attacks_as_many_test_images_drawn_once_a_run(count):
    settings = dataclasses.replace(EARLY_STOPPING, examples=count)
    specs = [training_spec(seed=seed, early_stopping=settings) for seed in (0, 0, 1)]
    first, again, other = (algorithm.validation_images(spec, 40).tolist() for spec in specs)
    assert len(set(first)) == (count or 40)
    assert first == again != other


def test_the_examples_that_were_dropped_have_no_loss_any_more():
    state = train_on_noise(training_spec(method="random", p="0.5"))
    assert state.losses.isfinite().nonzero().flatten().tolist() == state.kept.tolist()


@pytest.mark.parametrize(
    ("method", "phases"),
    [
        pytest.param("full", {"training"}, id="full"),
        pytest.param("random", {"training", "pruning"}, id="random"),
        pytest.param("low-loss", {"training", "pruning"}, id="the loss costs no scoring"),
        pytest.param("low-deepfool", {"training", "scoring", "pruning"}, id="deepfool"),
    ],
)
def test_seconds_are_counted_by_phase(method, phases):
    seconds = train_on_noise(training_spec(method=method)).stopwatch.seconds
    assert seconds.keys() == phases
    assert min(seconds.values()) > 0


@pytest.mark.parametrize("method", ["full", "low-loss", "low-deepfool"])
def test_the_last_row_of_the_curve_counts_all_seconds(method):
    state = train_on_noise(training_spec(method=method, p="0.9"))
    total = sum(state.stopwatch.seconds.values())
    assert state.curve[-1].seconds == pytest.approx(total, rel=0.2)


@pytest.mark.parametrize("method", PRUNING_METHODS)
@pytest.mark.parametrize(
    ("e", "expected"),
    [
        pytest.param(1, [24, 24, 24], id="before any training"),
        pytest.param(3, [40, 40, 24], id="before the last epoch"),
    ],
)
def test_pruned_before_epoch_e_that_epoch_sees_the_share(method, e, expected):
    spec = training_spec(method=method, p="0.6", e=e, pruning=PRUNED_BEFORE)
    assert [record.examples for record in train_on_noise(spec).curve] == expected


def test_examples_are_pruned_as_the_specification_says():
    # A tenth of 40 is 4, in floating point 3 and a bit, and a tenth of each class's 4 is none.
    kept = []
    for changes in ({}, {"rounding": "of_dropped"}, {"class_balanced": True}):
        pruning = dataclasses.replace(PLAIN_PRUNING, **changes)
        spec = training_spec(method="random", p="0.9", pruning=pruning, epochs=1)
        kept.append(len(train_on_noise(spec).kept))
    assert kept == [36, 37, 40]


def test_the_loss_proxy_is_the_loss_negated():
    spec = training_spec(method="low-loss", p="0.5", e=2)
    losses = train_on_noise(spec, stop_after=2).losses
    np.testing.assert_array_equal(train_on_noise(spec).distance, -losses.numpy())


def test_training_learns_what_can_be_learned():
    labels = torch.arange(100) % 10
    images = torch.zeros(100, 1, 28, 28, dtype=torch.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label + 3 : 2 * label + 5] = 255  # a bar whose height tells the class
    state = train(training_spec(epochs=20, batch_size=10), Examples(images, labels))
    assert state.curve[-1].accuracy > 0.95


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("study", ["mnist", "cifar10"])
def test_every_method_trains_to_its_end_under_the_released_protocol(method, study):
    config = load_config(PROJECT / "config/smoke.yaml", PROJECT / "config/released.yaml")
    dataset = config["studies"][study]["dataset"]
    p = "0.6" if METHODS[method].select else "1.0"
    spec = planned_spec(Run(dataset, method, p, 1, 0), config)
    examples = random_examples(40, shape=DATASETS[dataset].shape)
    state = train(spec, examples, validation=examples)
    assert [record.examples for record in state.curve] == [40, 40 if p == "1.0" else 24]
    assert ("validation" in state.stopwatch.seconds) == (method != "standard")


# Runs that diverge


def diverging(**changes):
    return training_spec(optimiser="sgd", max_learning_rate=1e30, **changes)


def test_the_first_epoch_with_a_loss_that_is_not_finite_is_recorded():
    state = train_on_noise(diverging())
    first = next(record.epoch for record in state.curve if not math.isfinite(record.loss))
    assert state.diverged_epoch == first


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_a_run_that_diverges_is_pruned_and_trained_to_its_end(method):
    state = train_on_noise(diverging(method=method, p="0.6", e=1))
    assert [record.examples for record in state.curve] == [40, 24, 24]
    assert state.diverged_epoch == 1


@pytest.mark.parametrize("deterministic", [False, True])
def test_kernels_are_chosen_by_trial_in_training_alone_where_shapes_repeat(
    monkeypatch, deterministic
):
    # Tried for every size of DeepFool's shrinking batches, they took it ten times as long.
    seen = {"training": set(), "scoring": set()}

    def noting(phase, function):
        def call(*arguments, **named):
            seen[phase].add(torch.backends.cudnn.benchmark)
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(epoch, "fgsm", noting("training", epoch.fgsm))
    monkeypatch.setattr(algorithm, "deepfool_all", noting("scoring", algorithm.deepfool_all))
    deterministically = numerics(deterministic=deterministic)
    train_on_noise(training_spec(method="low-deepfool", p="0.5", numerics=deterministically))
    assert seen == {"training": {not deterministic}, "scoring": {False}}

"""What each switch between paper and released code does, beside what is tested of its stage.

docs/paper_notes.md says it in words; the switches are listed in tests/test_protocols.py.
"""

import copy
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch
from builders import (
    MADE_WITH,
    PLAIN_DEEPFOOL,
    PLAIN_PRUNING,
    PRUNING_METHODS,
    examples_for,
    linear_classifier,
    random_examples,
    same_tensors,
    training_spec,
    weights_of,
)
from torch.nn import functional
from workflow_tools import PROJECT

from advprune import training
from advprune.data.examples import Examples
from advprune.figures.accuracy import draw_accuracy
from advprune.figures.figure5 import draw_training_time, time_points
from advprune.figures.pruning_epoch import draw_pruning_epoch, pruning_epoch_points
from advprune.plan.config import load_config
from advprune.plan.specify import training_spec as training_spec_of
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run, training_seconds
from advprune.tables.figure8 import figure8
from advprune.training.algorithm import train
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.pruning import count_to_keep
from advprune.training.scoring import deepfool_all
from advprune.training.state import generator_for, start

BEFORE = dataclasses.replace(PLAIN_PRUNING, when="before_epoch")


def train_on_noise(spec, **arguments):
    return train(spec, examples_for(spec), **arguments)


# All of them together


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("study", ["mnist", "cifar10"])
def test_every_method_trains_to_its_end_under_the_released_protocol(method, study):
    config = load_config(PROJECT / "config/smoke.yaml", PROJECT / "config/released.yaml")
    dataset = config["studies"][study]["dataset"]
    p = "0.6" if METHODS[method].select else "1.0"
    spec = training_spec_of(Run(dataset, method, p, 1, 0), config)
    examples = random_examples(40, shape=DATASETS[dataset].shape)
    state = train(spec, examples, validation=examples)
    assert [record.examples for record in state.curve] == [40, 40 if p == "1.0" else 24]
    assert ("validation" in state.stopwatch.seconds) == (method != "standard")


# pruning.when


@pytest.mark.parametrize("method", PRUNING_METHODS)
@pytest.mark.parametrize(
    ("e", "expected"),
    [
        pytest.param(1, [24, 24, 24], id="before any training"),
        pytest.param(3, [40, 40, 24], id="before the last epoch"),
    ],
)
def test_pruned_before_epoch_e_that_epoch_sees_the_share(method, e, expected):
    spec = training_spec(method=method, p="0.6", e=e, pruning=BEFORE)
    assert [record.examples for record in train_on_noise(spec).curve] == expected


def test_pruned_before_an_epoch_the_loss_is_that_of_a_pass_of_its_own_at_x_plus_delta():
    spec = training_spec(method="low-loss", p="0.5", pruning=BEFORE, epochs=1)
    examples = examples_for(spec)
    network = start(spec, examples).classifier.eval()
    images, labels = examples.batch(slice(None))
    noise = generator_for(spec, "scoring", 1, torch.device("cpu"))
    threat = Threat(spec.epsilon, spec.step_size)
    attacked = rs_fgsm(network, images, labels, threat=threat, generator=noise)
    expected = -functional.cross_entropy(network(attacked), labels, reduction="none").detach()
    np.testing.assert_allclose(train(spec, examples).distance, expected, rtol=1e-5)


def test_a_pass_of_its_own_is_counted_as_scoring():
    spec = training_spec(method="low-loss", p="0.5", pruning=BEFORE)
    assert train_on_noise(spec).stopwatch.seconds["scoring"] > 0


# pruning.rounding, pruning.class_balanced


@pytest.mark.parametrize(
    ("total", "p", "exact", "floating_point"),
    [
        pytest.param(60_000, "0.9", 54_000, 54_001, id="MNIST, p = 0.9"),
        pytest.param(60_000, "0.8", 48_000, 48_001, id="MNIST, p = 0.8"),
        pytest.param(60_000, "0.6", 36_000, 36_000, id="MNIST, p = 0.6"),
        pytest.param(50_000, "0.9", 45_000, 45_001, id="CIFAR10, p = 0.9"),
        pytest.param(7, "0.5", 4, 4, id="half of seven"),
    ],
)
def test_floating_point_may_keep_one_more(total, p, exact, floating_point):
    assert count_to_keep(total, p, "exact") == exact
    assert count_to_keep(total, p, "floating_point") == floating_point


def test_a_run_rounds_as_its_switch_says():
    pruning = dataclasses.replace(PLAIN_PRUNING, rounding="floating_point")
    spec = training_spec(method="random", p="0.9", pruning=pruning, epochs=1)
    kept = [len(train_on_noise(s).kept) for s in (spec, spec_with(spec, rounding="exact"))]
    assert kept == [37, 36]


def spec_with(spec, **changes):
    return dataclasses.replace(spec, pruning=dataclasses.replace(spec.pruning, **changes))


@pytest.mark.parametrize("method", PRUNING_METHODS)
def test_balanced_pruning_keeps_the_share_of_each_class(method):
    spec = spec_with(training_spec(method=method, p="0.5", epochs=1), class_balanced=True)
    labels = examples_for(spec).labels[train_on_noise(spec).kept]
    assert torch.bincount(labels).tolist() == [2] * 10  # of 40 examples, 4 of each class


# deepfool.points, deepfool.unconverged


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        # f = x1 + x2 - 1 is 0.8 at (0.9, 0.9), and 0.6 at (0.8, 0.8), delta's end at the boundary.
        pytest.param("clean", 0.8 / 2**0.5, id="from x"),
        pytest.param("adversarial", 0.6 / 2**0.5, id="from x + delta"),
    ],
)
def test_the_distance_is_measured_from_the_points_asked_for(points, expected):
    model = linear_classifier(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([-1.0, 0.0]))
    examples = Examples(torch.full((1, 1, 1, 2), 0.9 * 255), torch.tensor([0]))
    found = deepfool_all(
        model,
        examples,
        dataclasses.replace(PLAIN_DEEPFOOL, points=points),
        threat=Threat(epsilon=0.1, step_size=0.2),  # so delta ends in a corner of the ball
        generator=torch.Generator().manual_seed(0),
    )
    assert found.distance.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("points", ["clean", "adversarial"])
def test_a_run_scores_the_points_asked_for(points, monkeypatch):
    seen = []

    def attack(model, images, *rest, **more):
        seen.append(len(images))
        return images

    monkeypatch.setattr("advprune.scoring.rs_fgsm", attack)
    deepfool = dataclasses.replace(PLAIN_DEEPFOOL, points=points)
    train_on_noise(training_spec(method="low-deepfool", p="0.5", epochs=1, deepfool=deepfool))
    assert seen == {"clean": [], "adversarial": [40]}[points]


# paired_seeds


def test_runs_that_are_not_paired_share_no_random_numbers():
    runs = [("full", "1.0", 1), ("random", "0.5", 1), ("random", "0.6", 1), ("random", "0.6", 2)]
    weights = [
        weights_of(start(spec, examples_for(spec)))["0.weight"].sum().item()
        for spec in (training_spec(method=m, p=p, e=e, paired_seeds=False) for m, p, e in runs)
    ]
    assert len(set(weights)) == 4


def test_a_run_that_is_not_paired_can_be_made_again():
    spec = training_spec(method="random", p="0.5", paired_seeds=False)
    assert same_tensors(*(weights_of(train_on_noise(spec)) for _ in range(2)))


@pytest.mark.parametrize("purpose", ["order", "random start", "augmentation", "scoring"])
def test_every_stream_of_an_epoch_is_a_runs_own_if_it_is_not_paired(purpose):
    first, second = (
        generator_for(
            training_spec(method=method, p="0.5", paired_seeds=False),
            purpose,
            1,
            torch.device("cpu"),
        ).initial_seed()
        for method in ("low-loss", "high-loss")
    )
    assert first != second


def test_what_is_pruned_at_random_is_a_runs_own_if_it_is_not_paired(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        training.np.random, "default_rng", lambda seed: seeds.append(seed) or _Identity()
    )
    for p in ("0.5", "0.6"):
        train_on_noise(training_spec(method="random", p=p, epochs=1, paired_seeds=False))
    assert len(set(seeds)) == 2


class _Identity:
    """Stands for a generator that shuffles nothing."""

    def permutation(self, values):
        return values


# early_stopping.timed


@pytest.mark.parametrize(("timed", "expected"), [(False, 12.5), (True, 20.5)])
def test_training_time_counts_validation_only_if_it_is_timed(timed, expected):
    seconds = {"training": 10.0, "scoring": 2.0, "pruning": 0.5, "validation": 8.0}
    assert training_seconds(seconds, with_validation=timed) == expected


# robust_accuracy


@pytest.fixture
def runs():
    """Two runs of each row of Table 1."""
    return pd.DataFrame(
        [
            {"dataset": "mnist5k", "method": method, "p": p, "e": 1, "seed": seed}
            | {"natural_accuracy": 90.0, "autoattack_accuracy": 50.0 + 4 * seed}
            | {"apgd_ce_40x5_accuracy": 60.0 + seed, "training_seconds": 10.0 + 4 * seed}
            | {"diverged_epoch": None, **MADE_WITH}
            for method, p in (("full", "1.0"), ("low-loss", "0.6"), ("random", "0.6"))
            for seed in (0, 1)
        ]
    )


def smoke_config(**changes):
    config = copy.deepcopy(load_config(PROJECT / "config/smoke.yaml"))
    return json.loads(json.dumps(config | changes))


@pytest.mark.parametrize(
    ("value", "label"), [("autoattack", "AutoAttack"), ("apgd_ce_40x5", "APGD-CE 40×5")]
)
def test_figure_8_names_first_the_attack_that_the_paper_is_compared_by(runs, value, label):
    table = figure8(runs, smoke_config(robust_accuracy=value))
    assert table.numbers["metric"].iloc[0] == f"{value}_accuracy"
    assert set(table.numbers["metric"]) == {"autoattack_accuracy", "apgd_ce_40x5_accuracy"}
    assert f"the paper's tests are compared with those by {label}" in table.notes


# error_bars

# Of 10 and 14: the deviation is sqrt (8), and the interval 12.706205 * 2 as in test_statistics.
LENGTHS = {"confidence_interval": 25.41241, "standard_deviation": 8**0.5}
WORDS = {"confidence_interval": "95% intervals", "standard_deviation": "± 1 standard deviation"}


def upper_ends(axis):
    """How far each error bar of a panel reaches above its point."""
    for container in axis.containers:
        line, _, (bars,) = container
        for middle, segment in zip(line.get_ydata(), bars.get_segments(), strict=True):
            yield segment[1][1] - middle


@pytest.mark.parametrize("bars", LENGTHS)
def test_the_bars_of_training_times_are_what_the_switch_says(runs, bars):
    low_loss = runs[runs["method"] == "low-loss"]
    both = pd.concat([low_loss, low_loss.assign(dataset="shapes10")])
    figure = draw_training_time(time_points(both), smoke_config(error_bars=bars))
    for axis in figure.axes:
        assert list(upper_ends(axis)) == pytest.approx([LENGTHS[bars]], rel=1e-5)
    assert WORDS[bars] in figure.get_supxlabel()


@pytest.mark.parametrize("bars", LENGTHS)
def test_the_bars_of_accuracies_by_p_are_what_the_switch_says(runs, bars):
    figure = draw_accuracy(runs, smoke_config(error_bars=bars), "mnist")
    natural, _, autoattack, *_ = figure.axes
    assert set(upper_ends(natural)) == {0}
    assert list(upper_ends(autoattack)) == pytest.approx([LENGTHS[bars]] * 4, rel=1e-5)
    assert WORDS[bars] in figure.get_supxlabel()


@pytest.mark.parametrize("bars", LENGTHS)
def test_the_bars_of_accuracies_by_e_are_what_the_switch_says(runs, bars):
    points = pruning_epoch_points(runs[runs["method"] == "low-loss"])
    figure = draw_pruning_epoch(points, smoke_config(error_bars=bars))
    # Of 50 and 54 the same, cut off at 100%.
    assert list(upper_ends(figure.axes[1])) == pytest.approx([LENGTHS[bars]], rel=1e-5)
    assert WORDS[bars] in figure.get_supxlabel()

"""The runs of an experiment, from its methods, shares, epochs and seeds."""

import copy

import pytest

from advprune.plan.config import load_config
from advprune.plan.grid import experiment_runs
from advprune.spec.runs import Run


@pytest.fixture
def experiments():
    """Those of MNIST's study, free to be changed, and what makes runs of one of them."""
    config = copy.deepcopy(load_config())
    experiments = config["studies"]["mnist"]["experiments"]
    return experiments, lambda name: experiment_runs(config, "mnist", name)


def test_an_experiment_is_every_method_at_every_share_and_epoch_for_every_seed(experiments):
    of_mnist, runs_of = experiments
    of_mnist["pruning_epoch"] = {
        **{"methods": ["low-loss", "random"], "p": [0.3], "e": [2, 5], "seeds": [4, 9]},
    }
    assert runs_of("pruning_epoch") == [
        Run("mnist", "low-loss", "0.3", 2, 4),
        Run("mnist", "low-loss", "0.3", 2, 9),
        Run("mnist", "low-loss", "0.3", 5, 4),
        Run("mnist", "low-loss", "0.3", 5, 9),
        Run("mnist", "random", "0.3", 2, 4),
        Run("mnist", "random", "0.3", 2, 9),
        Run("mnist", "random", "0.3", 5, 4),
        Run("mnist", "random", "0.3", 5, 9),
    ]


def test_at_p_1_every_method_and_epoch_is_the_one_run_with_full_data(experiments):
    of_mnist, runs_of = experiments
    of_mnist["table1"] |= {"p": [1.0], "e": [1, 3], "seeds": 2}
    assert runs_of("table1") == [
        Run("mnist", "full", "1.0", 1, 0),
        Run("mnist", "full", "1.0", 1, 1),
    ]


def test_a_run_with_no_adversary_has_one_name_whatever_p_and_e(experiments):
    of_mnist, runs_of = experiments
    of_mnist["standard"] |= {"p": [0.5, 1.0], "e": [1, 2], "seeds": 1}
    assert runs_of("standard") == [Run("mnist", "standard", "1.0", 1, 0)]


def test_an_experiment_that_a_study_does_not_have_has_no_runs(experiments):
    of_mnist, runs_of = experiments
    del of_mnist["pruning_epoch"]
    assert runs_of("pruning_epoch") == []

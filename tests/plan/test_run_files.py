"""Which runs the exhibits need that are made from files of single runs."""

import copy

import pytest

from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, runs_of


@pytest.fixture
def config():
    """The default config, free to be changed."""
    return copy.deepcopy(load_config())


DATASETS = ("mnist", "cifar10")


def shares_of(name, config):
    """Data set to the shares p of an exhibit's runs."""
    runs = runs_of(name, config)
    return {dataset: {run.p for run in runs if run.dataset == dataset} for dataset in DATASETS}


def test_the_papers_curves_are_of_all_data_and_of_table_1s_share(config):
    assert shares_of("curves", config) == {name: {"0.6", "1.0"} for name in DATASETS}
    assert len(runs_of("curves", config)) == 4 * 120 + 8 * 5


def test_curves_of_an_experiment_without_that_share_are_of_the_nearest(config):
    config["studies"]["mnist"]["experiments"]["table1"]["p"] = [0.3, 1.0]
    config["studies"]["cifar10"]["experiments"]["accuracy"]["p"] = [0.2, 0.5, 0.9, 1.0]
    assert shares_of("curves", config) == {"mnist": {"0.3", "1.0"}, "cifar10": {"0.2", "1.0"}}


def test_curves_can_be_of_all_data_alone(config):
    config["studies"]["mnist"]["experiments"]["table1"]["p"] = [1.0]
    assert shares_of("curves", config) == {"mnist": {"1.0"}, "cifar10": {"0.6", "1.0"}}


def test_what_is_kept_is_of_every_run_that_prunes(config):
    everything = runs_of("kept", config)
    assert {run.method for run in everything} & {"full", "standard"} == set()
    # Figures 3 and 4, and of Table 1 the 90 seeds of three methods that they do not have.
    assert len(everything) == 7 * 9 * 30 + 7 * 9 * 5 + 3 * 90
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize("name", EXHIBITS)
def test_only_exhibits_with_runs_are_made_from_files_of_theirs(name):
    assert not EXHIBITS[name].run_files or EXHIBITS[name].runs

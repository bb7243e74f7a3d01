"""Figure 7: the hyperparameters."""

from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.tables.figure7 import figure7


def test_the_papers_figure_7_is_shown():
    shown = figure7(load_config()).shown.set_index("Hyperparameter")
    assert shown.loc["Training epochs"].to_dict() == {"MNIST": "10", "CIFAR10": "15"}
    assert shown.loc["Attack step size"].to_dict() == {"MNIST": "0.375", "CIFAR10": "10/255"}
    assert shown.loc["Random crops and flips"].to_dict() == {"MNIST": "no", "CIFAR10": "yes"}


def test_the_numbers_behind_it_are_those_that_the_networks_are_trained_with():
    numbers = figure7(load_config()).numbers.set_index("hyperparameter")
    assert numbers.loc["Attack step size", "cifar10"] == 10 / 255


def test_the_config_that_ran_is_shown_and_not_the_papers():
    table = figure7(load_config(PROJECT / "config/smoke.yaml"))
    assert list(table.shown.columns[1:]) == [
        "5,000 MNIST training digits",
        "Shapes10 (drawn by code)",
    ]
    assert table.shown.set_index("Hyperparameter").loc["Training epochs"].to_list() == ["2", "2"]

"""Runs that were not made alike are never mixed in silence."""

import pandas as pd
import pytest
from builders import MADE_WITH
from workflow_tools import PROJECT

from advprune.analysis.notes import mixture_notes
from advprune.analysis.run_table import METRICS
from advprune.figures.accuracy import draw_accuracy
from advprune.figures.collapse import collapse_points, draw_collapse
from advprune.figures.distribution import distribution_dots, draw_distribution
from advprune.figures.figure5 import draw_training_time, time_points
from advprune.figures.pruning_epoch import draw_pruning_epoch, pruning_epoch_points
from advprune.plan.config import load_config
from advprune.tables.comparisons import comparisons
from advprune.tables.figure8 import figure8
from advprune.tables.standard_accuracy import standard_accuracy
from advprune.tables.table1 import table1

CONFIG = load_config(PROJECT / "config/smoke.yaml")


@pytest.fixture
def runs():
    """Runs of every kind, of which one was made by another PyTorch."""
    methods = ["full", "low-loss", "low-deepfool", "random"]
    rows = [
        {"dataset": "mnist5k", "method": method, "p": "1.0" if method == "full" else "0.5"}
        | {"e": 1, "seed": seed}
        | dict.fromkeys(METRICS, 40.0 + seed)
        | {"diverged_epoch": None, **MADE_WITH}
        for method in methods
        for seed in range(2)
    ]
    rows[0]["torch"] = "1.9"
    rows += [row | {"dataset": "shapes10", "torch": "2.0"} for row in rows[:1]]
    return pd.DataFrame(rows)


NOTE = "different versions of PyTorch, with how many runs: 1.9 (1), 2.0 (8)"
TABLES = {
    "table1": table1,
    "figure8": figure8,
    "comparisons": comparisons,
    "standard_accuracy": standard_accuracy,
}
FIGURES = {
    "figure3": lambda runs: draw_accuracy(runs, CONFIG, "mnist"),
    "figure5": lambda runs: draw_training_time(time_points(runs), CONFIG, mixture_notes(runs)),
    "distribution": lambda runs: draw_distribution(
        distribution_dots(runs[runs["dataset"] == "mnist5k"]), runs, CONFIG
    ),
    "collapse": lambda runs: draw_collapse(collapse_points(runs), CONFIG, mixture_notes(runs)),
    "pruning_epoch": lambda runs: draw_pruning_epoch(
        pruning_epoch_points(runs), CONFIG, mixture_notes(runs)
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_made_from_a_mixture_says_so(name, runs):
    assert NOTE in "\n".join(TABLES[name](runs, CONFIG).notes)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_runs_made_alike_does_not_speak_of_mixtures(name, runs):
    notes = TABLES[name](runs.assign(torch="2.0"), CONFIG).notes
    assert "different" not in "\n".join(notes)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_made_from_a_mixture_says_so(name, runs):
    assert NOTE in FIGURES[name](runs).get_supxlabel()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_runs_made_alike_does_not_speak_of_mixtures(name, runs):
    assert "different" not in FIGURES[name](runs.assign(torch="2.0")).get_supxlabel()

"""A config with variants, and runs of them."""

import copy

import pandas as pd
from run_tables import joined, runs_of_cell

from advprune.plan.config import Config, load_config


def config_with_variants() -> Config:
    """The paper's, with two switches to be set one at a time."""
    config = copy.deepcopy(load_config())
    config["variants"] = {
        "not_normalised": {"studies": {"mnist": {"training": {"normalise": False}}}},
        "stopped_early": {"early_stopping": {"enabled": True}},
    }
    return config


def cells_of_variant(variant: str, low: list[float], full: list[float]) -> pd.DataFrame:
    """Two methods' accuracies under AutoAttack; seeds count from 0."""
    both = joined(
        runs_of_cell("low-loss", autoattack_accuracy=low),
        runs_of_cell("full", autoattack_accuracy=full),
    )
    return both.assign(variant=variant)

"""Figure 7: the hyperparameters."""

import pandas as pd

from advprune.analysis.notes import face_note
from advprune.plan.config import Config
from advprune.spec.datasets import DATASETS
from advprune.spec.specification import fraction
from advprune.tables.table import Table


def figure7(config: Config) -> Table:
    """Figure 7: the hyperparameters, as the config that ran has them."""
    named = {
        "network": "Architecture",
        "width": "Factor on the number of filters",
        "normalise": "Input normalised",
        "augment": "Random crops and flips",
        "optimiser": "Optimiser",
        "momentum": "Momentum",
        "weight_decay": "Weight decay",
        "epochs": "Training epochs",
        "batch_size": "Batch size",
        "max_learning_rate": "Cyclic learning rate maximum",
        "peak": "Share of training before that maximum",
        "epsilon": "Attack l-infinity bound",
        "step_size": "Attack step size",
    }
    rows = [{"hyperparameter": "Data set"}] + [{"hyperparameter": name} for name in named.values()]
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame({"Hyperparameter": numbers["hyperparameter"]})
    for name, study in config["studies"].items():
        values = [study["training"][key] for key in named]
        exact = [
            fraction(value) if key in ("epsilon", "step_size") else value
            for key, value in zip(named, values, strict=True)
        ]
        title = DATASETS[study["dataset"]].title
        numbers[name] = [study["dataset"], *exact]
        shown[title] = [title, *(_plain(value) for value in values)]
    return Table(
        "Figure 7: hyperparameters",
        numbers,
        shown,
        ["read from the config that ran", *face_note(config, config["studies"]).split("\n")],
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

"""Tables of runs, made by hand from their accuracies."""

from collections.abc import Sequence

import pandas as pd

from advprune.analysis.notes import ALIKE


def seeded(accuracies: Sequence[float], first: int = 0) -> pd.Series:
    """Accuracies with their seeds as index, from ``first`` on."""
    return pd.Series(accuracies, index=range(first, first + len(accuracies)), dtype=float)


def cell(
    method: str,
    accuracies: Sequence[float],
    *,
    p: str = "0.6",
    dataset: str = "mnist",
    seeds: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Runs with these accuracies under AutoAttack; under APGD-CE they are half a point higher."""
    return pd.DataFrame(
        {
            **{"dataset": dataset, "method": method, "p": "1.0" if method == "full" else p, "e": 1},
            "seed": range(len(accuracies)) if seeds is None else seeds,
            "natural_accuracy": 98.0,
            "autoattack_accuracy": pd.Series(accuracies, dtype=float),
            "apgd_ce_40x5_accuracy": pd.Series(accuracies, dtype=float) + 0.5,
            "training_seconds": 30.0,
            "diverged_epoch": None,
            **dict.fromkeys(ALIKE, "the same"),
        }
    )

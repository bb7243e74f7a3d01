"""Supplement to Table 1: what each attack leaves; do the networks hide their gradients?

Training in one step can give a network whose gradients mislead attacks that follow them: weak
attacks then leave what strong ones, or ones that need no gradient, break.
"""

import numpy as np
import pandas as pd

from advprune.analysis.metrics import AFTER_EACH, AUTOATTACK, RELEASED_AUTOATTACK
from advprune.analysis.notes import (
    OVER_IMAGES,
    TWO_ATTACKS,
    diverged_note,
    face_note,
    mixture_notes,
)
from advprune.analysis.statistics import AUTOATTACK_RUNS, CONFIDENCE, RUN_KEYS
from advprune.analysis.two_way import accuracy_gap
from advprune.analysis.verdict_table import VerdictTable
from advprune.plan.config import Config
from advprune.plan.exhibits import studies_of
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.tables.table import Table, plus_minus, runs_shown

TITLE = "What each attack leaves: do the networks hide their gradients?"
WARNINGS = {
    "square_warning": "Square",
    "gradient_warning": "zero gradients",
    "other_warning": "other",
}
NOTES = (
    "a network that withstands the first attacks and not the last hides its gradients: PGD and "
    "APGD-CE follow them, APGD-T and FAB-T do so towards other classes, Square needs none",
    "PGD: early stopping's own attack, on the network as kept; on other images than the rest, and "
    "the highest of all epochs where training was stopped; –: the protocol stops no training early",
    "AutoAttack: what is left after each of its attacks in turn, in brackets how many points the "
    "attack took; all of it on the same images, and of the runs alone that n says AutoAttack was "
    "run on, as are gap, by Square and warned",
    "gap: what APGD-CE 40×5 leaves less what AutoAttack leaves, on the images that both attacked, "
    "with half the 95% interval; stronger attacks leave a little less of any network, much less of "
    "one that hides its gradients",
    "by Square: its share of all images that AutoAttack broke in these runs",
    "warned: in how many runs AutoAttack warned that Square broke what the others had left, of "
    "gradients that are zero, or of anything else",
)


def attacks(runs: pd.DataFrame, config: Config, verdicts: VerdictTable) -> Table:
    """What each attack leaves, by data set, method and p, from the weakest to the last.

    Args:
        runs: those of figures 3 and 4 and of Table 1, with pruning epoch 1.
        config: the config that ran.
        verdicts: of those runs.
    """
    cells = [
        dict(zip(RUN_KEYS, key, strict=True)) | _measure(group, verdicts)
        for key, group in runs.groupby(RUN_KEYS)
    ]
    datasets = [study["dataset"] for study in config["studies"].values()]
    places = {name: place for place, name in enumerate([*datasets, *METHODS])}
    numbers = pd.DataFrame(cells).sort_values(
        ["dataset", "method", "p"],
        key=lambda column: column if column.name == "p" else column.map(places),
        ignore_index=True,
    )
    notes = [
        *NOTES,
        OVER_IMAGES,
        TWO_ATTACKS,
        *diverged_note(runs),
        *mixture_notes(runs),
        *face_note(config, studies_of("attacks", config)).split("\n"),
    ]
    return Table(TITLE, numbers, _shown(numbers), notes)


def _measure(runs: pd.DataFrame, verdicts: VerdictTable) -> dict[str, float | int]:
    """Of the runs of one method at one p: means in percent, and counts of runs."""
    attacked = runs.dropna(subset=[AUTOATTACK])
    gap = accuracy_gap(attacked, RELEASED_AUTOATTACK, AUTOATTACK, verdicts)
    # All runs of a data set are attacked on as many images, so that shares of sums are of means.
    left = runs[["natural_accuracy_autoattack_examples", *AFTER_EACH]].mean()
    broken = left.iloc[0] - left.iloc[-1]
    return {
        "n": len(runs),
        AUTOATTACK_RUNS: len(attacked),
        "validation_accuracy": runs["validation_accuracy"].mean(),
        RELEASED_AUTOATTACK: runs[RELEASED_AUTOATTACK].mean(),
        **left,
        "gap": gap.value,
        "gap_half_width": gap.half_width(CONFIDENCE),
        "square_share": 100 * (left.iloc[-2] - left.iloc[-1]) / broken if broken > 0 else np.nan,
        **{warning: int(runs[warning].sum()) for warning in WARNINGS},
    }


def _shown(numbers: pd.DataFrame) -> pd.DataFrame:
    left = numbers[["natural_accuracy_autoattack_examples", *AFTER_EACH]]
    taken = left.shift(axis="columns") - left
    return pd.DataFrame(
        {
            "Data set": numbers["dataset"].map(lambda name: DATASETS[name].title),
            "Pruning method": numbers["method"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "n": list(map(runs_shown, numbers["n"], numbers[AUTOATTACK_RUNS])),
            "PGD (%)": numbers["validation_accuracy"].map(_percent),
            "APGD-CE 40×5 (%)": numbers[RELEASED_AUTOATTACK].map(_percent),
            **{
                f"AutoAttack: {attack} (%)": [
                    f"{rest:.2f} ({lost:.2f})"
                    for rest, lost in zip(left[column], taken[column], strict=True)
                ]
                for column, attack in AFTER_EACH.items()
            },
            "Gap (points)": [
                plus_minus(gap, half)
                for gap, half in zip(numbers["gap"], numbers["gap_half_width"], strict=True)
            ],
            "By Square (%)": numbers["square_share"].map(_percent),
            **{f"Warned: {what}": numbers[column] for column, what in WARNINGS.items()},
        }
    )


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"

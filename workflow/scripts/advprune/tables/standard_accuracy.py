"""The captions of figures 3 and 4: accuracy without an adversary."""

import pandas as pd

from advprune.analysis.metrics import ACCURACIES, PAPERS_ATTACKS
from advprune.analysis.notes import (
    TWO_ATTACKS,
    diverged_note,
    face_note,
    interval_notes,
    mixture_notes,
)
from advprune.analysis.statistics import summarise
from advprune.analysis.verdict_table import VerdictTable
from advprune.plan.config import Config
from advprune.plan.exhibits import studies_of
from advprune.spec.datasets import DATASETS
from advprune.tables.table import Table, mean_column


def standard_accuracy(
    runs: pd.DataFrame, config: Config, verdicts: VerdictTable | None = None
) -> Table:
    """The captions of figures 3 and 4: accuracy without an adversary, 99% and 91%.

    Args:
        runs: those of the experiment ``standard``.
        config: the config that ran.
        verdicts: of those runs; None for intervals over seeds alone.
    """
    numbers = summarise(runs, list(ACCURACIES), verdicts)
    shown = pd.DataFrame(
        {
            "Data set": numbers["dataset"].map(lambda name: DATASETS[name].title),
            "n": numbers["n"],
            "Standard accuracy (%)": mean_column(numbers, "natural_accuracy"),
            **{
                f"{attack} accuracy (%)": mean_column(numbers, metric)
                for metric, attack in PAPERS_ATTACKS.items()
            },
        }
    )
    return Table(
        "Standard accuracy of networks trained without an adversary",
        numbers,
        shown,
        [
            *interval_notes(over_images=bool(verdicts)),
            TWO_ATTACKS,
            *diverged_note(runs),
            *mixture_notes(runs),
            *face_note(config, studies_of("standard_accuracy", config)).split("\n"),
        ],
    )

"""Table 1: RS+FGSM training on MNIST with different pruning strategies."""

import pandas as pd

from advprune.analysis.metrics import AUTOATTACK_RUNS, METRICS, PAPERS_ATTACKS, collapse_column
from advprune.analysis.notes import (
    TWO_ATTACKS,
    dataset_label,
    diverged_note,
    face_note,
    interval_notes,
    mixture_notes,
    time_note,
)
from advprune.analysis.statistics import summarise
from advprune.analysis.verdict_table import VerdictTable
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.tables.table import Table, mean_column, runs_shown

TABLE1_ORDER = ("low-deepfool", "low-loss", "random", "full")


def table1(runs: pd.DataFrame, config: Config, verdicts: VerdictTable | None = None) -> Table:
    """Table 1: RS+FGSM training on MNIST with different pruning strategies.

    Args:
        runs: those of the experiment ``table1``.
        config: the config that ran.
        verdicts: of those runs; None for intervals over seeds alone.
    """
    order = {method: place for place, method in enumerate(TABLE1_ORDER)}
    numbers = summarise(runs, METRICS, verdicts)
    numbers = numbers.sort_values(
        ["method", "p"], key=lambda column: column.map(lambda name: order.get(name, len(order)))
    ).reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "Pruning method": numbers["method"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "n": list(map(runs_shown, numbers["n"], numbers[AUTOATTACK_RUNS])),
            "Natural accuracy (%)": mean_column(numbers, "natural_accuracy"),
            **{
                f"{attack} accuracy (%)": mean_column(numbers, metric)
                for metric, attack in PAPERS_ATTACKS.items()
            },
            **{
                f"Collapsed by {attack} (%)": _collapsed(numbers, metric)
                for metric, attack in PAPERS_ATTACKS.items()
            },
            "Training time (s)": mean_column(numbers, "training_seconds"),
        }
    )
    notes = [
        *interval_notes(over_images=bool(verdicts)),
        TWO_ATTACKS,
        "collapsed: the share of runs with an accuracy below 1% under the attack named",
        time_note(config, runs),
        *diverged_note(runs),
        *mixture_notes(runs),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table(
        "Table 1: RS+FGSM training with different pruning strategies, on "
        + dataset_label(config["studies"]["mnist"]["dataset"]),
        numbers,
        shown,
        notes,
    )


def _collapsed(numbers: pd.DataFrame, metric: str) -> pd.Series:
    shares = 100 * numbers[collapse_column(metric)]
    return shares.map(lambda share: "–" if pd.isna(share) else f"{share:.0f}")

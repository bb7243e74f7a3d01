"""The paper's tables: Table 1, Figure 7 (hyperparameters), Figure 8 (tests), standard accuracy.

Each function makes a table from runs and the config they ran with; `tables` writes it.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from advprune.config import Config, fraction
from advprune.datasets import DATASETS
from advprune.labels import dataset_label, face_note, mixture_notes, time_note
from advprune.pruning import METHODS
from advprune.results import METRICS
from advprune.statistics import collapse_column, mean_interval, summarise, welch_greater
from advprune.tables import Table, plus_minus

TABLE1_ORDER = ("low-deepfool", "low-loss", "random", "full")
# Number, the method hypothesised to be the more robust, and the one it is compared with.
FIGURE8_TESTS = (
    (1, "low-deepfool", "full"),
    (1, "low-loss", "full"),
    (2, "low-loss", "random"),
)
INTERVALS = "± is half the width of the t-based 95% interval of the mean over n runs"
TESTED_BY = {"autoattack_accuracy": "AutoAttack", "apgd_ce_40x5_accuracy": "APGD-CE 40×5"}
TWO_ATTACKS = (
    "AutoAttack is the standard one; APGD-CE 40×5 is what the authors' released code reports "
    "under that name"
)


def table1(runs: pd.DataFrame, config: Config) -> Table:
    """Table 1: RS+FGSM training on MNIST with different pruning strategies."""
    order = {method: place for place, method in enumerate(TABLE1_ORDER)}
    numbers = summarise(runs, METRICS)
    numbers = numbers.sort_values(
        ["method", "p"], key=lambda column: column.map(lambda name: order.get(name, len(order)))
    ).reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "Pruning method": numbers["method"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "n": numbers["n"],
            "Natural accuracy (%)": _column(numbers, "natural_accuracy"),
            "AutoAttack accuracy (%)": _column(numbers, "autoattack_accuracy"),
            "APGD-CE 40×5 accuracy (%)": _column(numbers, "apgd_ce_40x5_accuracy"),
            "Collapsed by AutoAttack (%)": _collapsed(numbers, "autoattack_accuracy"),
            "Collapsed by APGD-CE 40×5 (%)": _collapsed(numbers, "apgd_ce_40x5_accuracy"),
            "Training time (s)": _column(numbers, "training_seconds"),
        }
    )
    notes = [
        INTERVALS,
        TWO_ATTACKS,
        "collapsed: the share of runs with an accuracy below 1% under the attack named",
        time_note(config),
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


def standard_accuracy(runs: pd.DataFrame, config: Config) -> Table:
    """The captions of figures 3 and 4: accuracy without an adversary, 99% and 91%."""
    numbers = summarise(runs, list(METRICS))
    shown = pd.DataFrame(
        {
            "Data set": numbers["dataset"].map(lambda name: DATASETS[name].title),
            "n": numbers["n"],
            "Standard accuracy (%)": _column(numbers, "natural_accuracy"),
            "AutoAttack accuracy (%)": _column(numbers, "autoattack_accuracy"),
            "APGD-CE 40×5 accuracy (%)": _column(numbers, "apgd_ce_40x5_accuracy"),
        }
    )
    return Table(
        "Standard accuracy of networks trained without an adversary",
        numbers,
        shown,
        [
            INTERVALS,
            TWO_ATTACKS,
            *diverged_note(runs),
            *mixture_notes(runs),
            *face_note(config, config["studies"]).split("\n"),
        ],
    )


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


def hypotheses(
    runs: pd.DataFrame, config: Config
) -> Iterator[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Every test of appendix B at every p and e, under both attacks, the config's choice first.

    Yields:
        what is tested, the accuracies of the runs hypothesised to be the more robust, the others'.
    """
    chosen = f"{config['robust_accuracy']}_accuracy"
    metrics = sorted(TESTED_BY, key=lambda metric: metric != chosen)  # the chosen one first
    cells = runs[runs["method"] != "full"][["p", "e"]].drop_duplicates().sort_values(["p", "e"])
    for number, better, worse in FIGURE8_TESTS:
        for p, e in cells.itertuples(index=False):
            at_cell = (runs["method"] == "full") | ((runs["p"] == p) & (runs["e"] == e))
            for metric in metrics:
                first, second = (
                    runs.loc[at_cell & (runs["method"] == method), metric].to_numpy()
                    for method in (better, worse)
                )
                tested = {"test": number, "method": better, "against": worse, "p": p, "e": e}
                yield tested | {"metric": metric}, first, second


def figure8(runs: pd.DataFrame, config: Config) -> Table:
    """Figure 8: one-sided Welch's t-tests on AutoAttack accuracy (appendix B)."""
    rows = [
        tested | _welch_row(first, second) for tested, first, second in hypotheses(runs, config)
    ]
    if not rows:
        return nothing_to_test("Figure 8: hypothesis tests", config)
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Test": numbers["test"],
            "More robust": numbers["method"].map(lambda name: METHODS[name].label),
            "than": numbers["against"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "Measured by": numbers["metric"].map(TESTED_BY),
            "n": [f"{row.n}, {row.n_against}" for row in numbers.itertuples()],
            "Difference (points)": numbers["difference"].map(_number),
            "t": numbers["statistic"].map(_number),
            "p value": numbers["p_value"].map(lambda value: _number(value, 6)),
        }
    )
    notes = [
        "one-sided Welch's t-tests; a dash: fewer than two runs, or no spread",
        TWO_ATTACKS,
        f"the paper's tests are compared with those by {TESTED_BY[numbers['metric'].iloc[0]]}",
        *diverged_note(runs),
        *mixture_notes(runs),
        *face_note(config, ["mnist"]).split("\n"),
    ]
    return Table("Figure 8: hypothesis tests", numbers, shown, notes)


def nothing_to_test(title: str, config: Config) -> Table:
    """An empty table, where no run with pruning has finished yet."""
    empty = pd.DataFrame({"Test": []})
    notes = ["no run with pruning has finished", *face_note(config, ["mnist"]).split("\n")]
    return Table(title, empty, empty, notes)


def diverged_note(runs: pd.DataFrame) -> list[str]:
    """How many runs diverged, as a note; none if none did."""
    diverged = int(runs["diverged_epoch"].notna().sum())
    if not diverged:
        return []
    return [f"{diverged} of {len(runs)} runs diverged (a loss that is not finite) and are counted"]


def _welch_row(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    return {
        "n": len(first),
        "n_against": len(second),
        "mean": mean_interval(first).mean,
        "mean_against": mean_interval(second).mean,
        **dataclasses.asdict(welch_greater(first, second)),
    }


def _column(numbers: pd.DataFrame, metric: str) -> list[str]:
    means, half_widths = numbers[f"{metric}_mean"], numbers[f"{metric}_half_width"]
    return [plus_minus(mean, half) for mean, half in zip(means, half_widths, strict=True)]


def _collapsed(numbers: pd.DataFrame, metric: str) -> pd.Series:
    return numbers[collapse_column(metric)].map(lambda share: f"{100 * share:.0f}")


def _number(value: float, digits: int = 2) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

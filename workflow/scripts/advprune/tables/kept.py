"""Supplement: the classes of what each method keeps, and whether runs drop the same examples."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advprune.analysis.notes import face_note, mixture_notes
from advprune.analysis.overlap import (
    class_mix,
    class_shares,
    common_share,
    common_shares,
    total_variation,
)
from advprune.analysis.run_files import read_prunings
from advprune.analysis.statistics import MeanInterval, mean_interval, mean_interval_of_pairs
from advprune.plan.config import Config
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.tables.table import Table, mean_column, plus_minus

PRUNED_ALIKE = ["dataset", "p", "e"]
PERCENT = 100


def kept(runs: pd.DataFrame, config: Config, folder: Path) -> Table:
    """A row for each data set, method, p and e.

    Args:
        runs: a table of runs that prune.
        config: the config that they were made with.
        folder: holds the runs' folders.
    """
    numbers = kept_numbers(runs, folder)
    shown = pd.DataFrame(
        {
            "Data set": numbers["dataset"].map(lambda name: DATASETS[name].title),
            "Pruning method": numbers["method"].map(lambda name: METHODS[name].label),
            "p": numbers["p"],
            "n": numbers["n"],
            "Most frequent class (%)": _beside_the_datas(numbers, "most_frequent"),
            "Least frequent class (%)": _beside_the_datas(numbers, "least_frequent"),
            "Distance from the data's mix (%)": mean_column(numbers, "total_variation"),
            "Dropped in common by chance (%)": numbers["chance"].map("{:.2f}".format),
            "… by both proxies (%)": _between_proxies(numbers),
            "… by two seeds (%)": mean_column(numbers, "between_seeds"),
        }
    )
    studies = [
        name
        for name, study in config["studies"].items()
        if study["dataset"] in set(runs["dataset"])
    ]
    notes = [*_explanations(config), *mixture_notes(runs)]
    notes += face_note(config, studies, attacked=False).split("\n")
    return Table("Which examples pruning keeps and drops", numbers, shown, notes)


def kept_numbers(runs: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """What the CSV holds: a row for each data set, method, p and e; shares are percentages.

    Columns: ``dataset``, ``method``, ``p``, ``e``; ``n``, how many runs; ``data_most_frequent`` and
    ``data_least_frequent``, the shares of these classes of the data; ``chance``, the share dropped;
    and with ``_mean`` and ``_half_width`` of the 95% interval ``most_frequent`` and
    ``least_frequent``, those of what is kept, ``total_variation``, the distance of its mix from the
    data's, ``between_seeds``, the share of what two seeds drop that both drop, and
    ``between_proxies``, the same of the two proxies of one side and seed, of
    ``between_proxies_n`` seeds.
    """
    rows = []
    # Runs pruned alike are read together, so that no more than their masks are held at once.
    for (dataset, p, e), alike in runs.groupby(PRUNED_ALIKE, sort=True):
        masks, labels = read_prunings(alike, folder)
        by_run = dict(zip(zip(alike["method"], alike["seed"], strict=True), masks, strict=True))
        for method in alike["method"].unique():
            of_method = masks[alike["method"] == method]
            rows.append(
                {"dataset": dataset, "method": method, "p": p, "e": e, "n": len(of_method)}
                | _of_classes(of_method, labels)
                | _of_seeds(of_method)
                | _of_proxies(method, by_run)
            )
    numbers = pd.DataFrame(rows)
    order = numbers["method"].map(list(METHODS).index)
    ordered = numbers.assign(order=order).sort_values(["dataset", "order", "p", "e"])
    return ordered.drop(columns="order").reset_index(drop=True)


def other_proxies(method: str) -> list[str]:
    """The methods that drop the same side by another proxy."""
    known = METHODS[method]
    return [
        name
        for name, other in METHODS.items()
        if known.proxy and other.strategy == known.strategy and other.proxy != known.proxy
    ]


def _taken(config: Config) -> str:
    loss, distance = (
        {"in_pass": "in the epoch's pass", "after_pass": "after it"}[config["pruning"][key]]
        for key in ("loss_taken", "deepfool_taken")
    )
    other = "" if loss == distance else "; the table correlations has both of one moment"
    return f"the loss is taken {loss}, the distance {distance}{other}"


def _of_classes(masks: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    data = class_shares(labels)
    mixes = [class_mix(mask, labels) for mask in masks]
    return {
        "chance": PERCENT * float((~masks).mean()),
        "data_most_frequent": PERCENT * data.max(),
        "data_least_frequent": PERCENT * data.min(),
        **_columns("most_frequent", mean_interval([PERCENT * mix.max() for mix in mixes])),
        **_columns("least_frequent", mean_interval([PERCENT * mix.min() for mix in mixes])),
        **_columns(
            "total_variation",
            mean_interval([PERCENT * total_variation(mix, data) for mix in mixes]),
        ),
    }


def _of_seeds(masks: np.ndarray) -> dict[str, float]:
    return _columns("between_seeds", mean_interval_of_pairs(PERCENT * common_shares(masks)))


def _of_proxies(method: str, masks: dict[tuple[str, int], np.ndarray]) -> dict[str, Any]:
    """Of the seeds that both have; ``masks`` is method and seed to what the run keeps."""
    values = [
        PERCENT * common_share(mask, masks[other, seed])
        for other in other_proxies(method)
        for (name, seed), mask in masks.items()
        if name == method and (other, seed) in masks
    ]
    return _columns("between_proxies", mean_interval(values)) | {"between_proxies_n": len(values)}


def _columns(name: str, interval: MeanInterval) -> dict[str, float]:
    return {f"{name}_mean": interval.mean, f"{name}_half_width": interval.half_width}


def _beside_the_datas(numbers: pd.DataFrame, what: str) -> list[str]:
    pairs = zip(mean_column(numbers, what), numbers[f"data_{what}"], strict=True)
    return [f"{found} (data: {of_data:.2f})" for found, of_data in pairs]


def _between_proxies(numbers: pd.DataFrame) -> list[str]:
    cells = []
    for row in numbers.to_dict("records"):
        cell = plus_minus(row["between_proxies_mean"], row["between_proxies_half_width"])
        fewer = 0 < row["between_proxies_n"] < row["n"]
        cells.append(f"{cell} (n = {row['between_proxies_n']})" if fewer else cell)
    return cells


def _explanations(config: Config) -> list[str]:
    """What the columns are."""
    notes = [
        "± is half the width of the t-based 95% interval of the mean over n seeds; for what two "
        "seeds have in common, where pairs that share a seed are not independent, the jackknife's",
        "Distance from the data's mix: the total variation distance, the share of what is kept "
        "that would have to be of another class; random pruning shows what chance makes of it",
        "In common: of the examples that two runs drop, the share that both drop. By chance that "
        "is 1 - p, the share dropped",
        "By both proxies: by the loss and by DeepFool, on the same side and in runs of one seed; "
        + _taken(config),
    ]
    if not config["paired_seeds"]:
        notes.append("Seeds are not paired: the two proxies of one seed are of different networks")
    return notes

"""Supplement: accuracy against the pruning epoch e."""

import pandas as pd
from matplotlib.figure import Figure

from advprune.config import Config
from advprune.drawing import add_note, look_of, new_figure
from advprune.labels import METRICS, face_note, seeds_note
from advprune.pruning import METHODS
from advprune.statistics import summarise


def draw_pruning_epoch(points: pd.DataFrame, config: Config) -> Figure:
    """One panel a metric, one line for each method and p."""
    figure, axes = new_figure(1, len(METRICS), height=2.9, sharex=True)
    shares = sorted(points["p"].unique())
    for axis, (metric, label) in zip(axes[0], METRICS.items(), strict=True):
        for (method, p), line in points.groupby(["method", "p"]):
            look = look_of(method)
            axis.errorbar(
                line["e"],
                line[f"{metric}_mean"],
                yerr=line[f"{metric}_half_width"].fillna(0),
                color=look.colour,
                marker=look.marker,
                linestyle=("-", "--", ":", "-.")[shares.index(p) % 4],
                markersize=4,
                capsize=2,
                label=f"{METHODS[method].label}, p = {p}",
            )
        axis.set_xlabel("Pruning epoch e")
        axis.set_ylabel(label)
        axis.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    studies = [
        name
        for name, study in config["studies"].items()
        if study["dataset"] in set(points["dataset"])
    ]
    add_note(
        figure,
        f"Bars: t-based 95% intervals, {seeds_note(points['n'])} runs a point\n"
        + face_note(config, studies),
    )
    return figure


def pruning_epoch_points(runs: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean and interval of each metric for each method, p and e."""
    return summarise(runs, list(METRICS))

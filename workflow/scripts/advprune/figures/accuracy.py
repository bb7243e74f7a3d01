"""Figures 3 and 4: accuracy against the share of data kept, one column of panels a proxy."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ACCURACIES
from advprune.analysis.notes import dataset_label, error_bars, face_note, mixture_notes, seeds_note
from advprune.analysis.statistics import AUTOATTACK_RUNS, summarise
from advprune.analysis.verdict_table import VerdictTable
from advprune.figures.style import (
    add_note,
    axis_label,
    inside_percentages,
    look_of,
    new_figure,
    percentage_limits,
    share_legend,
)
from advprune.plan.config import Config
from advprune.spec.methods import METHODS, PROXIES

SHIFT = 0.012  # methods stand side by side at each p, not one over another


def accuracy_points(runs: pd.DataFrame, verdicts: VerdictTable | None = None) -> pd.DataFrame:
    """What is drawn: mean and spread of each metric for each method and p.

    Training on all data is every method's point at p = 1.
    """
    points = summarise(runs, list(ACCURACIES), verdicts)
    return points.assign(share=points["p"].astype(float))


def draw_accuracy(
    runs: pd.DataFrame, config: Config, study: str, verdicts: VerdictTable | None = None
) -> Figure:
    """Rows: natural accuracy and that under each attack. Columns: the loss and DeepFool.

    ``verdicts`` of the runs: None for intervals over seeds alone.
    """
    points = accuracy_points(runs, verdicts)
    figure, axes = new_figure(
        len(ACCURACIES), len(PROXIES), height=2.2 * len(ACCURACIES), sharex=True, sharey="row"
    )
    for row, (metric, label) in enumerate(ACCURACIES.items()):
        for column, (proxy, title) in enumerate(PROXIES.items()):
            axis: Axes = axes[row, column]
            methods = methods_for(proxy, points)
            for place, method in enumerate(methods):
                shift = SHIFT * (place - (len(methods) - 1) / 2)
                _draw_method(axis, points, runs, method, metric, error_bars(config, metric), shift)
            if row == 0:
                axis.set_title(f"Distance proxy: {title}", fontsize=9)
            if column == 0:
                axis.set_ylabel(axis_label(label))
            if row == len(ACCURACIES) - 1:
                axis.set_xlabel("Share of data kept, p")
    for row, metric in enumerate(ACCURACIES):
        axes[row, 0].set_ylim(*percentage_limits(runs[metric]))
    share_legend(figure, axes[0], dataset_label(config["studies"][study]["dataset"]))
    bars = seeds_note([*points["n"], *points[AUTOATTACK_RUNS]], config, over_images=bool(verdicts))
    notes = [f"{bars}; pale dots: single runs", *mixture_notes(runs)]
    add_note(figure, "\n".join([*notes, face_note(config, [study])]))
    return figure


def methods_for(proxy: str, points: pd.DataFrame) -> list[str]:
    """The methods in a proxy's panel, in the registry's order: its own, and random pruning."""
    there = set(points["method"])
    return [
        name
        for name, method in METHODS.items()
        if name in there and method.select and method.proxy in (proxy, None)
    ]


def _draw_method(
    axis: Axes,
    points: pd.DataFrame,
    runs: pd.DataFrame,
    method: str,
    metric: str,
    bars: str,
    shift: float,
) -> None:
    look = look_of(method)
    line = points[points["method"].isin([method, "full"])].sort_values("share")
    axis.errorbar(
        line["share"] + shift,
        line[f"{metric}_mean"],
        yerr=inside_percentages(line[f"{metric}_mean"], line[bars]),
        color=look.colour,
        marker=look.marker,
        markersize=4,
        capsize=2,
        elinewidth=0.9,
        label=METHODS[method].strategy,
        zorder=3,
    )
    single = runs[runs["method"].isin([method, "full"])]
    axis.scatter(
        single["p"].astype(float) + shift,
        single[metric],
        s=9,
        marker=look.marker,
        color=look.colour,
        alpha=0.35,
        linewidth=0,
    )

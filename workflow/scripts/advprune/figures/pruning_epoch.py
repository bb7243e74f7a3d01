"""Supplement: accuracy against the pruning epoch e."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from advprune.analysis.metrics import ACCURACIES
from advprune.analysis.notes import dataset_label, error_bars, face_note, mixture_notes, seeds_note
from advprune.analysis.statistics import AUTOATTACK_RUNS, summarise
from advprune.analysis.verdict_table import VerdictTable
from advprune.figures.style import (
    Drawing,
    add_note,
    axis_label,
    inside_percentages,
    look_of,
    new_figure,
    percentage_limits,
)
from advprune.plan.config import Config
from advprune.spec.methods import METHODS


def pruning_epoch(
    runs: pd.DataFrame, config: Config, verdicts: VerdictTable | None = None
) -> Drawing:
    """The figure, from the runs of the experiment of its name, and their verdicts."""
    points = pruning_epoch_points(runs, verdicts)
    figure = draw_pruning_epoch(points, config, mixture_notes(runs), over_images=bool(verdicts))
    return Drawing(figure, points)


def draw_pruning_epoch(
    points: pd.DataFrame,
    config: Config,
    notes: Sequence[str] = (),
    *,
    over_images: bool = False,
) -> Figure:
    """One panel a metric, one line for each method and p; ``notes`` stand below.

    ``over_images`` tells whether robust accuracies' intervals hold the attacked images too.
    """
    figure, axes = new_figure(1, len(ACCURACIES), height=2.9, sharex=True)
    shares = sorted(points["p"].unique())
    for axis, (metric, label) in zip(axes[0], ACCURACIES.items(), strict=True):
        lines = list(points.groupby(["method", "p"]))
        for place, ((method, p), line) in enumerate(lines):
            look = look_of(method)
            axis.errorbar(
                line["e"] + 0.04 * (place - (len(lines) - 1) / 2),
                line[f"{metric}_mean"],
                yerr=inside_percentages(line[f"{metric}_mean"], line[error_bars(config, metric)]),
                color=look.colour,
                marker=look.marker,
                linestyle=("-", "--", ":", "-.")[shares.index(p) % 4],
                markersize=4,
                capsize=2,
                label=f"{METHODS[method].label}, p = {p}",
            )
        axis.set_xlabel("Pruning epoch e")
        axis.set_ylabel(axis_label(label))
        axis.set_ylim(*percentage_limits(points[f"{metric}_mean"]))
        axis.set_xticks(sorted(points["e"].unique()))
    titles = " and ".join(map(dataset_label, points["dataset"].unique()))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, title=titles)
    studies = [
        name
        for name, study in config["studies"].items()
        if study["dataset"] in set(points["dataset"])
    ]
    lines = [
        seeds_note([*points["n"], *points[AUTOATTACK_RUNS]], config, over_images=over_images),
        *notes,
        face_note(config, studies),
    ]
    add_note(figure, "\n".join(lines))
    return figure


def pruning_epoch_points(runs: pd.DataFrame, verdicts: VerdictTable | None = None) -> pd.DataFrame:
    """What is drawn: mean and spread of each metric for each method, p and e."""
    return summarise(runs, list(ACCURACIES), verdicts)

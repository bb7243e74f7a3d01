"""Supplement: every run of each variant, and what pruning adds to training on all data by it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.notes import face_note, mixture_notes
from advprune.figures.style import Drawing, add_note, look_of, new_figure, share_legend
from advprune.plan.config import Config
from advprune.spec.methods import METHODS
from advprune.tables.sensitivity import AS_IT_IS, sensitivity

ROW = 0.5  # inches
SPREAD = 0.7  # of a row: what its methods share
DOTS = 0.5  # of a method's part of it: how far its dots lie apart


def switches(runs: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the runs of the table ``sensitivity`` and by its numbers.

    Args:
        runs: with the column ``variant``, empty for the config's own.
        config: the config that ran.
    """
    numbers = sensitivity(runs, config).numbers
    metric = f"{config['robust_accuracy']}_accuracy"
    numbers = numbers[numbers["metric"] == metric]
    notes = mixture_notes(runs, paired=True)
    runs = runs.fillna({"variant": ""})
    return Drawing(draw_switches(runs, numbers, metric, config, notes), numbers)


def draw_switches(
    runs: pd.DataFrame, numbers: pd.DataFrame, metric: str, config: Config, notes: Sequence[str]
) -> Figure:
    """A row a variant; left the runs, right the difference that pruning makes; ``notes`` below."""
    variants = list(dict.fromkeys(numbers["variant"]))
    figure, ((left, right),) = new_figure(1, 2, height=1.8 + ROW * len(variants), sharey=True)
    cells = list(dict.fromkeys(zip(numbers["method"], numbers["p"], strict=True)))
    for place, (method, p) in enumerate(cells):
        shift = SPREAD * (place - (len(cells) - 1) / 2) / len(cells)
        of_cell = numbers[(numbers["method"] == method) & (numbers["p"] == p)]
        rows = of_cell["variant"].map(variants.index) + shift
        label = f"{METHODS[method].label}, p = {p}"
        mine = runs[(runs["method"] == method) & (runs["p"] == p)].dropna(subset=[metric])
        _dots(left, mine, metric, variants, shift, SPREAD / len(cells))
        _means(left, of_cell, "robust", rows, method, label)
        _means(right, of_cell, "less_full", rows, method, label)
    right.axvline(0, color="#555555", linestyle=":", linewidth=0.8)
    names = [name.replace("_", " ") or AS_IT_IS for name in variants]
    left.set(yticks=range(len(variants)), yticklabels=names, xlim=(-3, 103))
    left.set_ylim(len(variants) - 0.5, -0.5)
    left.set_xlabel(f"{ROBUST_ACCURACIES[metric]} accuracy (%)")
    right.set_xlabel("Less all data, seed by seed (points)")
    share_legend(figure, [left])
    few, many = numbers["n"].min(), numbers["n"].max()
    count = f"{few}" if few == many else f"{few} to {many}"
    lines = [
        f"Dots: single runs, n = {count} a cell; diamonds: means; bars: t-based 95% intervals over "
        "seeds, cut off at the axes",
        *notes,
        face_note(config, ["mnist"]),
    ]
    add_note(figure, "\n".join(lines))
    return figure


def _dots(
    axis: Axes, runs: pd.DataFrame, metric: str, variants: list[str], shift: float, room: float
) -> None:
    for variant, group in runs.groupby("variant"):
        values = group[metric].to_numpy()
        # Apart by their order, not by chance: the same figure every time.
        apart = room * DOTS * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
        axis.plot(
            values,
            variants.index(variant) + shift + apart,
            linestyle="none",
            marker="o",
            markersize=2,
            alpha=0.4,
            color=look_of(group["method"].iloc[0]).colour,
            markeredgewidth=0,
        )


def _means(
    axis: Axes, numbers: pd.DataFrame, name: str, rows: pd.Series, method: str, label: str
) -> None:
    if numbers[f"{name}_mean"].isna().all():
        return
    axis.errorbar(
        numbers[f"{name}_mean"],
        rows,
        xerr=numbers[f"{name}_half_width"].fillna(0),
        linestyle="none",
        marker="D",
        markersize=3.5,
        capsize=2,
        color=look_of(method).colour,
        label=label,
        zorder=3,
    )

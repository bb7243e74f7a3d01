"""Supplement to figures 3 and 4: the share of collapsed runs against the share of data kept."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.notes import dataset_label, face_note, mixture_notes
from advprune.analysis.statistics import (
    COLLAPSE_LEVELS,
    RUN_KEYS,
    count_collapsed,
    share_interval,
)
from advprune.figures.accuracy import SHIFT, methods_for
from advprune.figures.style import Drawing, add_note, look_of, new_figure, share_legend
from advprune.plan.config import Config
from advprune.plan.exhibits import studies_of
from advprune.spec.methods import METHODS, PROXIES

PANEL_HEIGHT = 1.3  # inches


def collapse(runs: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the runs of figures 3 and 4."""
    points = collapse_points(runs)
    return Drawing(draw_collapse(points, config, mixture_notes(runs)), points)


def collapse_points(runs: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: for each attack, level, data set, method, p and e the share of collapsed runs.

    Columns: ``metric``, the accuracy that is below ``level``, in percent; those of `RUN_KEYS`,
    ``collapsed`` (how many), ``n``, and ``share``, ``low`` and ``high``, the share and its 95%
    interval, in [0, 1].
    """
    rows = []
    for metric, level in itertools.product(ROBUST_ACCURACIES, COLLAPSE_LEVELS):
        for key, group in runs.groupby(RUN_KEYS, sort=True):
            measured = group[metric].dropna()
            collapsed = count_collapsed(measured, below=level)
            cell = {"metric": metric, "level": level} | dict(zip(RUN_KEYS, key, strict=True))
            interval = asdict(share_interval(collapsed, len(measured)))
            rows.append(cell | {"collapsed": collapsed} | interval)
    return pd.DataFrame(rows)


def draw_collapse(points: pd.DataFrame, config: Config, notes: Sequence[str] = ()) -> Figure:
    """Rows: each study, attack and proxy, with random pruning in all of them. Columns: the levels.

    ``notes`` stand below.
    """
    studies = studies_of("collapse", config)
    datasets = [config["studies"][study]["dataset"] for study in studies]
    rows = list(itertools.product(datasets, ROBUST_ACCURACIES, PROXIES))
    figure, axes = new_figure(
        *(len(rows), len(COLLAPSE_LEVELS)),
        height=2 + PANEL_HEIGHT * len(rows),
        sharex=True,
        sharey=True,
    )
    for panels, (dataset, metric, proxy) in zip(axes, rows, strict=True):
        of_row = points[(points["dataset"] == dataset) & (points["metric"] == metric)]
        panels[0].set_ylabel(f"{ROBUST_ACCURACIES[metric]}\n{PROXIES[proxy]}", fontsize=7.5)
        for axis, level in zip(panels, COLLAPSE_LEVELS, strict=True):
            _draw_panel(axis, of_row[of_row["level"] == level], proxy)
            if (metric, proxy) == rows[0][1:]:  # the first row of a study
                # A long name of a data set runs over the panels beside the middle one.
                above = dataset_label(dataset) if axis is panels[1] else ""
                axis.set_title(f"{above}\nbelow {level:g}%", fontsize=8.5)
    for axis in axes[-1]:
        axis.set_xlabel("Share of data kept, p")
    axes[0, 0].set(ylim=(-3, 103), yticks=range(0, 101, 25), xticks=[0.2, 0.4, 0.6, 0.8, 1])
    figure.supylabel("Share of runs with an accuracy below the level (%)", fontsize=9)
    share_legend(figure, axes.flat)
    add_note(figure, "\n".join([_counts_note(points), *notes, face_note(config, studies)]))
    return figure


def _counts_note(points: pd.DataFrame) -> str:
    few, many = points["n"].min(), points["n"].max()
    count = f"{few}" if few == many else f"{few} to {many}"
    return (
        "Collapsed: an accuracy under the attack below the column's level. Shares of "
        f"n = {count} runs a point; bars: Wilson's 95% intervals. At p = 1 every method is "
        "training on all data"
    )


def _draw_panel(axis: Axes, points: pd.DataFrame, proxy: str) -> None:
    methods = methods_for(proxy, points)
    for place, method in enumerate(methods):
        shift = SHIFT * (place - (len(methods) - 1) / 2)
        _draw_method(axis, points, method, shift)


def _draw_method(axis: Axes, points: pd.DataFrame, method: str, shift: float) -> None:
    look = look_of(method)
    line = points[points["method"].isin([method, "full"])]
    line = line.assign(at=line["p"].astype(float)).sort_values("at")
    axis.errorbar(
        line["at"] + shift,
        100 * line["share"],
        yerr=[100 * (line["share"] - line["low"]), 100 * (line["high"] - line["share"])],
        color=look.colour,
        marker=look.marker,
        markersize=2.5,
        linewidth=1,
        elinewidth=0.6,
        label=METHODS[method].strategy,
        zorder=3,
    )

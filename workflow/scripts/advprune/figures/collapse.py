"""Supplement to figures 3 and 4: the share of collapsed runs against the share of data kept."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ROBUST_ACCURACIES
from advprune.analysis.notes import dataset_label, face_note, mixture_notes
from advprune.analysis.statistics import RUN_KEYS, count_collapsed, share_interval
from advprune.figures.accuracy import SHIFT, methods_for
from advprune.figures.style import Drawing, add_note, look_of, new_figure, share_legend
from advprune.plan.config import Config
from advprune.spec.methods import METHODS, PROXIES


def collapse(runs: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the runs of figures 3 and 4."""
    points = collapse_points(runs)
    return Drawing(draw_collapse(points, config, mixture_notes(runs)), points)


def collapse_points(runs: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: for each attack, data set, method, p and e the share of collapsed runs.

    Columns: ``metric``, the accuracy below 1%; those of `RUN_KEYS`, ``collapsed`` (how many),
    ``n``, and ``share``, ``low`` and ``high``, the share and its 95% interval, in [0, 1].
    """
    rows = []
    for metric in ROBUST_ACCURACIES:
        for key, group in runs.groupby(RUN_KEYS, sort=True):
            collapsed = count_collapsed(group[metric])
            cell = {"metric": metric} | dict(zip(RUN_KEYS, key, strict=True))
            interval = asdict(share_interval(collapsed, len(group)))
            rows.append(cell | {"collapsed": collapsed} | interval)
    return pd.DataFrame(rows)


def draw_collapse(points: pd.DataFrame, config: Config, notes: Sequence[str] = ()) -> Figure:
    """Rows: each study under each attack. Columns: the proxies, with random pruning in both.

    ``notes`` stand below.
    """
    studies = config["studies"]
    rows = [
        (study["dataset"], metric) for study in studies.values() for metric in ROBUST_ACCURACIES
    ]
    figure, axes = new_figure(
        len(rows), len(PROXIES), height=1 + 2.2 * len(rows), sharex=True, sharey=True
    )
    for row, (dataset, metric) in enumerate(rows):
        of_row = points[(points["dataset"] == dataset) & (points["metric"] == metric)]
        for column, (proxy, title) in enumerate(PROXIES.items()):
            axis: Axes = axes[row, column]
            methods = methods_for(proxy, of_row)
            for place, method in enumerate(methods):
                shift = SHIFT * (place - (len(methods) - 1) / 2)
                _draw_method(axis, of_row, method, shift)
            axis.set_title(f"{dataset_label(dataset)}\nDistance proxy: {title}", fontsize=8)
            if row == len(rows) - 1:
                axis.set_xlabel("Share of data kept, p")
            if column == 0:
                axis.set_ylabel(f"Collapsed by\n{ROBUST_ACCURACIES[metric]} (%)")
    axes[0, 0].set_ylim(-3, 103)
    share_legend(figure, axes.flat)
    few, many = points["n"].min(), points["n"].max()
    count = f"{few}" if few == many else f"{few} to {many}"
    lines = [
        "Collapsed: an accuracy below 1% under the attack. Shares of "
        f"n = {count} runs a point; bars: Wilson's 95% intervals. At p = 1 every method is "
        "training on all data",
        *notes,
        face_note(config, studies),
    ]
    add_note(figure, "\n".join(lines))
    return figure


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
        markersize=4,
        capsize=2,
        elinewidth=0.9,
        label=METHODS[method].strategy,
        zorder=3,
    )

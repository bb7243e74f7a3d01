"""Supplement to Table 1: the accuracy of every single run, where the table has means."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ACCURACIES, ROBUST_ACCURACIES
from advprune.analysis.notes import dataset_label, error_bars, face_note, mixture_notes, seeds_note
from advprune.analysis.statistics import (
    AUTOATTACK_RUNS,
    RUN_KEYS,
    count_collapsed,
    share_interval,
    summarise,
)
from advprune.analysis.verdict_table import VerdictTable
from advprune.figures.style import (
    PAGE_WIDTH,
    Drawing,
    add_note,
    axis_label,
    inside_percentages,
    look_of,
    new_figure,
)
from advprune.plan.config import Config
from advprune.spec.methods import METHODS, PROXIES, PruningMethod
from advprune.tables.table1 import TABLE1_ORDER

MEAN_AT = 0.38  # beside the dots, which stand around 0; a strip is 1 wide
STRIP_ENDS = 0.53
FEW, MANY = 10, 120  # runs a method: dots shrink from one to the other
LARGE, SMALL, SMALLEST = 4.5, 2.2, 1.0  # points
ROW_WIDTH = 0.75  # of a strip: how far dots of equal height may reach; seaborn piles up what is out
AXIS_POINTS = 72 * 0.9 * PAGE_WIDTH  # the panels' width; the rest is for the labels of the y axis


def distribution(
    runs: pd.DataFrame, config: Config, verdicts: VerdictTable | None = None
) -> Drawing:
    """The figure, from the runs of Table 1, and their verdicts."""
    dots = distribution_dots(runs)
    return Drawing(draw_distribution(dots, runs, config, verdicts), dots)


def distribution_dots(runs: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: the accuracies of each run, in the order of Table 1."""
    places = {method: place for place, method in enumerate(TABLE1_ORDER)}
    place = runs["method"].map(places).fillna(len(places))  # what the paper lacks comes last
    ordered = runs.assign(place=place).sort_values(["place", *RUN_KEYS, "seed"])
    return ordered[[*RUN_KEYS, "seed", *ROBUST_ACCURACIES]].reset_index(drop=True)


def draw_distribution(
    dots: pd.DataFrame,
    runs: pd.DataFrame,
    config: Config,
    verdicts: VerdictTable | None = None,
) -> Figure:
    """One panel an attack, one strip of dots for each method and p, its mean beside it.

    ``verdicts`` of the runs: None for intervals over seeds alone.
    """
    strips = dots[RUN_KEYS].drop_duplicates().reset_index(drop=True)
    points = strips.merge(summarise(runs, list(ROBUST_ACCURACIES), verdicts), on=RUN_KEYS)
    panels = len(ROBUST_ACCURACIES)
    figure, axes = new_figure(panels, height=1.6 + 2.6 * panels, sharex=True)
    for axis, metric in zip(axes[:, 0], ROBUST_ACCURACIES, strict=True):
        _draw_strips(axis, dots.merge(strips.reset_index(names="place"), on=RUN_KEYS), metric)
        _draw_means(axis, points, metric, error_bars(config, metric))
        axis.set(xlabel="", ylabel=axis_label(ACCURACIES[metric]), ylim=(-3, 103))
        axis.set_xlim(STRIP_ENDS - 1, STRIP_ENDS + len(strips) - 1)
        axis.grid(visible=False, axis="x")
        for place in strips.index[:-1]:
            axis.axvline(place + STRIP_ENDS, color="#bbbbbb", linewidth=0.6)
    labels = [_strip_label(group) for _, group in dots.groupby(RUN_KEYS, sort=False)]
    axes[-1, 0].set_xticks(strips.index, labels, fontsize=7)
    dataset = config["studies"]["mnist"]["dataset"]
    figure.suptitle(f"{dataset_label(dataset)}: a dot for every run", fontsize=9)
    notes = [
        "Black diamonds: "
        + seeds_note([*points["n"], *points[AUTOATTACK_RUNS]], config, over_images=bool(verdicts)),
        "Collapsed: the share of runs with an accuracy below 1% under each attack, with Wilson's "
        "95% interval",
        *mixture_notes(runs),
        face_note(config, ["mnist"]),
    ]
    add_note(figure, "\n".join(notes))
    return figure


def dot_size(accuracies: pd.Series, strips: int) -> float:
    """The size of a strip's dots in points: the fewer the larger, and a row of equal ones fits.

    That matters where many runs collapsed, whose accuracies are all 0% or little above.

    Args:
        accuracies: of the strip's runs, in percent.
        strips: how many stand side by side.
    """
    if accuracies.empty:
        return SMALLEST
    crowded = min(max((len(accuracies) - FEW) / (MANY - FEW), 0), 1)
    ordered = np.sort(accuracies.to_numpy())
    # At less than a point's distance dots stand side by side.
    within = np.searchsorted(ordered, ordered + 1, side="right") - np.arange(len(ordered))
    fitting = ROW_WIDTH * AXIS_POINTS / strips / within.max()
    return max(min(LARGE + crowded * (SMALL - LARGE), fitting), SMALLEST)


def _draw_strips(axis: Axes, dots: pd.DataFrame, metric: str) -> None:
    strips = dots.groupby("place")
    for _, strip in strips:
        sns.swarmplot(
            strip,
            x="place",
            y=metric,
            color=look_of(strip["method"].iloc[0]).colour,
            native_scale=True,
            size=dot_size(strip[metric].dropna(), len(strips)),
            legend=False,
            ax=axis,
            zorder=2,
        )


def _draw_means(axis: Axes, points: pd.DataFrame, metric: str, bars: str) -> None:
    means = points[f"{metric}_mean"]
    axis.errorbar(
        points.index + MEAN_AT,
        means,
        yerr=inside_percentages(means, points[bars]),
        color="black",
        marker="D",
        linestyle="none",
        markersize=4,
        capsize=2.5,
        elinewidth=1,
        zorder=3,
    )


def _strip_label(dots: pd.DataFrame) -> str:
    first = dots.iloc[0]
    lines = [
        _two_lines(METHODS[first["method"]]),
        f"p = {first['p']}",
        "collapsed by",
    ]
    for metric in ROBUST_ACCURACIES:
        measured = dots[metric].dropna()
        found = share_interval(count_collapsed(measured), len(measured))
        low, share, high = (f"{100 * value:.0f}" for value in (found.low, found.share, found.high))
        lines += [
            f"{ROBUST_ACCURACIES[metric]},",
            f"n = {len(measured)}:",
            f"{share}% ({low} to {high}%)",
        ]
    return "\n".join(lines)


def _two_lines(method: PruningMethod) -> str:
    return f"{method.strategy}\n({PROXIES[method.proxy]})" if method.proxy else method.strategy

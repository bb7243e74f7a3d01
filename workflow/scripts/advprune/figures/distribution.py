"""Supplement to Table 1: the accuracy of every single run, where the table has means."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.analysis.metrics import ACCURACIES, ROBUST_ACCURACIES
from advprune.analysis.notes import dataset_label, error_bars, face_note, mixture_notes, seeds_note
from advprune.analysis.statistics import RUN_KEYS, count_collapsed, share_interval, summarise
from advprune.analysis.verdict_table import VerdictTable
from advprune.figures.style import Drawing, add_note, inside_percentages, look_of, new_figure
from advprune.plan.config import Config
from advprune.spec.methods import METHODS, PROXIES, PruningMethod
from advprune.tables.table1 import TABLE1_ORDER

MEAN_AT = 0.38  # beside the dots, which stand around 0; a strip is 1 wide
STRIP_ENDS = 0.53
FEW, MANY = 10, 120  # runs a method: dots shrink from one to the other
LARGE, SMALL = 4.5, 2.2  # points


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
        axis.set(xlabel="", ylabel=ACCURACIES[metric], ylim=(-3, 103))
        axis.set_xlim(STRIP_ENDS - 1, STRIP_ENDS + len(strips) - 1)
        axis.grid(visible=False, axis="x")
        for place in strips.index[:-1]:
            axis.axvline(place + STRIP_ENDS, color="#bbbbbb", linewidth=0.6)
    labels = [_strip_label(group) for _, group in dots.groupby(RUN_KEYS, sort=False)]
    axes[-1, 0].set_xticks(strips.index, labels, fontsize=7)
    dataset = config["studies"]["mnist"]["dataset"]
    figure.suptitle(f"{dataset_label(dataset)}: a dot for every run", fontsize=9)
    notes = [
        "Black diamonds: " + seeds_note(points["n"], config, over_images=bool(verdicts)),
        "Collapsed: the share of runs with an accuracy below 1% under each attack, with Wilson's "
        "95% interval",
        *mixture_notes(runs),
        face_note(config, ["mnist"]),
    ]
    add_note(figure, "\n".join(notes))
    return figure


def _draw_strips(axis: Axes, dots: pd.DataFrame, metric: str) -> None:
    most = dots["place"].value_counts().max()
    crowded = min(max((most - FEW) / (MANY - FEW), 0), 1)
    colours = {row.place: look_of(row.method).colour for row in dots.itertuples()}
    sns.swarmplot(
        dots,
        x="place",
        y=metric,
        hue="place",
        palette=colours,
        native_scale=True,
        size=LARGE + crowded * (SMALL - LARGE),
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
        f"p = {first['p']}, n = {len(dots)}",
        "collapsed by",
    ]
    for metric in ROBUST_ACCURACIES:
        found = share_interval(count_collapsed(dots[metric]), len(dots))
        low, share, high = (f"{100 * value:.0f}" for value in (found.low, found.share, found.high))
        lines += [f"{ROBUST_ACCURACIES[metric]}:", f"{share}% ({low} to {high}%)"]
    return "\n".join(lines)


def _two_lines(method: PruningMethod) -> str:
    return f"{method.strategy}\n({PROXIES[method.proxy]})" if method.proxy else method.strategy

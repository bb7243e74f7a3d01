"""Supplement: loss and accuracy by epoch of every run, those that end collapsed apart."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.notes import face_note, mixture_notes
from advprune.analysis.run_files import read_curves
from advprune.analysis.statistics import COLLAPSE_BELOW, RUN_KEYS
from advprune.figures.style import PALETTE, Drawing, add_note, look_of, new_figure
from advprune.plan.config import Config
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS, PROXIES

PANELS_ACROSS = 4
# No strategy has this colour, so that collapsed runs look the same in every method's panel.
COLLAPSED = PALETTE[4]
# An axis of losses ends at twice that of guessing: a run may leave it, and must not squash others.
LOSSES_SHOWN = 2
MANY = 20  # lines of single runs, from where on they are paler


@dataclass(frozen=True)
class Measure:
    """A row of panels.

    Attributes:
        column: of the curves.
        label: of the axis.
    """

    column: str
    label: str


LOSS = Measure("loss", "Loss, as\nattacked")
ACCURACY = Measure("accuracy", "Accuracy, as\nattacked (%)")
VALIDATION = Measure("validation_accuracy", "Validation\naccuracy (%)")


def curves(runs: pd.DataFrame, config: Config, folder: Path) -> Drawing:
    """The figure.

    Args:
        runs: a table of runs.
        config: the config that they were made with.
        folder: holds the runs' folders.
    """
    points = curve_points(runs, read_curves(runs, folder))
    return Drawing(draw_curves(points, config, mixture_notes(runs)), points)


def curve_points(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: a row for every run and epoch.

    Columns: those of `RUN_KEYS`, ``seed``, ``epoch``, ``loss``, ``accuracy`` and
    ``validation_accuracy`` (percentages, the latter NaN without early stopping), and ``collapsed``,
    whether the run ended with an accuracy below 1% under one of the paper's attacks.
    """
    names = [*RUN_KEYS, "seed"]
    ended = runs[names].assign(
        collapsed=(runs[list(PAPERS_ATTACKS)] < COLLAPSE_BELOW).any(axis="columns")
    )
    measured = [measure.column for measure in (LOSS, ACCURACY, VALIDATION)]
    points = curves[[*names, "epoch", *measured]].merge(ended, on=names, validate="many_to_one")
    for share in (ACCURACY, VALIDATION):
        points[share.column] *= 100
    return points


def draw_curves(points: pd.DataFrame, config: Config, notes: list[str]) -> Figure:
    """A panel a method and measure, four methods side by side; ``notes`` stand below."""
    rows = list(_rows_of_panels(points, config))
    figure, axes = new_figure(
        len(rows), PANELS_ACROSS, height=1.4 + 1.35 * len(rows), sharex=False, sharey="row"
    )
    for of_row, (groups, measure, is_first, is_last) in zip(axes, rows, strict=True):
        for axis, group in zip(of_row, groups, strict=False):
            _draw_panel(axis, group, measure)
            if is_first:
                axis.set_title(_panel_title(group), fontsize=7)
            if is_last:
                axis.set_xlabel("Epoch", fontsize=7.5)
        for axis in of_row[len(groups) :]:
            axis.set_visible(False)
        of_row[0].set_ylabel(measure.label, fontsize=7.5)
        of_row[0].set_ylim(*_limits(pd.concat(groups), measure))
    guesses = Line2D([], [], color="#777777", linestyle=":", label="Guessing")
    figure.legend(handles=[*how_runs_end(), guesses], loc="outside upper center", ncols=3)
    studies = [
        name
        for name, study in config["studies"].items()
        if study["dataset"] in set(points["dataset"])
    ]
    add_note(figure, "\n".join([*_explanations(points), *notes, face_note(config, studies)]))
    return figure


def _rows_of_panels(
    points: pd.DataFrame, config: Config
) -> Iterator[tuple[list[pd.DataFrame], Measure, bool, bool]]:
    """Each row's curves by panel, its measure, and whether it is the first and the last of these.

    Full data come first, then the methods in the registry's order.
    """
    order = list(METHODS)
    for study in config["studies"].values():
        of_study = points[points["dataset"] == study["dataset"]]
        measures = [LOSS, ACCURACY]
        if of_study["validation_accuracy"].notna().any():
            measures.append(VALIDATION)
        groups = dict(list(of_study.groupby(RUN_KEYS)))
        keys = sorted(groups, key=lambda key: (order.index(key[1]), *key[2:]))
        for start in range(0, len(keys), PANELS_ACROSS):
            of_row = [groups[key] for key in keys[start : start + PANELS_ACROSS]]
            for measure in measures:
                yield of_row, measure, measure == measures[0], measure == measures[-1]


def _draw_panel(axis: Axes, group: pd.DataFrame, measure: Measure) -> None:
    draw_runs(axis, group, measure.column)
    dataset = group.iloc[0]["dataset"]
    if measure is not VALIDATION:  # of attacked images: guessing is no bound
        axis.axhline(guessing(dataset, measure), color="#777777", linestyle=":", linewidth=0.9)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.tick_params(labelsize=6.5)


def draw_runs(axis: Axes, group: pd.DataFrame, column: str) -> None:
    """Draw a column by epoch, of every run of one method and the mean of those that end alike.

    Args:
        axis: to draw on.
        group: has the columns ``method``, ``seed``, ``epoch``, ``collapsed`` and ``column``.
        column: what to draw.
    """
    for collapsed, of_end in group.groupby("collapsed"):
        colour = COLLAPSED if collapsed else look_of(group["method"].iloc[0]).colour
        style = "--" if collapsed else "-"
        by_seed = of_end.pivot(index="epoch", columns="seed", values=column)
        pale = 0.4 if by_seed.shape[1] < MANY else 0.2
        axis.plot(by_seed, color=colour, linestyle=style, linewidth=0.6, alpha=pale)
        mean = by_seed.mean(axis="columns")
        axis.plot(mean, color=colour, linestyle=style, linewidth=1.8, zorder=3)


def guessing(dataset: str, measure: Measure) -> float:
    """The loss, or the accuracy in percent, of a network that holds all classes equally likely."""
    classes = DATASETS[dataset].classes
    return math.log(classes) if measure is LOSS else 100 / classes


def _limits(points: pd.DataFrame, measure: Measure) -> tuple[float, float]:
    if measure is not LOSS:
        return -3, 103
    chance = guessing(points.iloc[0]["dataset"], LOSS)
    finite = points["loss"][np.isfinite(points["loss"])]
    return 0, min(1.05 * max(finite.max(), chance), LOSSES_SHOWN * chance)


def _panel_title(group: pd.DataFrame) -> str:
    first = group.iloc[0]
    known = METHODS[first["method"]]
    ends = group.drop_duplicates("seed")["collapsed"]
    lines = [DATASETS[first["dataset"]].title, known.strategy if known.select else "All data"]
    if known.select:
        proxy = f"{PROXIES[known.proxy]}, " if known.proxy else ""
        lines.append(f"{proxy}p = {first['p']}")
    return "\n".join([*lines, f"{ends.sum()} of {len(ends)} collapsed"])


def how_runs_end() -> list[Line2D]:
    """The entries of a legend that tell the lines of `draw_runs` apart."""
    bold = {"linewidth": 1.8}
    return [
        Line2D([], [], color="black", label="Not collapsed (the method's colour)", **bold),
        Line2D([], [], color=COLLAPSED, linestyle="--", label="Ends collapsed", **bold),
    ]


def _explanations(points: pd.DataFrame) -> list[str]:
    attacks = " or ".join(PAPERS_ATTACKS.values())
    notes = [
        f"Pale: single runs; bold: the means of those that end alike. Collapsed: an accuracy below "
        f"1% under {attacks}. Loss and accuracy of the images trained on, before each update"
    ]
    if points["validation_accuracy"].notna().any():
        notes.append(
            "Validation accuracy: of test images under early stopping's PGD; a run that is stopped "
            "ends there, and means are of the runs that go on"
        )
    return notes

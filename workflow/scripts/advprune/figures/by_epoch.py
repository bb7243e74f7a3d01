"""Supplement: what attacks leave after every epoch, and whether a run that collapses recovers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from advprune.analysis.metrics import RELEASED_AUTOATTACK, ROBUST_ACCURACIES
from advprune.analysis.notes import face_note, mixture_notes
from advprune.analysis.run_files import read_accuracies_by_epoch
from advprune.analysis.statistics import COLLAPSE_BELOW, RUN_KEYS
from advprune.figures.curves import draw_runs, how_runs_end
from advprune.figures.style import Drawing, add_note, new_figure
from advprune.plan.config import Config
from advprune.spec.methods import METHODS

PGD = "pgd_accuracy"
# The rows of panels: what is measured, and what it is called.
MEASURES = {
    "natural_accuracy": "Natural",
    PGD: "PGD",
    RELEASED_AUTOATTACK: ROBUST_ACCURACIES[RELEASED_AUTOATTACK],
}
ROW = 1.5  # inches


def by_epoch(runs: pd.DataFrame, config: Config, folder: Path) -> Drawing:
    """The figure.

    Args:
        runs: a table of runs.
        config: the config that they were made with.
        folder: holds the runs' folders.
    """
    found = read_accuracies_by_epoch(runs, folder, config)
    ends = found.sort_values("epoch").groupby([*RUN_KEYS, "seed"])[RELEASED_AUTOATTACK]
    points = found.assign(collapsed=ends.transform("last") < COLLAPSE_BELOW)
    return Drawing(draw_by_epoch(points, config, mixture_notes(runs)), points)


def collapses(points: pd.DataFrame, metric: str) -> tuple[int, int, int]:
    """How many runs fall below 1% under an attack, how many recover, and how many end there.

    Args:
        points: a row for every seed and epoch of one method and p.
        metric: the accuracy under the attack.

    Returns:
        the runs that are below it after an epoch and were not after an earlier one; those of them
        that are not after the last; and all that are after the last.
    """
    by_seed = points.pivot(index="epoch", columns="seed", values=metric).sort_index()
    below = by_seed < COLLAPSE_BELOW
    fell = (below & (~below).cummax()).any()
    ends = below.iloc[-1]
    return int(fell.sum()), int((fell & ~ends).sum()), int(ends.sum())


def draw_by_epoch(points: pd.DataFrame, config: Config, notes: Sequence[str] = ()) -> Figure:
    """A column of panels for each method and p, full data first; ``notes`` stand below."""
    order = list(METHODS)
    cells = dict(list(points.groupby(RUN_KEYS)))
    keys = sorted(cells, key=lambda key: (order.index(key[1]), *key[2:]))
    figure, axes = new_figure(
        *(len(MEASURES), max(len(keys), 2)),
        height=1.6 + ROW * len(MEASURES),
        sharex=True,
        sharey=True,
    )
    for panels, (metric, label) in zip(axes, MEASURES.items(), strict=True):
        panels[0].set_ylabel(f"{label}\naccuracy (%)")
        for axis, key in zip(panels, keys, strict=False):
            draw_runs(axis, cells[key], metric)
            _, method, p, _ = key
            title = f"{METHODS[method].label}, p = {p}\n" if metric == next(iter(MEASURES)) else ""
            if metric in (PGD, *ROBUST_ACCURACIES):
                fell, recovered, ends = collapses(cells[key], metric)
                title = f"{fell} fell below 1%, {recovered} recovered; {ends} below at the end"
            axis.set_title(title.strip(), fontsize=7)
        for axis in panels[len(keys) :]:
            axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("Epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylim(-3, 103)
    figure.legend(handles=how_runs_end(), loc="outside upper center", ncols=2)
    add_note(figure, "\n".join([*_explanations(points, config), *notes]))
    return figure


def _explanations(points: pd.DataFrame, config: Config) -> list[str]:
    counts = points.groupby(RUN_KEYS)["seed"].nunique()
    few, many = counts.min(), counts.max()
    steps = config["early_stopping"]["steps"]
    attacked = config["studies"]["mnist"]["evaluation"]["single_attack_examples"]
    images = f"the {attacked:,}" if attacked else "all"
    lines = [
        f"n = {few if few == many else f'{few} to {many}'} runs a panel, trained once more and "
        f"attacked after every epoch, on {images} test images that APGD-CE 40×5 attacks at the "
        f"end; PGD: early stopping's, {steps} steps. Pale: single runs; bold: means of those that "
        "end alike. Ends collapsed: below 1% under APGD-CE 40×5 after the last epoch"
    ]
    differing = points[~points["as_trained"]].groupby([*RUN_KEYS, "seed"]).ngroups
    if differing:
        lines.append(
            f"{differing} of the runs came out otherwise, trained once more, than the runs of the "
            "other tables and figures: on another machine, or on a GPU, rounding differs"
        )
    return [*lines, face_note(config, ["mnist"])]

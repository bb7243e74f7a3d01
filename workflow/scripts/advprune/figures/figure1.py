"""Figure 1: a toy problem before and after dropping the points near the boundary."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from advprune.figures.style import PALETTE, Drawing, add_note, new_figure
from advprune.plan.config import Config
from advprune.spec.specification import DeepFoolSettings
from advprune.toy.boundary import (
    EPOCHS,
    GRID,
    PRUNING_EPOCH,
    THREAT,
    ToyPoints,
    ToyRun,
    boundary_lines,
    count_misclassified,
    draw_points,
    margins,
    train_toy,
)

COLOURS = PALETTE[:2]
TINTS = ("#dbe9f4", "#fae3d6")  # the same two, pale
MARKERS = ("o", "^")
DIGITS = 5  # of coordinates: far finer than a printed dot
SEED = 0


def figure1(config: Config) -> Drawing:
    """The figure: the toy problem trained on all points, and on those that pruning keeps."""
    settings = DeepFoolSettings(**config["deepfool"])
    points = draw_points(SEED)
    runs = {
        panel: train_toy(points, method=method, settings=settings, seed=SEED)
        for panel, method in (("a", "full"), ("b", "low-deepfool"))
    }
    frame = boundary_frame(points, runs)
    return Drawing(draw_boundary(frame, points, runs), frame)


def boundary_frame(points: ToyPoints, runs: dict[str, ToyRun]) -> pd.DataFrame:
    """What is drawn: the points and the boundaries of each panel.

    Args:
        points: the toy problem.
        runs: panel (``"a"``, ``"b"``) to the run it shows. What the last one prunes is marked
            as dropped in all.

    Returns:
        Columns panel, kind, line, x, y, label and dropped. ``kind`` is ``point``, ``boundary`` (of
        the trained network) or ``scored boundary`` (when distances were taken). Boundaries are
        numbered lines, to be joined from row to row; only points have a label and may be dropped.
    """
    kept = list(runs.values())[-1].kept
    frame = pd.concat(
        [part for panel, run in runs.items() for part in _panel_parts(panel, run, points, kept)],
        ignore_index=True,
    )
    whole_numbers = {"line": "Int64", "label": "Int64", "dropped": "boolean"}
    columns = ["panel", "kind", "line", "x", "y", "label", "dropped"]
    return frame.reindex(columns=columns).astype(whole_numbers).round({"x": DIGITS, "y": DIGITS})


def _panel_parts(
    panel: str, run: ToyRun, points: ToyPoints, kept: np.ndarray
) -> Iterator[pd.DataFrame]:
    yield pd.DataFrame(points.coordinates[run.kept], columns=["x", "y"]).assign(
        panel=panel,
        kind="point",
        label=points.labels[run.kept].numpy(),
        dropped=~np.isin(run.kept, kept),
    )
    for kind, values in (
        ("boundary", margins(run.network)),
        ("scored boundary", run.scored_margins),
    ):
        for number, line in enumerate(boundary_lines(values)):
            yield pd.DataFrame(line, columns=["x", "y"]).assign(panel=panel, kind=kind, line=number)


def draw_boundary(frame: pd.DataFrame, points: ToyPoints, runs: dict[str, ToyRun]) -> Figure:
    """One panel a run: the network's two regions, its boundary, and the points it learnt from."""
    figure, axes = new_figure(1, len(runs), height=3.9, sharex=True, sharey=True)
    for axis, (panel, run) in zip(axes[0], runs.items(), strict=True):
        values = margins(run.network)
        axis.contourf(GRID, GRID, values, levels=[-np.inf, 0, np.inf], colors=TINTS, zorder=0)
        _draw_panel(axis, frame[frame["panel"] == panel])
        data = "All data" if len(run.kept) == len(points.labels) else "Pruned data"
        wrong = count_misclassified(run, points)
        axis.set_title(f"({panel}) {data}: {wrong} of {len(run.kept)} points misclassified")
        axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="$x_1$")
        axis.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axis.grid(visible=False)
    axes[0, 0].set_ylabel("$x_2$")
    _draw_reach(axes[0, 0])
    handles, names = zip(*_legend(), strict=True)
    figure.legend(
        handles,
        names,
        loc="outside upper center",
        ncols=len(names),
        handlelength=1.8,
        columnspacing=1.8,
        handler_map={tuple: HandlerTuple(ndivide=None)},
    )
    add_note(figure, _note(points, list(runs.values())[-1]))
    return figure


def _note(points: ToyPoints, pruned: ToyRun) -> str:
    total = len(points.labels)
    dropped = total - len(pruned.kept)
    return (
        "A drawn toy problem, no image data. Both networks: RS+FGSM from the same initial weights. "
        f"Dropped: the {dropped} of {total} points\nnearest to the boundary after epoch "
        f"{PRUNING_EPOCH} of {EPOCHS}, by DeepFool. Misclassified: among the points trained on to "
        "the end."
    )


def _draw_panel(axis: Axes, rows: pd.DataFrame) -> None:
    for kind, style in (("boundary", "-"), ("scored boundary", ":")):
        for _, line in rows[rows["kind"] == kind].groupby("line"):
            axis.plot(line["x"], line["y"], color="black", linestyle=style, zorder=2)
    of_points = rows[rows["kind"] == "point"]
    for (label, dropped), group in of_points.groupby(["label", "dropped"]):
        axis.scatter(
            group["x"],
            group["y"],
            s=13,
            marker=MARKERS[label],
            facecolor="white" if dropped else COLOURS[label],
            edgecolor=COLOURS[label],
            linewidth=0.9,
            zorder=3,
        )


def _draw_reach(axis: Axes) -> None:
    """A square as large as what the attack can reach from its middle, in an empty corner."""
    side = 2 * THREAT.epsilon
    axis.add_patch(
        Rectangle((0.04, 0.04), side, side, fill=False, edgecolor="black", linewidth=0.8)
    )
    axis.text(
        0.06 + side,
        0.04 + side / 2,
        f"attack: ±{THREAT.epsilon}",
        va="center",
        fontsize=7,
    )


def _legend() -> Iterator[tuple[Line2D | tuple[Line2D, ...], str]]:
    def dot(label: int, face: str) -> Line2D:
        look = {"marker": MARKERS[label], "color": COLOURS[label], "markerfacecolor": face}
        return Line2D([], [], linestyle="none", markersize=4, **look)

    for label in (0, 1):
        yield dot(label, COLOURS[label]), f"Class {label}"
    yield (dot(0, "white"), dot(1, "white")), "Dropped"
    yield Line2D([], [], color="black", linestyle=":"), "Boundary at pruning"
    yield Line2D([], [], color="black"), "Boundary after training"

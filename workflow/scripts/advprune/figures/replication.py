"""Every number that the paper prints beside ours, with what the paper lets one expect."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from advprune.analysis.notes import face_note
from advprune.claims.rules import Verdict
from advprune.figures.style import Drawing, add_note, new_figure
from advprune.plan.config import Config

GREY = "#9a9a9a"
# Colour and marker; told apart without colour too.
LOOKS = {
    Verdict.REPRODUCED: ("#009E73", "D"),
    Verdict.DIFFERS: ("#D55E00", "X"),
    Verdict.UNDERPOWERED: ("#0072B2", "s"),
    Verdict.NOT_RUN: (GREY, "o"),
}
ROW_HEIGHT = 0.27  # inches
PANEL_HEIGHT = 0.6  # inches beside the rows
LABEL_WIDTH = 62  # characters
LEVEL = 0.95


def replication(claims: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the table of claims."""
    points = replication_points(claims)
    return Drawing(draw_replication(points, config), points)


def replication_points(claims: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: a row for each printed number, in the paper's order, what was not run last.

    Columns: ``id``, ``says``, ``unit``, ``verdict``, ``n``, ``printed``, ``printed_half_width``,
    ``margin``; ``expected_half_width`` of the 95% prediction interval; ``value``, ``low`` and
    ``high``, ours.
    """
    rows = claims[claims["printed"].notna()].copy()
    rows["n"] = [_fewest(text) for text in rows["n"]]
    rows["expected_half_width"] = [_expected_half_width(row) for row in rows.to_dict("records")]
    rows["last"] = rows["verdict"] == Verdict.NOT_RUN
    columns = ["id", "says", "unit", "verdict", "n", "printed", "printed_half_width", "margin"]
    columns += ["expected_half_width", "value", "low", "high"]
    rows = rows.sort_values("last", kind="stable")[columns].reset_index(drop=True)
    numbers = [*columns[5:]]
    return rows.astype(dict.fromkeys(numbers, float))


def expected_half_width(half_width: float, runs: int, n: int) -> float:
    """Half the 95% prediction interval for a mean of n runs, by a printed interval of ``runs``."""
    error = half_width / stats.t.isf((1 - LEVEL) / 2, runs - 1)
    return float(stats.t.isf((1 - LEVEL) / 2, runs - 1) * error * math.sqrt(1 + runs / n))


def _fewest(n: object) -> int:
    return min(int(float(part)) for part in str(n).split(","))


def _expected_half_width(row: dict[str, object]) -> float:
    """Of as many runs as ours, or as the paper's where there are none; NaN without an interval."""
    if pd.isna(row["printed_half_width"]):
        return np.nan
    runs = int(row["printed_runs"])
    return expected_half_width(row["printed_half_width"], runs, row["n"] or runs)


def draw_replication(points: pd.DataFrame, config: Config) -> Figure:
    """A panel a unit; everything is drawn less the printed number, which stands at 0."""
    units = list(dict.fromkeys(points["unit"])) or [""]
    groups = [points[points["unit"] == unit] for unit in units]
    heights = [PANEL_HEIGHT + ROW_HEIGHT * max(len(group), 1) for group in groups]
    figure, axes = new_figure(
        len(units), 1, height=sum(heights) + 1.2, gridspec_kw={"height_ratios": heights}
    )
    for axis, unit, group in zip(axes[:, 0], units, groups, strict=True):
        _draw_panel(axis, unit, group)
    figure.legend(handles=_legend(points), loc="outside upper center", ncols=4)
    lines = [
        "Prediction interval: where 95% of means of as many runs as ours would be if the paper's "
        "runs and ours were alike; none where the paper prints no interval",
        "Our bars: what our runs leave open, with a 5% error at either end. Ticks: the margin of "
        "the verdict, which counts both errors",
    ]
    not_run = int((points["verdict"] == Verdict.NOT_RUN).sum())
    if not_run:
        lines.append(f"Grey, last in each panel: {not_run} not run, with the paper's own n")
    add_note(figure, "\n".join([*lines, face_note(config, config["studies"])]))
    return figure


def _draw_panel(axis: Axes, unit: str, group: pd.DataFrame) -> None:
    labels = []
    for place, row in enumerate(group.to_dict("records")):
        _draw_row(axis, place, row)
        labels.append(_label(row))
    axis.axvline(0, color="black", linewidth=0.7, zorder=1)
    axis.set_yticks(range(len(labels)), labels, fontsize=6.5)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set_xlabel(f"{unit}: ours less printed", fontsize=7.5)
    axis.tick_params(axis="x", labelsize=6.5)
    axis.grid(visible=False, axis="y")


def _draw_row(axis: Axes, place: int, row: dict[str, object]) -> None:
    verdict = Verdict(row["verdict"])
    colour, marker = LOOKS[verdict]
    faint = verdict is Verdict.NOT_RUN
    if not np.isnan(row["expected_half_width"]):
        half, shade = row["expected_half_width"], "#ececec" if faint else "#cfcfcf"
        axis.barh(place, 2 * half, left=-half, height=0.62, color=shade, zorder=1.5)
    ends = [-row["margin"], row["margin"]]
    axis.plot(ends, [place] * 2, "|", color=GREY, markersize=7, linewidth=0, zorder=2)
    axis.plot(0, place, "o", color=GREY if faint else "black", markersize=3, zorder=2.5)
    if np.isnan(row["value"]):
        return
    limits = np.array([[row["low"], row["high"]]]) - row["printed"]
    if np.isfinite(limits).all():
        axis.plot(limits[0], [place] * 2, color=colour, linewidth=1.3, zorder=3)
    ours = row["value"] - row["printed"]
    axis.plot(ours, place, marker, color=colour, markersize=5, markeredgecolor="white", zorder=4)


def _label(row: dict[str, object]) -> str:
    """What the paper says, cut, and the number that it prints."""
    says = textwrap.shorten(str(row["says"]), LABEL_WIDTH, placeholder=" …")
    printed = f"{row['printed']:.4g}"
    if not np.isnan(row["printed_half_width"]):
        printed += f" ± {row['printed_half_width']:.2g}"
    count = f"n = {row['n']}" if row["n"] else "not run"
    return f"{says}\n{printed}; {count}"


def _legend(points: pd.DataFrame) -> list[Line2D]:
    there = set(points["verdict"])
    handles = [
        Line2D([], [], color="black", marker="o", linewidth=0, markersize=3, label="Printed"),
        Line2D([], [], color="#cfcfcf", linewidth=6, label="The paper's 95% prediction interval"),
    ]
    for verdict, (colour, marker) in LOOKS.items():
        if verdict in there and verdict is not Verdict.NOT_RUN:
            handles.append(Line2D([], [], color=colour, marker=marker, label=f"Ours: {verdict}"))
    return handles

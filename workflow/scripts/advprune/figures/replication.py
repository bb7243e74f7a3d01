"""Every number that the paper prints beside ours, with what the paper lets one expect."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from advprune.analysis.notes import face_note
from advprune.analysis.two_way import t_quantile
from advprune.claims.rules import Verdict
from advprune.figures.style import Drawing, add_note, new_figure
from advprune.plan.config import Config
from advprune.plan.exhibits import studies_of

GREY, EXPECTED = "#9a9a9a", "#cfcfcf"
# Colour and marker; told apart without colour too.
LOOKS = {
    Verdict.REPRODUCED: ("#009E73", "D"),
    Verdict.DIFFERS: ("#D55E00", "X"),
    Verdict.UNDERPOWERED: ("#0072B2", "s"),
}
LABEL_SIZE = 6.5  # points
LINE_HEIGHT, BETWEEN_ROWS = 0.105, 0.07  # inches, of a label's lines
PANEL_HEIGHT = 0.6  # inches beside the rows
LABEL_WIDTH = 62  # characters a line
BAR_HEIGHT = 0.17  # inches
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
    quantile = t_quantile((1 + LEVEL) / 2, runs - 1)
    error = half_width / quantile
    return quantile * error * math.sqrt(1 + runs / n)


def _fewest(n: object) -> int:
    return min(int(float(part)) for part in str(n).split(","))


def _expected_half_width(row: dict[str, object]) -> float:
    """Of as many runs as ours, or as the paper's where there are none; NaN without an interval."""
    if pd.isna(row["printed_half_width"]):
        return np.nan
    runs = int(row["printed_runs"])
    return expected_half_width(row["printed_half_width"], runs, row["n"] or runs)


def draw_replication(points: pd.DataFrame, config: Config) -> Figure:
    """A panel a unit; everything is drawn less the printed number, which stands at 0.

    What was not run is counted, not drawn: at a small scale that is most of the paper.
    """
    drawn = points[points["verdict"] != Verdict.NOT_RUN]
    units = list(dict.fromkeys(drawn["unit"])) or [""]
    groups = [drawn[drawn["unit"] == unit] for unit in units]
    labels = [[_label(row) for row in group.to_dict("records")] for group in groups]
    heights = [PANEL_HEIGHT + sum(map(_row_height, of_panel)) for of_panel in labels]
    figure, axes = new_figure(
        len(units), 1, height=sum(heights) + 1.2, gridspec_kw={"height_ratios": heights}
    )
    for axis, unit, group, of_panel in zip(axes[:, 0], units, groups, labels, strict=True):
        _draw_panel(axis, unit, group, of_panel)
    figure.legend(handles=_legend(drawn), loc="outside upper center", ncols=3)
    lines = [
        "Prediction interval: where 95% of means of as many runs as ours would be if the paper's "
        "runs and ours were alike; none where the paper prints no interval",
        "Our bars: what our runs leave open, with a 5% error at either end. Ticks: the margin of "
        "the verdict, which counts both errors",
    ]
    if not_run := len(points) - len(drawn):
        lines.append(f"{not_run} of {len(points)} printed numbers were not run and are not drawn")
    add_note(figure, "\n".join([*lines, face_note(config, studies_of("all", config))]))
    return figure


def _row_height(label: str) -> float:
    """Inches, for all lines of a row's label."""
    return LINE_HEIGHT * (label.count("\n") + 1) + BETWEEN_ROWS


def _draw_panel(axis: Axes, unit: str, group: pd.DataFrame, labels: list[str]) -> None:
    if group.empty:
        axis.set_axis_off()
        axis.text(0, 0, "No printed number was run at this scale", ha="center", va="center")
        axis.set(xlim=(-1, 1), ylim=(-1, 1))
        return
    heights = [_row_height(label) for label in labels]
    places = np.cumsum(heights) - np.array(heights) / 2
    for place, row in zip(places, group.to_dict("records"), strict=True):
        _draw_row(axis, place, row)
    axis.axvline(0, color="black", linewidth=0.7, zorder=1)
    axis.set_yticks(places, labels, fontsize=LABEL_SIZE)
    axis.set_ylim(sum(heights), 0)
    axis.set_xlabel(f"{unit}: ours less printed", fontsize=7.5)
    axis.tick_params(axis="x", labelsize=LABEL_SIZE)
    axis.grid(visible=False, axis="y")


def _draw_row(axis: Axes, place: float, row: dict[str, object]) -> None:
    verdict = Verdict(row["verdict"])
    colour, marker = LOOKS[verdict]
    if not np.isnan(row["expected_half_width"]):
        half = row["expected_half_width"]
        axis.barh(place, 2 * half, left=-half, height=BAR_HEIGHT, color=EXPECTED, zorder=1.5)
    ends = [-row["margin"], row["margin"]]
    axis.plot(ends, [place] * 2, "|", color=GREY, markersize=7, linewidth=0, zorder=2)
    axis.plot(0, place, "o", color="black", markersize=3, zorder=2.5)
    if np.isnan(row["value"]):
        return
    limits = np.array([[row["low"], row["high"]]]) - row["printed"]
    if np.isfinite(limits).all():
        axis.plot(limits[0], [place] * 2, color=colour, linewidth=1.3, zorder=3)
    ours = row["value"] - row["printed"]
    axis.plot(ours, place, marker, color=colour, markersize=5, markeredgecolor="white", zorder=4)


def _label(row: dict[str, object]) -> str:
    """What the paper says, and the number that it prints."""
    says = textwrap.fill(str(row["says"]), LABEL_WIDTH)
    printed = f"{row['printed']:.4g}"
    if not np.isnan(row["printed_half_width"]):
        printed += f" ± {row['printed_half_width']:.2g}"
    return f"{says}\n{printed}; n = {row['n']:g}"


def _legend(points: pd.DataFrame) -> list[Line2D]:
    there = set(points["verdict"])
    handles = [
        Line2D([], [], color="black", marker="o", linewidth=0, markersize=3, label="Printed"),
        Line2D([], [], color=EXPECTED, linewidth=6, label="The paper's 95% prediction interval"),
    ]
    for verdict, (colour, marker) in LOOKS.items():
        if verdict in there:
            handles.append(Line2D([], [], color=colour, marker=marker, label=f"Ours: {verdict}"))
    return handles

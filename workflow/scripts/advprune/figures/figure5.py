"""Figure 5: training time against the share of data kept, with its linear fit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy
from matplotlib.figure import Figure

from advprune.analysis.metrics import ROBUST_ACCURACIES, collapse_column
from advprune.analysis.notes import (
    dataset_label,
    error_bars,
    face_note,
    mixture_notes,
    seeds_note,
    time_note,
)
from advprune.analysis.statistics import summarise
from advprune.figures.style import Drawing, add_note, look_of, new_figure
from advprune.plan.config import Config
from advprune.plan.exhibits import studies_of

MINUS = "\N{MINUS SIGN}"


def figure5(runs: pd.DataFrame, config: Config) -> Drawing:
    """The figure, from the runs of low-distance pruning by loss."""
    points = time_points(runs)
    counted = time_note(config, runs)
    notes = [
        f"A line is fitted to three shares p or more. {counted[0].upper()}{counted[1:]}",
        *mixture_notes(runs),
    ]
    return Drawing(draw_training_time(points, config, notes), points)


def time_points(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread of the training time for each data set and p, and the fitted line.

    The line is fitted by least squares to the single runs: ``fit_seconds`` is its value at p. Two
    shares are no evidence of a line and get none.
    """
    points = summarise(runs, ["training_seconds"])
    points = points.assign(share=points["p"].astype(float)).sort_values(["dataset", "share"])
    timed = runs[runs["training_seconds"].notna()]
    counts = timed.groupby(["dataset", "p"]).size()
    points["n"] = [counts.get(cell, 0) for cell in zip(points["dataset"], points["p"], strict=True)]
    for dataset, group in timed.groupby("dataset"):
        chosen = points["dataset"] == dataset
        shares = group["p"].astype(float)
        if shares.nunique() > 2:
            fit = scipy.stats.linregress(shares, group["training_seconds"])
            points.loc[chosen, "fit_intercept"] = fit.intercept
            points.loc[chosen, "fit_slope"] = fit.slope
            points.loc[chosen, "fit_r_squared"] = fit.rvalue**2
    for name in ("fit_intercept", "fit_slope", "fit_r_squared"):
        if name not in points:
            points[name] = np.nan
    points["fit_seconds"] = points["fit_intercept"] + points["fit_slope"] * points["share"]
    return points.drop(columns=[*map(collapse_column, ROBUST_ACCURACIES), "diverged"])


def draw_training_time(points: pd.DataFrame, config: Config, notes: Sequence[str] = ()) -> Figure:
    """One panel a study; low-distance pruning by loss, as in the paper; ``notes`` stand below."""
    studies = studies_of("figure5", config)
    figure, axes = new_figure(1, len(studies), height=2.9)
    for axis, study in zip(axes[0], studies, strict=True):
        dataset = config["studies"][study]["dataset"]
        line = points[points["dataset"] == dataset]
        look = look_of("low-loss")
        bars = line[error_bars(config, "training_seconds")].fillna(0)
        axis.errorbar(
            line["share"],
            line["training_seconds_mean"],
            yerr=_above_zero(line["training_seconds_mean"], bars),
            color=look.colour,
            marker=look.marker,
            linestyle="none",
            markersize=4,
            capsize=2,
            zorder=3,
        )
        if line["fit_slope"].notna().any():
            first = line.iloc[0]
            shares = np.array([0, 1])
            axis.plot(
                shares,
                first["fit_intercept"] + first["fit_slope"] * shares,
                color="#555555",
                linestyle=":",
                label=line_label(*first[["fit_intercept", "fit_slope", "fit_r_squared"]]),
            )
            axis.legend(loc="upper left", fontsize=7)
        axis.set_xlim(0, 1.05)
        if line["training_seconds_mean"].notna().any():
            # Room for the legend above the data.
            axis.set_ylim(0, 1.3 * (line["training_seconds_mean"] + bars).max())
        axis.set_title(dataset_label(dataset), fontsize=8)
        axis.set_xlabel("Share of data kept, p")
    axes[0, 0].set_ylabel("Training time (s)")
    lines = [
        f"Low-distance pruning by loss. {seeds_note(points['n'], config)}.",
        *notes,
        face_note(config, studies, attacked=False),
    ]
    add_note(figure, "\n".join(lines))
    return figure


def line_label(intercept: float, slope: float, r_squared: float) -> str:
    """A fitted line as one writes it, in seconds: ``12.9 s − 0.904 s × p  (R² = 0.98)``."""
    first = f"{intercept:.3g} s".replace("-", MINUS)
    sign = MINUS if slope < 0 else "+"
    return f"{first} {sign} {abs(slope):.3g} s × p  (R² = {r_squared:.2f})"


def _above_zero(means: pd.Series, bars: pd.Series) -> list[pd.Series]:
    """Error bars that do not go below 0 seconds."""
    return [bars.clip(upper=means), bars]

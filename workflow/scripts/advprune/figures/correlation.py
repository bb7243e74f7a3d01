"""Figure 6: the loss of each example against 1/d, and Pearson's r."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from safetensors.numpy import load_file

from advprune.config import Config
from advprune.correlation import correlate
from advprune.datasets import DATASETS
from advprune.drawing import add_note, new_figure
from advprune.labels import dataset_label, face_note


def score_frame(path: Path, study: str) -> pd.DataFrame:
    """A study's examples: label, loss, distance, 1/d, DeepFool's steps and whether it converged."""
    scores = load_file(path)
    names = ("label", "loss", "distance", "converged", "iterations")
    frame = pd.DataFrame({name: scores[name] for name in names})
    with np.errstate(divide="ignore"):
        inverse = 1 / frame["distance"].to_numpy()
    return frame.assign(inverse_distance=inverse, study=study)


def draw_correlation(frames: dict[str, pd.DataFrame], config: Config) -> Figure:
    """One panel a study; every example a dot."""
    figure, axes = new_figure(1, len(frames), height=3.2)
    remarks = []
    for axis, (study, frame) in zip(axes[0], frames.items(), strict=True):
        found = correlate(frame)
        # Far outliers would press all the rest against the axis: they are counted, not shown.
        limit = frame["inverse_distance"].replace(np.inf, np.nan).quantile(0.99) * 1.5
        shown = frame[frame["inverse_distance"] <= limit]
        axis.scatter(
            shown["inverse_distance"],
            shown["loss"],
            s=3,
            alpha=min(1.0, 300 / max(len(shown), 1) + 0.1),
            color="#0072B2",
            linewidth=0,
            rasterized=True,
        )
        axis.set_title(dataset_label(config["studies"][study]["dataset"]), fontsize=8)
        axis.text(
            0.97,
            0.97,
            f"r = {found.r:.2f}",
            transform=axis.transAxes,
            ha="right",
            va="top",
            bbox={"facecolor": "white", "edgecolor": "#cccccc", "alpha": 0.9},
        )
        axis.set_xlabel("1/d, d the l2 distance by DeepFool")
        remarks.append(
            f"{DATASETS[config['studies'][study]['dataset']].title} after epoch "
            f"{config['studies'][study]['scores']['epoch']}: r over {found.counted:,} "
            f"examples, {found.unconverged:,} of which DeepFool did not move to another class; "
            f"{found.left_out:,} not finite left out; {len(frame) - len(shown):,} beyond the axis"
        )
    axes[0, 0].set_ylabel("Loss (as attacked in training)")
    add_note(figure, "\n".join([*remarks, face_note(config, list(frames), attacked=False)]))
    return figure

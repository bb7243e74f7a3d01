"""Figure 6: the loss of each example against 1/d, and Pearson's r."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from advprune.analysis.correlation import LARGEST_SHOWN, correlate
from advprune.analysis.notes import dataset_label, face_note
from advprune.analysis.scores import Scores
from advprune.figures.style import Drawing, add_note, new_figure
from advprune.plan.config import Config
from advprune.spec.datasets import DATASETS


def figure6(scores: Mapping[str, Sequence[Scores]], config: Config) -> Drawing:
    """The figure, from the scores of each study by its first seed."""
    frames = {study: of_study[0].frame(study) for study, of_study in scores.items()}
    data = pd.concat(frames.values(), ignore_index=True)
    return Drawing(draw_correlation(frames, config), data)


def draw_correlation(frames: dict[str, pd.DataFrame], config: Config) -> Figure:
    """One panel a study; every example a dot."""
    figure, axes = new_figure(1, len(frames), height=3.3)
    remarks = []
    for axis, (study, frame) in zip(axes[0], frames.items(), strict=True):
        found = correlate(frame)
        # Far outliers would press all the rest against the axis: they are counted, not shown.
        limit = frame["inverse_distance"].replace(np.inf, np.nan).quantile(0.99) * 1.5
        shown = frame[frame["inverse_distance"] <= limit]
        beyond = np.isfinite(frame["inverse_distance"]).sum() - len(shown)
        axis.scatter(
            shown["inverse_distance"],
            shown["loss"],
            s=3,
            alpha=min(1.0, 300 / max(len(shown), 1) + 0.1),
            color="#0072B2",
            linewidth=0,
            rasterized=True,
        )
        axis.axvline(LARGEST_SHOWN, color="#555555", linestyle=":", linewidth=0.8)
        axis.set_title(
            f"{dataset_label(config['studies'][study]['dataset'])}\n"
            f"r = {found.r:z.2f}; r within 1/d ≤ {LARGEST_SHOWN:g}: {found.r_within:z.2f}; "
            f"Spearman's ρ = {found.spearman:z.2f}",
            fontsize=8,
        )
        axis.set_xlabel("1/d, d the l2 distance by DeepFool")
        title = DATASETS[config["studies"][study]["dataset"]].title
        remarks.append(
            f"{title} after epoch {config['studies'][study]['scores']['epoch']}, one network: r "
            f"over {found.counted:,} examples, {found.within:,} of them within the dotted line; "
            f"{found.left_out:,} not finite left out; of all, DeepFool did not move "
            f"{found.unconverged:,} to another class; {beyond:,} beyond the axis"
        )
    axes[0, 0].set_ylabel("Loss at x + δ")
    add_note(figure, "\n".join([*remarks, face_note(config, list(frames), attacked=False)]))
    return figure

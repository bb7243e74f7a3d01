"""Figure 2: t-SNE of the digits before and after low-distance pruning by loss."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from advprune.config import Config, share_text
from advprune.drawing import CLASS_COLOURS, add_note, new_figure
from advprune.labels import face_note


def balanced_sample(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices of the first examples of each class, as many of each as make ``count`` in all.

    Classes with too few examples give what they have.
    """
    classes = np.unique(labels)
    each = max(1, count // len(classes))
    chosen = [np.flatnonzero(labels == value)[:each] for value in classes]
    return np.sort(np.concatenate(chosen))


def embed(vectors: np.ndarray, perplexity: float) -> np.ndarray:
    """(n, k) vectors to (n, 2) positions by t-SNE (van der Maaten and Hinton 2008)."""
    perplexity = min(perplexity, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)


def embedding_frame(
    positions: np.ndarray, labels: np.ndarray, chosen: np.ndarray, kept: np.ndarray
) -> pd.DataFrame:
    """What is drawn: the sample's examples with place, class and whether they are kept."""
    return pd.DataFrame(
        {
            "index": chosen,
            "label": labels[chosen],
            "x": positions[:, 0],
            "y": positions[:, 1],
            "kept": np.isin(chosen, kept),
        }
    )


def draw_embedding(frame: pd.DataFrame, config: Config, what: str) -> Figure:
    """Left: the whole sample. Right: in the same places, what pruning keeps.

    Args:
        frame: from `embedding_frame`.
        config: the config that ran.
        what: what was embedded, for the note: the images, or the features.
    """
    p = share_text(config["figure2"]["p"])
    figure, axes = new_figure(1, 2, height=3.9, sharex=True, sharey=True)
    for axis, (title, rows) in zip(
        axes[0],
        {
            f"(a) All {len(frame):,} examples of the sample": frame,
            f"(b) The {int(frame['kept'].sum()):,} that pruning keeps": frame[frame["kept"]],
        }.items(),
        strict=True,
    ):
        for label, group in rows.groupby("label"):
            axis.scatter(
                group["x"],
                group["y"],
                s=14,
                linewidth=0.2,
                marker=f"${label}$",  # told apart without colour too
                color=mpl.colormaps[CLASS_COLOURS](int(label)),
                label=str(label),
            )
        axis.set_title(title, fontsize=9)
        axis.set(xticks=[], yticks=[])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        title="Class",
        loc="outside right center",
        markerscale=1.5,
    )
    left = set(frame.loc[frame["kept"], "label"])
    missing = ", ".join(str(label) for label in sorted(set(frame["label"]) - left))
    gone = f"; no example is kept of class {missing}" if missing else ""
    epoch = config["studies"]["mnist"]["scores"]["epoch"]
    add_note(
        figure,
        f"t-SNE of {what}, one embedding for both panels. The sample holds as many of each class.\n"
        f"Low-distance pruning by loss of all training images, p = {p}, after epoch {epoch}{gone}\n"
        + face_note(config, ["mnist"], attacked=False),
    )
    return figure

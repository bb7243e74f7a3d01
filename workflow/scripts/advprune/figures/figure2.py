"""Figure 2: t-SNE of the digits before and after low-distance pruning by loss."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from advprune.analysis.notes import face_note
from advprune.analysis.scores import Scores
from advprune.data.examples import load_examples
from advprune.figures.style import CLASS_COLOURS, Drawing, add_note, new_figure
from advprune.plan.config import Config, seeds_of
from advprune.plan.specify import pruning_settings
from advprune.spec.runs import share_text
from advprune.training.pruning import keep_indices


def figure2(scores: Mapping[str, Sequence[Scores]], dataset: Path, config: Config) -> Drawing:
    """The figure, from the images' pixels."""
    images, chosen = sample_images(scores["mnist"][0], dataset, config)
    return embedding(images, "the images' pixels", scores["mnist"], chosen, config)


def sample_images(scores: Scores, dataset: Path, config: Config) -> tuple[torch.Tensor, np.ndarray]:
    """The images of a class-balanced sample, (n, channels, height, width), and their indices."""
    chosen = balanced_sample(scores.label, config["figure2"]["examples"])
    examples = load_examples(dataset, config["studies"]["mnist"]["dataset"], "train")
    images, _ = examples.batch(torch.from_numpy(chosen))
    return images, chosen


def embedding(
    vectors: torch.Tensor,
    what: str,
    scores: Sequence[Scores],
    chosen: np.ndarray,
    config: Config,
) -> Drawing:
    """The sample embedded by t-SNE, whole and without what pruning by loss drops.

    Args:
        vectors: (n, …), what of each example is embedded.
        what: what that is, for the note.
        scores: of all training examples, of each seed; the first is drawn.
        chosen: (n,) the examples' indices.
        config: the config that ran.
    """
    settings = config["figure2"]
    seeds = seeds_of(config["studies"]["mnist"]["scores"])
    kept = {
        seed: keep_indices(
            -each.loss,
            each.label,
            method="low-loss",
            proportion=str(settings["p"]),
            settings=pruning_settings("low-loss", config),
            generator=np.random.default_rng(0),
        )
        for seed, each in zip(seeds, scores, strict=False)
    }
    positions = embed(vectors.flatten(1).numpy(), settings["perplexity"])
    frame = embedding_frame(positions, scores[0].label, chosen, kept)
    return Drawing(draw_embedding(frame, config, what), frame)


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
    positions: np.ndarray, labels: np.ndarray, chosen: np.ndarray, kept: Mapping[int, np.ndarray]
) -> pd.DataFrame:
    """The sample's examples with place, class and whether they are kept.

    Args:
        positions: (n, 2) places.
        labels: of all training examples.
        chosen: (n,) the examples' indices.
        kept: by seed of the scores, the indices of what is kept of all. The first is drawn, as
            ``kept``; claims judge all of them, as ``kept_seed_0`` and so on.
    """
    by_seed = {f"kept_seed_{seed}": np.isin(chosen, indices) for seed, indices in kept.items()}
    return pd.DataFrame(
        {
            "index": chosen,
            "label": labels[chosen],
            "x": positions[:, 0],
            "y": positions[:, 1],
            "kept": next(iter(by_seed.values())),
            **by_seed,
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

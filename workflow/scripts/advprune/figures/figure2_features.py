"""Figure 2, supplement: t-SNE of the features that the network makes of the digits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from advprune.analysis.scores import Scores
from advprune.figures.figure2 import embedding, sample_images
from advprune.figures.style import Drawing
from advprune.networks.weights import read_classifier
from advprune.plan.config import Config
from advprune.spec.datasets import DATASETS


def figure2_features(
    scores: Mapping[str, Sequence[Scores]], dataset: Path, config: Config
) -> Drawing:
    """The figure, from the penultimate features of the network that gave the scores."""
    images, chosen = sample_images(scores["mnist"][0], dataset, config)
    study = config["studies"]["mnist"]
    training = study["training"]
    classifier = read_classifier(
        scores["mnist"][0].model,
        training["network"],
        width=training["width"],
        **DATASETS[study["dataset"]].architecture(normalise=training["normalise"]),
    ).eval()
    with torch.no_grad():
        features = classifier.features(images)
    what = "the network's penultimate features"
    return embedding(features, what, scores["mnist"], chosen, config)

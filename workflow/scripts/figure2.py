#!/usr/bin/env python3
"""Figure 2: t-SNE of the digits before and after low-distance pruning by loss."""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from advprune.config import read_config
from advprune.datasets import DATASETS
from advprune.drawing import save_figure
from advprune.examples import load_examples
from advprune.figures.embedding import balanced_sample, draw_embedding, embed, embedding_frame
from advprune.networks import read_classifier
from advprune.plan import pruning_settings
from advprune.program import add_options, run_program
from advprune.pruning import keep_indices
from advprune.results import check_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "dataset", "config", "figure")
    parser.add_argument("--scores", required=True, type=Path, help="loss of every example")
    parser.add_argument("--model", required=True, type=Path, help="the network that gave it")
    parser.add_argument("--features-output", required=True, help="the same for the supplement")
    options = parser.parse_args()
    config = read_config(options.config)
    study, settings = config["studies"]["mnist"], config["figure2"]
    check_scores(options.scores, "mnist", config)
    scores = load_file(options.scores)
    kept = keep_indices(
        -scores["loss"],
        scores["label"],
        method="low-loss",
        proportion=str(settings["p"]),
        settings=pruning_settings("low-loss", config),
        generator=np.random.default_rng(0),
    )
    chosen = balanced_sample(scores["label"], settings["examples"])
    examples = load_examples(options.dataset, study["dataset"], "train")
    images, _ = examples.batch(torch.from_numpy(chosen))
    classifier = read_classifier(
        options.model,
        study["training"]["network"],
        width=study["training"]["width"],
        **DATASETS[study["dataset"]].architecture(normalise=study["training"]["normalise"]),
    ).eval()
    with torch.no_grad():
        features = classifier.features(images)
    for what, vectors, output in (
        ("the images' pixels", images, options.output),
        ("the network's penultimate features", features, options.features_output),
    ):
        positions = embed(vectors.flatten(1).numpy(), settings["perplexity"])
        frame = embedding_frame(positions, scores["label"], chosen, kept)
        save_figure(draw_embedding(frame, config, what), frame, output)


if __name__ == "__main__":
    run_program(main)

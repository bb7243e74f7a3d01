#!/usr/bin/env python3
"""Figure 6: the loss of each example against 1/d, with Pearson's r."""

import argparse
from pathlib import Path

import pandas as pd

from advprune.config import read_config
from advprune.drawing import save_figure
from advprune.figures.correlation import draw_correlation, score_frame
from advprune.program import add_options, run_program
from advprune.results import check_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config", "figure")
    parser.add_argument("--mnist", required=True, type=Path, help="scores of the MNIST study")
    parser.add_argument("--cifar10", required=True, type=Path, help="scores of the CIFAR10 study")
    options = parser.parse_args()
    config = read_config(options.config)
    frames = {}
    for study, scores in (("mnist", options.mnist), ("cifar10", options.cifar10)):
        check_scores(scores, study, config)
        frames[study] = score_frame(scores, study)
    figure = draw_correlation(frames, config)
    save_figure(figure, pd.concat(frames.values(), ignore_index=True), options.output)


if __name__ == "__main__":
    run_program(main)

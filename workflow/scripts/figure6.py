#!/usr/bin/env python3
"""Figure 6: the loss of each example against 1/d, with Pearson's r."""

import argparse
from pathlib import Path

import pandas as pd

from advprune.drawing import save_figure
from advprune.figures.correlation import draw_correlation, score_frame
from advprune.files import read_json
from advprune.program import add_options, run_program
from advprune.records import check_files, read_record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config", "figure")
    parser.add_argument("--mnist", required=True, type=Path, help="scores of the MNIST study")
    parser.add_argument("--cifar10", required=True, type=Path, help="scores of the CIFAR10 study")
    options = parser.parse_args()
    for scores in (options.mnist, options.cifar10):
        record = scores.with_name("score.json")
        check_files(record, read_record(record))
    frames = {
        "mnist": score_frame(options.mnist, "mnist"),
        "cifar10": score_frame(options.cifar10, "cifar10"),
    }
    figure = draw_correlation(frames, read_json(options.config))
    save_figure(figure, pd.concat(frames.values(), ignore_index=True), options.output)


if __name__ == "__main__":
    run_program(main)

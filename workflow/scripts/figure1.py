#!/usr/bin/env python3
"""Figure 1: dropping the points close to the decision boundary, on a toy problem."""

import argparse

from advprune.config import read_config
from advprune.devices import choose_device
from advprune.drawing import save_figure
from advprune.figures.boundary import boundary_frame, draw_boundary
from advprune.program import add_options, run_program
from advprune.runs import DeepFoolSettings
from advprune.toy_boundary import draw_points, train_toy

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config", "figure")
    options = parser.parse_args()
    choose_device("cpu", threads=1)
    settings = DeepFoolSettings(**read_config(options.config)["deepfool"])
    points = draw_points(SEED)
    runs = {
        panel: train_toy(points, method=method, settings=settings, seed=SEED)
        for panel, method in (("a", "full"), ("b", "low-deepfool"))
    }
    frame = boundary_frame(points, runs)
    save_figure(draw_boundary(frame, points, runs), frame, options.output)


if __name__ == "__main__":
    run_program(main)

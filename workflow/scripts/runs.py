#!/usr/bin/env python3
"""Publish the table of all runs, checked on the way."""

import argparse

from advprune.program import add_options, run_program
from advprune.results import read_runs, write_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs")
    parser.add_argument("--output", required=True, help="the .csv to write, with its .sha256")
    options = parser.parse_args()
    write_runs(options.output, read_runs(options.runs))


if __name__ == "__main__":
    run_program(main)

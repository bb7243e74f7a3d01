#!/usr/bin/env python3
"""Gather the results of all runs into one CSV, a row a run.

Beside it, which of the attacked images each of them withstood.
"""

import argparse
import logging
from pathlib import Path

from advprune.analysis.notes import mixture_notes
from advprune.analysis.run_table import collect_runs, write_runs
from advprune.analysis.verdict_table import collect_verdicts
from advprune.plan.config import read_config
from advprune.program import add_options, run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config")
    parser.add_argument("--runs", required=True, type=Path, help="the folder of all runs")
    parser.add_argument(
        "--output",
        required=True,
        help="the .csv to write, beside it a .verdicts.safetensors and their .sha256",
    )
    options = parser.parse_args()
    runs = collect_runs("all", read_config(options.config), options.runs)
    for note in mixture_notes(runs):
        logging.warning(note)
    write_runs(options.output, runs, collect_verdicts(runs, options.runs))


if __name__ == "__main__":
    run_program(main)

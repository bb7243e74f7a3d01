#!/usr/bin/env python3
"""Mean and 95% interval of every metric for each data set, method, p and e."""

import argparse

from advprune.analysis.metrics import METRICS
from advprune.analysis.run_table import read_runs
from advprune.analysis.statistics import summarise
from advprune.analysis.verdict_table import read_verdicts
from advprune.program import add_options, run_program
from advprune.storage.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "verdicts_of_runs")
    parser.add_argument("--output", required=True, help="the .csv to write")
    options = parser.parse_args()
    runs = read_runs(options.runs)
    verdicts = read_verdicts(options.verdicts, runs, made_with=options.runs)
    write_text(options.output, summarise(runs, METRICS, verdicts).to_csv(index=False))


if __name__ == "__main__":
    run_program(main)

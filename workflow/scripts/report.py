#!/usr/bin/env python3
"""Put every verdict, table and figure of a scale, and how they were made, on one page."""

import argparse
from pathlib import Path

from advprune.plan.config import read_config
from advprune.program import add_options, run_program
from advprune.report.page import report_page
from advprune.storage.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "config")
    parser.add_argument("--runs", required=True, type=Path, help="the folder of single runs")
    parser.add_argument("--output", required=True, type=Path, help="report.html, in the results")
    options = parser.parse_args()
    page = report_page(options.output.parent, read_config(options.config), options.runs)
    write_text(options.output, page)


if __name__ == "__main__":
    run_program(main)

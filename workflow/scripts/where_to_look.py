#!/usr/bin/env python3
"""Print what is in a folder of results and where to look first."""

import argparse
from pathlib import Path

from advprune.analysis.notes import face_note
from advprune.errors import UserError
from advprune.plan.config import read_config
from advprune.plan.exhibits import studies_of
from advprune.program import run_program

FIRST = (
    ("report.html", "every verdict, table and figure on one page, for a browser"),
    ("claims.md", "what the paper says, what came out here, and whether they agree"),
    ("figures/figure3.png", "natural and robust accuracy against the share of data kept"),
    ("tables/table1.md", "the paper's Table 1, with intervals and training times"),
    ("summary.csv", "mean and interval of every metric for every method and p"),
    ("runs.csv", "a row for every trained network"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results/<scale>, or results/<scale>-<protocol>")
    results = parser.parse_args().results
    tables, figures = (sorted(results.glob(glob)) for glob in ("tables/*.md", "figures/*.png"))
    if not figures and not tables:
        raise UserError(f"{results} holds no tables and no figures")
    reference = results.parent / "reference/report.html"
    if reference.exists():
        print(
            f"\nWhat became of the paper's claims on the data it used: {reference}, and README.md"
        )
    print(f"\n{len(figures)} figures and {len(tables)} tables are in {results}. Look first at")
    for name, what in FIRST:
        if (results / name).exists():
            print(f"  {results / name}: {what}")
    config = read_config(results / "config.json")
    print("\nMade from\n  " + face_note(config, studies_of("all", config)).replace("\n", "\n  "))


if __name__ == "__main__":
    run_program(main)

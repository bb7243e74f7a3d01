#!/usr/bin/env python3
"""Say of every claim of the paper whether the runs reproduce it."""

import argparse
import dataclasses
import logging
from pathlib import Path

from advprune.analysis.metrics import PAPERS_ATTACKS
from advprune.analysis.run_table import read_runs, read_table
from advprune.claims.claim import read_claims
from advprune.claims.evidence import Evidence
from advprune.claims.headline import headline
from advprune.plan.config import read_config
from advprune.program import add_options, run_program
from advprune.tables.claims import claims_table

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config")
    parser.add_argument("--claims", required=True, help="config/paper_claims.yaml")
    parser.add_argument("--run-folder", type=Path, help="the folder of all runs, with their curves")
    parser.add_argument("--correlations", nargs="?", help="the .csv of the table of that name")
    parser.add_argument("--embedding", nargs="?", help="Figure 2's .csv")
    parser.add_argument("--toy", nargs="?", help="the .csv of appendix C's table")
    parser.add_argument(
        "--output", required=True, type=Path, help="the .csv to write; the rest goes beside it"
    )
    options = parser.parse_args()
    config = read_config(options.config)
    evidence = Evidence(
        config=config,
        runs=read_runs(options.runs),
        folder=options.run_folder,
        correlations=options.correlations
        and read_table(options.correlations, "the table of correlations"),
        embedding=options.embedding and read_table(options.embedding, "Figure 2's table"),
        toy=options.toy and read_table(options.toy, "the table of appendix C"),
        robust_metric=f"{config['robust_accuracy']}_accuracy",
    )
    (other_metric,) = set(PAPERS_ATTACKS) - {evidence.robust_metric}
    other = dataclasses.replace(evidence, robust_metric=other_metric)
    table = claims_table(read_claims(options.claims), evidence, other)
    table.write(options.output)
    log.info("\n".join(group.line for group in headline(table.numbers.to_dict("records"))))


if __name__ == "__main__":
    run_program(main)

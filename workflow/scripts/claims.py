#!/usr/bin/env python3
"""Say of every claim of the paper whether the runs reproduce it."""

import argparse
import dataclasses
import logging

from advprune.claims import read_claims
from advprune.claims_table import OTHER, claims_table
from advprune.config import read_config
from advprune.evidence import Evidence
from advprune.program import add_options, run_program
from advprune.results import read_runs, read_table
from advprune.tables import write_table

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "runs", "config", "table")
    parser.add_argument("--claims", required=True, help="config/paper_claims.yaml")
    parser.add_argument("--scores", nargs="?", help="Figure 6's .csv")
    parser.add_argument("--embedding", nargs="?", help="Figure 2's .csv")
    parser.add_argument("--toy", nargs="?", help="the .csv of appendix C's table")
    options = parser.parse_args()
    config = read_config(options.config)
    evidence = Evidence(
        config=config,
        runs=read_runs(options.runs),
        scores=options.scores and read_table(options.scores, "Figure 6's table"),
        embedding=options.embedding and read_table(options.embedding, "Figure 2's table"),
        toy=options.toy and read_table(options.toy, "the table of appendix C"),
        robust_metric=f"{config['robust_accuracy']}_accuracy",
    )
    other = dataclasses.replace(evidence, robust_metric=OTHER[evidence.robust_metric])
    table = claims_table(read_claims(options.claims), evidence, other)
    write_table(options.output, table)
    log.info(table.notes[0])


if __name__ == "__main__":
    run_program(main)

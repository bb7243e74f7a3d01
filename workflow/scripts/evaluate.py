#!/usr/bin/env python3
"""Measure natural and robust accuracy of the networks that train.py has trained.

Runs that are evaluated already are kept. evaluate_weights.py does the same to a network from
elsewhere.
"""

import argparse
from pathlib import Path

from advprune.evaluation.runs import evaluate_runs
from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.program import add_options, run_program
from advprune.spec.specification import EvaluationSpec
from advprune.storage.records import write_block


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "block")
    parser.add_argument("runs", nargs="+", type=Path, help="the folders of the runs")
    options = parser.parse_args()

    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    records = evaluate_runs(
        options.runs,
        EvaluationSpec.from_json(options.spec),
        options.dataset,
        device=device,
        made_by=environment(device, __file__),
    )
    write_block(options.block, records)


if __name__ == "__main__":
    run_program(main)

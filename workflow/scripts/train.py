#!/usr/bin/env python3
"""Train the networks of one cell by RS+FGSM with data pruning (Algorithm 1), one for each seed.

Runs that are there already are kept. Each goes on from its start, if start.py has made it.
"""

import argparse
from pathlib import Path

from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.program import add_options, run_program
from advprune.spec.specification import TrainingSpec
from advprune.storage.records import write_block
from advprune.training.runs import train_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(
        parser, "spec", "seeds", "dataset", "device", "threads", "jobs_per_gpu", "alone", "block"
    )
    parser.add_argument("--runs", required=True, type=Path, help="the folder of all runs")
    parser.add_argument("--starts", type=Path, help="the folder of all starts [none]")
    options = parser.parse_args()

    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    spec = TrainingSpec.from_json(options.spec)
    records = train_runs(
        [spec.of_seed(seed) for seed in options.seeds],
        options.dataset,
        runs=options.runs,
        starts=options.starts,
        device=device,
        made_by=environment(device, __file__),
        alone=options.alone,
    )
    write_block(options.block, records)


if __name__ == "__main__":
    run_program(main)

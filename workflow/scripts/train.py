#!/usr/bin/env python3
"""Train networks by RS+FGSM with data pruning (Algorithm 1), of each cell one for each seed.

Runs that are there already are kept. Each goes on from its start, if start.py has made it.
"""

import argparse
from pathlib import Path

from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.program import add_options, run_program, seeds
from advprune.spec.specification import TrainingSpec
from advprune.storage.records import write_block
from advprune.training.runs import train_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "alone", "dataset", "device", "threads", "jobs_per_gpu", "block")
    parser.add_argument(
        "--spec", required=True, nargs="+", help="the full specification of each cell, as JSON"
    )
    parser.add_argument(
        "--seeds", required=True, nargs="+", type=seeds, help="those of each cell, such as 0,1,2"
    )
    parser.add_argument("--runs", required=True, type=Path, help="the folder of all runs")
    parser.add_argument("--starts", type=Path, help="the folder of all starts [none]")
    options = parser.parse_args()
    if len(options.spec) != len(options.seeds):
        parser.error(f"{len(options.spec)} --spec, but seeds for {len(options.seeds)}")

    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    made_by = environment(device, __file__)
    records = []
    for spec, of_cell in zip(map(TrainingSpec.from_json, options.spec), options.seeds, strict=True):
        records += train_runs(
            [spec.of_seed(seed) for seed in of_cell],
            options.dataset,
            runs=options.runs,
            starts=options.starts,
            device=device,
            made_by=made_by,
            alone=options.alone,
        )
    write_block(options.block, records)


if __name__ == "__main__":
    run_program(main)

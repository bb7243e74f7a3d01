#!/usr/bin/env python3
"""Train on all data up to an epoch, and score every example then: what runs go on from.

Starts that are there already are kept.
"""

import argparse
from pathlib import Path

from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.program import add_options, run_program
from advprune.spec.specification import StartSpec
from advprune.storage.records import write_block
from advprune.training.starts import make_starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(
        parser, "spec", "seeds", "dataset", "device", "threads", "jobs_per_gpu", "alone", "block"
    )
    parser.add_argument("--starts", required=True, type=Path, help="the folder of all starts")
    options = parser.parse_args()

    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    spec = StartSpec.from_json(options.spec)
    records = make_starts(
        [spec.of_seed(seed) for seed in options.seeds],
        options.dataset,
        starts=options.starts,
        device=device,
        made_by=environment(device, __file__),
        alone=options.alone,
    )
    write_block(options.block, records)


if __name__ == "__main__":
    run_program(main)

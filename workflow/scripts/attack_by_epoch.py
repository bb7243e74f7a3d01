#!/usr/bin/env python3
"""Train runs that train.py has trained once more, and attack them after every epoch.

Those where that is done are kept.
"""

import argparse
from pathlib import Path

from advprune.by_epoch.runs import attack_runs_by_epoch
from advprune.by_epoch.spec import ByEpochSpec
from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.program import add_options, run_program
from advprune.storage.records import write_block


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "block")
    parser.add_argument("runs", nargs="+", type=Path, help="the folders of the runs")
    options = parser.parse_args()

    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    records = attack_runs_by_epoch(
        options.runs,
        ByEpochSpec.from_json(options.spec),
        options.dataset,
        device=device,
        made_by=environment(device, __file__),
    )
    write_block(options.block, records)


if __name__ == "__main__":
    run_program(main)

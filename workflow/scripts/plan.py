#!/usr/bin/env python3
"""Print how many runs each table and figure needs, and about how long they take on this machine."""

import argparse
from pathlib import Path

from tabulate import tabulate

from advprune.analysis.notes import duration, scale_note
from advprune.machine.devices import device_of_jobs
from advprune.machine.leases import visible_gpus
from advprune.machine.provenance import device_name
from advprune.plan.config import load_config
from advprune.plan.exhibits import WITH_RUNS, runs_of
from advprune.plan.protocols import results_name
from advprune.preflight.costs import exhibit_seconds, read_costs
from advprune.preflight.estimate import all_work, from_records, seconds_here
from advprune.program import add_options, run_program, whole_number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "configs")
    parser.add_argument(
        "--jobs", default=1, type=whole_number(1), help="how many jobs run side by side"
    )
    options = parser.parse_args()
    config = load_config(*options.config)
    runs = runs_of("all", config)

    print(f"Runs, {scale_note(config)}:\n")
    rows = [(name, len(runs_of(name, config))) for name in WITH_RUNS]
    rows.append(("all together (each run counted once)", len(runs)))
    print(tabulate(rows, ["table or figure", "runs"]))

    device = device_of_jobs(config["execution"]["device"], config["execution"]["threads"])
    devices, assumed = read_costs()
    known, cpu = devices[device.type], devices["cpu"]
    estimates = []
    for dataset, work, asked, folder in all_work(config, Path("results") / results_name(config)):
        seconds = from_records(work, asked, folder)
        source = "the records of earlier runs"
        if seconds is not None:
            seconds += work.jobs * known.job
        else:
            seconds = sum(seconds_here(work, asked, device, known, assumed).values())
            source = f"an update timed just now on {device_name(device)}"
        estimates.append((dataset, len(work.runs), work.jobs, seconds, source))

    rows = [(*counts, duration(seconds), source) for *counts, seconds, source in estimates]
    print("\nWork, one job after the other:\n")
    print(tabulate(rows, ["data set", "runs", "jobs", "time", "estimated from"]))
    # More jobs than the GPUs take wait for one.
    at_once = len(visible_gpus()) * config["execution"]["jobs_per_gpu"]
    jobs = min(options.jobs, at_once) if device.type == "cuda" and at_once else options.jobs
    total = sum(seconds for *_, seconds, _ in estimates) / jobs
    total += exhibit_seconds(cpu) / options.jobs
    print(
        f"\nAbout {duration(total)} with {jobs} jobs side by side, tables and figures included, if "
        f"nothing else runs here;\nassumed where an update was timed: {assumed.robust:.0%} of "
        f"attacked images withstand all attacks, DeepFool takes {assumed.steps:g} steps.\n"
        "What work costs by stage, on which devices: docs/cost.md"
    )


if __name__ == "__main__":
    run_program(main)

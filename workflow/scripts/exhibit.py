#!/usr/bin/env python3
"""Make a table or figure: whichever of the registry `advprune.plan.exhibits` is named.

One program for all of them: each has a module of its own, and what differs from one to the next
is in its registry entry.
"""

import argparse
import pkgutil
from pathlib import Path
from typing import Any

from advprune.plan.config import Config, read_config
from advprune.plan.exhibits import EXHIBITS, Exhibit, scored
from advprune.program import add_options, run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=EXHIBITS)
    add_options(parser, "config")
    parser.add_argument("--runs", type=Path, help="the folder of all runs, if it is made from runs")
    parser.add_argument(
        "--scores",
        nargs="*",
        type=Path,
        help="the folder of the scores of each of its studies and seeds",
    )
    parser.add_argument("--dataset", type=Path, help="the data set's file, if it needs images")
    parser.add_argument("--claims", type=Path, help="claims.csv, if it is made from the verdicts")
    parser.add_argument(
        "--output", required=True, type=Path, help="the .csv to write; the rest goes beside it"
    )
    options = parser.parse_args()
    exhibit = EXHIBITS[options.name]
    needed = {
        "runs": exhibit.runs,
        "scores": exhibit.scores,
        "dataset": exhibit.images,
        "claims": exhibit.claims,
    }
    given = vars(options)
    missing = [f"--{name}" for name in needed if needed[name] and not given[name]]
    if missing:
        parser.error(f"{exhibit.name} needs {' and '.join(missing)}")
    config = read_config(options.config)
    wanted = [f"{study} by seed {seed}" for study, seed in scored(exhibit, config)]
    if wanted and len(options.scores) != len(wanted):
        parser.error(f"{exhibit.name} needs --scores of {', '.join(wanted)}, in this order")
    if exhibit.torch:
        from advprune.machine.devices import choose_device

        choose_device("cpu", threads=1)
    make = pkgutil.resolve_name(exhibit.code)
    made = make(config=config, **inputs_of(exhibit, config, options))
    made.write(options.output)


def inputs_of(exhibit: Exhibit, config: Config, options: argparse.Namespace) -> dict[str, Any]:
    """What the registry entry says that the table or figure is made from, read and checked."""
    inputs: dict[str, Any] = {}
    if exhibit.runs:
        from advprune.analysis.run_table import collect_runs

        inputs["runs"] = collect_runs(exhibit.name, config, options.runs)
    if exhibit.verdicts:
        from advprune.analysis.verdict_table import collect_verdicts

        inputs["verdicts"] = collect_verdicts(inputs["runs"], options.runs)
    if exhibit.run_files:
        inputs["folder"] = options.runs
    if exhibit.scores:
        from advprune.analysis.scores import read_scores

        inputs["scores"] = {}
        for (study, seed), folder in zip(scored(exhibit, config), options.scores, strict=True):
            of_study = inputs["scores"].setdefault(study, [])
            of_study.append(read_scores(folder, study, seed, config))
    if exhibit.claims:
        from advprune.analysis.run_table import read_table

        inputs["claims"] = read_table(options.claims, "the table of claims")
    if exhibit.images:
        inputs["dataset"] = options.dataset
    return inputs


if __name__ == "__main__":
    run_program(main)

#!/usr/bin/env python3
"""Say what this machine has and lacks for running a config; status 1 if it cannot run here."""

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))  # under PYTHONSAFEPATH it is not there
    from advprune.program import run_program, whole_number

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--config", nargs="+", action="extend", help="overlays of config/config.yaml"
    )
    parser.add_argument(
        "--jobs", default=os.cpu_count(), type=whole_number(1), help="jobs side by side"
    )
    options = parser.parse_args()
    try:
        from advprune.plan.config import load_config
        from advprune.plan.protocols import results_name
        from advprune.preflight.doctor import State, examine
    except Exception as error:  # a module of another's may fail in any way
        sys.exit(f"NO  packages   {why_not(error)}")

    def report() -> None:
        config = load_config(*options.config or [])
        named = config["data_root"] or os.environ.get("ADVPRUNE_DATA")
        failed = 0
        for finding in examine(
            config,
            jobs=options.jobs,
            root=Path(named) if named else None,
            results=Path("results") / results_name(config),
        ):
            failed += finding.state is State.FAILS
            advice = f"\n{'':33}-> {finding.advice}" if finding.advice else ""
            print(f"{finding.state:3} {finding.subject:29} {finding.found}{advice}", flush=True)
        scale = results_name(config)
        if failed:
            sys.exit(f"\nThe scale {scale} cannot run here: {failed} of these must be mended (NO).")
        print(f"\nThe scale {scale} can run here.")

    run_program(report)


def why_not(error: Exception) -> str:
    """Why the library could not be imported, and what to do."""
    if os.environ.get("PYTHONPATH"):
        return (
            f"{error}: it may come from PYTHONPATH, which is {os.environ['PYTHONPATH']}: unset "
            "PYTHONPATH and ask again"
        )
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is missing: make .venv/installed"
    return f"a package is broken ({error}): make clean .venv/installed"


if __name__ == "__main__":
    main()

"""What every program does alike: log lines with the time, errors without a traceback."""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from advprune.errors import UserError
from advprune.runs import Specification

SpecificationType = TypeVar("SpecificationType", bound=Specification)


def positive_count(text: str) -> int:
    """A whole number from 1, as an option's value."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


# Options that several programs have, and their meaning in all of them.
OPTIONS = {
    "spec": ("--spec", {"required": True, "help": "the run's full specification, as JSON"}),
    "dataset": ("--dataset", {"required": True, "help": "the data set's .safetensors file"}),
    "device": ("--device", {"default": "auto", "choices": ("auto", "cpu", "cuda")}),
    "threads": ("--threads", {"default": 1, "type": positive_count, "help": "CPU threads"}),
    "jobs_per_gpu": (
        "--jobs-per-gpu",
        {"default": 1, "type": int, "help": "wait for a GPU with fewer jobs; 0: do not [1]"},
    ),
    "model": ("--model", {"required": True, "help": "to write: the weights"}),
    "record": ("--record", {"required": True, "help": "to write: specification and provenance"}),
    "runs": ("--runs", {"required": True, "help": "a table of runs"}),
    "config": ("--config", {"required": True, "help": "the config.json of the scale"}),
    "table": ("--output", {"required": True, "help": "the .csv; .md, .tex and .html go beside it"}),
    "figure": ("--output", {"required": True, "help": "the .csv; .pdf and .png go beside it"}),
}


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options that are named in `OPTIONS`."""
    for name in names:
        flag, meaning = OPTIONS[name]
        parser.add_argument(flag, **meaning)


def run_program(main: Callable[[], None]) -> None:
    """Run a program's ``main``; a `UserError` becomes its message and exit status 1."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    for chatty in ("auto-attack", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")


def parse_spec(kind: type[SpecificationType], text: str) -> SpecificationType:
    """Read a specification from JSON.

    Raises:
        UserError: the text is no JSON, or a field is missing or unknown.
    """
    try:
        return kind.from_dict(json.loads(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"--spec is not a specification of {kind.__name__}: {error}") from error

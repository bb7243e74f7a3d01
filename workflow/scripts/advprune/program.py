"""What every program does alike: log lines with the time, errors without a traceback."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from advprune.errors import UserError

Number = TypeVar("Number", int, float)
MOST = 10_000_000  # of anything that is counted, as in the config
MOST_THREADS = 1024
LARGEST_SEED = 999_999


def number(
    convert: Callable[[str], Number], fits: Callable[[Number], bool], allowed: str
) -> Callable[[str], Number]:
    """What reads an option's value as a number and refuses it in words.

    Args:
        convert: makes a number of text, or raises ValueError.
        fits: whether a number may be the option's value.
        allowed: says which may.
    """

    def read(text: str) -> Number:
        try:
            value = convert(text)
            if fits(value):
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"it is {text[:40]!r}, but must be {allowed}")

    return read


def whole_number(least: int, most: int = MOST) -> Callable[[str], int]:
    """What reads an option's value as a whole number from ``least`` to ``most``."""
    allowed = f"a whole number from {least} to {most}"
    return number(int, lambda value: least <= value <= most, allowed)


def seeds(text: str) -> list[int]:
    """Seeds with commas between them, as an option's value."""
    return [whole_number(0, LARGEST_SEED)(part) for part in text.split(",")]


# Options that several programs have, and their meaning in all of them.
OPTIONS = {
    "spec": ("--spec", {"required": True, "help": "the full specification, as JSON"}),
    "dataset": (
        "--dataset",
        {"required": True, "type": Path, "help": "the data set's .safetensors file"},
    ),
    "device": ("--device", {"default": "auto", "choices": ("auto", "cpu", "cuda")}),
    "threads": (
        "--threads",
        {"default": 1, "type": whole_number(1, MOST_THREADS), "help": "CPU threads"},
    ),
    "jobs_per_gpu": (
        "--jobs-per-gpu",
        {
            "default": 1,
            "type": whole_number(0),
            "help": "wait for a GPU with fewer jobs; 0: do not [1]",
        },
    ),
    "seeds": (
        "--seeds",
        {"required": True, "type": seeds, "help": "which to make, such as 0,1,2"},
    ),
    "alone": (
        "--alone",
        {
            "default": 0,
            "type": whole_number(0),
            "help": "on a GPU: train seeds below this by themselves, not in the stack [0]",
        },
    ),
    "block": (
        "--block",
        {"required": True, "type": Path, "help": "to write: the records of all that was asked for"},
    ),
    "record": (
        "--record",
        {"required": True, "type": Path, "help": "to write: specification and provenance"},
    ),
    "accuracies": (
        "--accuracies",
        {"required": True, "type": Path, "help": "to write: one row of accuracies"},
    ),
    "verdicts": (
        "--verdicts",
        {"required": True, "type": Path, "help": "to write: a row for every test image"},
    ),
    "verdicts_of_runs": (
        "--verdicts",
        {"required": True, "help": "which images each run of the table withstood"},
    ),
    "runs": ("--runs", {"required": True, "help": "a table of runs"}),
    "config": ("--config", {"required": True, "help": "the config.json of the scale"}),
    "configs": (
        "--config",
        {
            "required": True,
            "nargs": "+",
            "action": "extend",
            "help": "overlays of config/config.yaml",
        },
    ),
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

"""Where a config departs from the paper's scale."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from advprune.config import Config, load_config

# Settings that decide how good a number is, not which runs there are: n is told beside each number.
COMPARED = ("dataset", "train_examples", "training", "evaluation", "scores")


def departures(config: Config, study: str) -> list[str]:
    """What in a study is not as in the paper's own config, a phrase each; empty if all is."""
    paper = _paper_config()["studies"][study]
    return [
        f"{name} {_said(value)} instead of {_said(wanted)}"
        for key in COMPARED
        for name, value, wanted in _differences(key, config["studies"][study][key], paper[key])
    ]


@cache
def _paper_config() -> Config:
    return load_config()


def _differences(name: str, value: Any, wanted: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        for key in value:
            yield from _differences(f"{name}.{key}", value[key], wanted[key])
    elif value != wanted:
        yield name, value, wanted


def _said(value: Any) -> str:
    return "all" if value is None else str(value)

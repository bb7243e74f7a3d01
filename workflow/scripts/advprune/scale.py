"""Where a config departs from the paper's scale."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from advprune.config import DEFAULT, Config, load_config

# Settings that decide what a run's numbers are; how many runs there are, n tells beside each.
OF_A_STUDY = ("dataset", "train_examples", "training", "evaluation", "scores")
OF_ALL = ("paired_seeds", "pruning", "deepfool", "early_stopping")


def departures(config: Config, study: str) -> list[str]:
    """What is not as at the paper's scale under the same protocol, a phrase each.

    Args:
        config: the config that ran.
        study: the study whose settings are compared, beside those of all studies.
    """
    paper = _paper_config(config["protocol"])
    compared = [(key, config["studies"][study], paper["studies"][study]) for key in OF_A_STUDY]
    compared += [(key, config, paper) for key in OF_ALL]
    return [
        f"{name} {_said(value)} instead of {_said(wanted)}"
        for key, ours, papers in compared
        for name, value, wanted in _differences(key, ours[key], papers[key])
    ]


@cache
def _paper_config(protocol: str) -> Config:
    overlays = [] if protocol == "paper" else [DEFAULT.with_name(f"{protocol}.yaml")]
    return load_config(*overlays)


def _differences(name: str, value: Any, wanted: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        for key in value:
            yield from _differences(f"{name}.{key}", value[key], wanted[key])
    elif value != wanted:
        yield name, value, wanted


def _said(value: Any) -> str:
    return "all" if value is None else str(value)

"""Where a config departs from the paper's scale."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from advprune.config import DEFAULT, Config, load_config

# Settings that decide what a number means, but not how many runs it is of: n stands beside it.
OF_A_STUDY = ("dataset", "train_examples", "training", "evaluation", "scores")
OF_BOTH = ("paired_seeds", "pruning", "deepfool", "early_stopping")
IF_STOPPED_EARLY = "validation_examples"


def departures(config: Config, study: str) -> list[str]:
    """What in a study is not as at the paper's scale by the same protocol, a phrase each."""
    ours = _deciding(config, study)
    papers = _deciding(paper_config(config["protocol"]), study)
    return [
        f"{name} {_said(value)} instead of {_said(wanted)}"
        for key in ours
        for name, value, wanted in _differences(key, ours[key], papers[key])
    ]


def _deciding(config: Config, study: str) -> dict[str, Any]:
    settings = config["studies"][study]
    training = dict(settings["training"])
    if not config["early_stopping"]["enabled"]:
        del training[IF_STOPPED_EARLY]
    return {
        **{key: settings[key] for key in OF_A_STUDY},
        "training": training,
        # What claims about all p, or most methods, are averaged over.
        "p": settings["experiments"]["accuracy"]["p"],
        "methods": settings["experiments"]["accuracy"]["methods"],
        **{key: config[key] for key in OF_BOTH},
        "precision": config["execution"]["precision"],
    }


@cache
def paper_config(protocol: str) -> Config:
    """The config of the paper's scale by a protocol."""
    overlays = [] if protocol == "paper" else [DEFAULT.with_name(f"{protocol}.yaml")]
    return load_config(*overlays)


def _differences(name: str, value: Any, wanted: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, dict):
        for key in (key for key in value if key in wanted):
            yield from _differences(f"{name}.{key}", value[key], wanted[key])
    elif value != wanted:
        yield name, value, wanted


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "all" if value is None else str(value)

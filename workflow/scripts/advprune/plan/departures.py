"""Where a config departs from the paper's scale."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from advprune.plan.config import DEFAULT, STUDIES, Config, load_config, ranges_of

# Settings that decide what a number means, but not how many runs it is of: n stands beside it.
OF_A_STUDY = ("dataset", "train_examples", "training", "evaluation", "scores")
OF_BOTH = ("paired_seeds", "pruning", "deepfool", "early_stopping")
IF_STOPPED_EARLY = "validation_examples"
# What departs by itself: the two studies, and what has settings of its own.
PARTS = (*STUDIES, "figure2", "appendix_c")


def departures(config: Config, part: str) -> list[str]:
    """What in one of `PARTS` is not as at the paper's scale by the same protocol, a phrase each."""
    ours = _deciding(config, part)
    papers = _deciding(paper_config(config["protocol"]), part)
    found = [
        f"{name} {_said(value)} instead of {_said(wanted)}"
        for key in ours
        for name, value, wanted in _differences(key, ours[key], papers[key])
    ]
    incomplete = config["partial"] and part in STUDIES
    return [*found, "only the runs that exist of those planned"] if incomplete else found


def _deciding(config: Config, part: str) -> dict[str, Any]:
    if part not in STUDIES:
        return {part: config[part]}
    settings = config["studies"][part]
    training = dict(settings["training"])
    if not config["early_stopping"]["enabled"]:
        del training[IF_STOPPED_EARLY]
    scores = {key: value for key, value in settings["scores"].items() if key != "seeds"}
    return {
        **{key: settings[key] for key in OF_A_STUDY},
        "training": training,
        "scores": scores,
        # What claims about all p, or most methods, are averaged over.
        "p": settings["experiments"]["accuracy"]["p"],
        "methods": settings["experiments"]["accuracy"]["methods"],
        **{key: config[key] for key in OF_BOTH},
        **{key: config["execution"][key] for key in ("precision", "tf32")},
    }


def overlaid_settings(overlay: Any, config: Config) -> list[str]:
    """What an overlay sets in a config, and what it was before, a phrase each."""
    return [
        f"{name} {_said(value)} instead of {_said(wanted)}"
        for key in overlay
        for name, value, wanted in _differences(key, overlay[key], config[key])
    ]


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
        numbers = all(isinstance(each, int) for each in value)
        return ranges_of(value) if numbers else ", ".join(map(str, value))
    return "all" if value is None else str(value)

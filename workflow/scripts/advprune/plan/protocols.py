"""The two protocols: what the paper says, and what its authors' released code does.

Each switch can be set alone in a config; where the config says null, the protocol decides.
docs/paper_notes.md says of each what the paper leaves open and why its default was chosen.
"""

import copy
from collections.abc import Mapping
from typing import Any

from advprune.errors import UserError

PROTOCOLS = ("paper", "released")
# Every key by which the protocols differ, with the value of each in the order of `PROTOCOLS`.
SWITCHES: dict[str, tuple[Any, Any]] = {
    "robust_accuracy": ("autoattack", "apgd_ce_40x5"),
    "error_bars": ("confidence_interval", "standard_deviation"),
    "paired_seeds": (True, False),
    "pruning.rounding": ("exact", "floating_point"),
    "pruning.odd_one": ("far", "highest_proxy"),
    "pruning.deepfool_taken": ("after_pass", "in_pass"),
    "deepfool.max_iterations": (50, 5),
    "deepfool.fixed_target": (True, False),
    "deepfool.unconverged": ("length_walked", "zero"),
    "early_stopping.enabled": (False, True),
    "early_stopping.timed": (False, True),
    "studies.cifar10.training.network": ("preact_resnet18", "preact_resnet18_large_stem"),
    "studies.cifar10.training.epsilon": ("8/255", 0.031),
    "studies.cifar10.training.step_size": ("10/255", 0.039),
    "studies.cifar10.scores.epoch": (1, 2),
    "studies.mnist.scores.loss_taken": ("after_pass", "in_pass"),
    "studies.mnist.scores.deepfool_taken": ("after_pass", "in_pass"),
    "studies.cifar10.scores.loss_taken": ("after_pass", "in_pass"),
    "studies.cifar10.scores.deepfool_taken": ("after_pass", "in_pass"),
}


def resolve_protocol(config: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a config in which every switch that is null has its protocol's value.

    A config may be wrong in any other way: whether it is right is for `config.check_config` to say.

    Raises:
        UserError: the protocol is not one of `PROTOCOLS`.
    """
    result = copy.deepcopy(dict(config))
    if "protocol" not in result:
        return result
    if result["protocol"] not in PROTOCOLS:
        raise UserError(
            f"config: protocol is {result['protocol']!r}, but must be one of {', '.join(PROTOCOLS)}"
        )
    for key, values in SWITCHES.items():
        *above, last = key.split(".")
        holder: Any = result
        for name in above:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and last in holder and holder[last] is None:
            holder[last] = values[PROTOCOLS.index(result["protocol"])]
    return result


def results_name(config: Mapping[str, Any]) -> str:
    """The folder below ``results`` that a scale's results go to, of its own for each protocol."""
    scale, protocol = config["scale"], config["protocol"]
    return scale if protocol == "paper" else f"{scale}-{protocol}"

#!/usr/bin/env python3
"""Costs of a device for `config/costs.yaml`, from what `benchmarks/gpu.py` measured on it.

Prints the networks' part as YAML: of each kind of work `[a batch, an image]` in milliseconds, the
line through what was measured at two sizes. Where AutoAttack was not measured on a network, its
costs are those of another one for images of that shape, plus what its calls cost more; these kinds
are listed as extrapolated.
"""

import argparse
import json
from pathlib import Path
from statistics import median

import numpy as np

# What an image that withstands all costs standard AutoAttack, in calls of the network; the first
# attack is 100 of each.
FORWARDS, GRADIENTS = 7_865 - 1_910, 1_910
FIRST = 100
REST = ("apgd-t", "fab-t", "square")
KINDS = ("update", "standard_update", "first_step", "further_step", "forward", "gradient")

Line = np.ndarray  # (batch, image), seconds


def line_through(points: dict[int, float]) -> Line:
    """Seconds of a batch and of an image, neither below 0, from seconds of batches by size."""
    sizes, seconds = np.array(list(points)), np.array(list(points.values()))
    if len(points) == 1:
        return np.array([0.0, seconds[0] / sizes[0]])
    image, batch = np.polyfit(sizes, seconds, 1)
    if batch < 0:
        return np.array([0.0, seconds[-1] / sizes[-1]])
    if image < 0:
        return np.array([seconds.mean(), 0.0])
    return np.array([batch, image])


def read_points(path: Path) -> dict[str, dict[str, dict[int, float]]]:
    """Network to kind of work to size to the median of seconds."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if "seconds" in line and not line["way"]:
            kinds = found.setdefault(line["network"], {})
            points = kinds.setdefault(line["what"].replace(" ", "_").replace("-", "_"), {})
            points[line["images"]] = median(line["seconds"])
    return found


def lines_of(points: dict[str, dict[int, float]]) -> dict[str, Line]:
    """A network's costs, as far as they were measured."""
    names = [name.replace("-", "_") for name in REST]
    costs = {kind: line_through(points[kind]) for kind in KINDS if kind in points}
    if "apgd_ce_40x5" in points:
        costs["apgd_ce_40x5"] = line_through(points["apgd_ce_40x5"])
    if all(name in points for name in names):
        costs["autoattack_first"] = line_through(points["apgd_ce"])
        costs["autoattack_rest"] = sum(line_through(points[name]) for name in names)
    return costs


def extrapolate(costs: dict[str, Line], like: dict[str, Line]) -> list[str]:
    """Fill in the attacks that are missing from those of a network like it."""
    more = {kind: costs[kind] - like[kind] for kind in ("forward", "gradient")}
    calls = {
        "autoattack_first": (0, FIRST),
        "autoattack_rest": (FORWARDS, GRADIENTS - FIRST),
        "standard_update": None,
    }
    missing = [kind for kind in calls if kind not in costs]
    for kind in missing:
        if kind == "standard_update":
            costs[kind] = costs["update"] * (like[kind] / like["update"]).max()
        else:
            forwards, gradients = calls[kind]
            known = like[kind] + forwards * more["forward"] + gradients * more["gradient"]
            costs[kind] = known.clip(min=0)
    return missing


def in_ms(seconds: float) -> str:
    """Milliseconds with three digits and no exponent, which YAML may take for text."""
    return np.format_float_positional(1000 * seconds, precision=3, fractional=False, trim="-")


def main() -> None:
    """Print the costs of the networks of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the .jsonl file that benchmarks/gpu.py wrote")
    options = parser.parse_args()
    costs = {name: lines_of(points) for name, points in read_points(options.file).items()}
    whole = [name for name in costs if "autoattack_rest" in costs[name]]
    for name, known in costs.items():
        resnets = [each for each in whole if each.startswith("preact") == name.startswith("preact")]
        missing = extrapolate(known, costs[resnets[0]]) if resnets else []
        print(f"      {name}:")
        for kind, (batch, image) in known.items():
            print(f"        {kind}: [{in_ms(batch)}, {in_ms(image)}]")
        if missing:
            print(f"        extrapolated: [{', '.join(missing)}]")


if __name__ == "__main__":
    main()

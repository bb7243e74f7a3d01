"""The environments of the rules, and what the rules do in them, read from their files."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from workflow_tools import PROJECT

FILES = sorted((PROJECT / "envs").glob("*.yaml"))
LAUNCHER = PROJECT / "environment.yaml"
# `TORCH` in the rules stands for one of two, by the config.
TORCH = ["torch", "torch-gpu"]


@dataclass(frozen=True)
class Environment:
    """What a conda environment file asks for.

    Attributes:
        channels: where packages come from.
        conda: conda's packages and their versions, ``""`` for any.
        pip: pip's requirements, without their hashes.
        hashes: pip's hashes, as options.
    """

    channels: list[str]
    conda: dict[str, str]
    pip: list[str]
    hashes: list[str] = field(default_factory=list)


def read_environment(path: Path) -> Environment:
    """Read an environment file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    conda, pip, hashes = {}, [], []
    for entry in content["dependencies"]:
        if isinstance(entry, dict):
            for requirement in entry["pip"]:
                wanted, *options = requirement.split()
                pip.append(wanted)
                hashes += options
        else:
            name, version = re.fullmatch(r"([a-z0-9-]+)=?(.*)", entry).groups()
            conda[name] = version
    return Environment(content["channels"], conda, pip, hashes)


def programs_and_environments() -> list[tuple[str, str]]:
    """The program of every rule beside each environment in which it may run."""
    found = set()
    for path in sorted((PROJECT / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        for _, body in re.findall(r"^rule (\w+):\n((?: .*\n|\n)+)", text, re.MULTILINE):
            programs = re.findall(r"workflow/scripts/(\w+)\.py", body)
            (place,) = re.findall(r"conda:\n +(.+)\n", body)
            names = TORCH if place == "TORCH" else [Path(place.strip('"')).stem]
            found |= {(program, name) for program in programs for name in names}
    return sorted(found)


def faults_of_pin(pin: str, environment: Environment, deployed_after: str) -> list[str]:
    """What is wrong with a list of pinned packages.

    Args:
        pin: the text of a file as ``conda list --explicit --md5`` writes it.
        environment: what its environment file asks for.
        deployed_after: the text of the script that Snakemake runs once the packages are there. It
            must install what pip should, which no pin names.
    """
    lines = [line for line in pin.splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["@EXPLICIT"]:
        return ["it does not begin with @EXPLICIT"]
    channels = "|".join(map(re.escape, environment.channels))
    address = re.compile(
        rf"https://[^/]+/(?:{channels})/(?:linux-64|noarch)/"
        r"([^/]+)-([^-/]+)-[^-/]+\.(?:conda|tar\.bz2)#[0-9a-f]{32}"
    )
    matches = {line: address.fullmatch(line) for line in lines[1:]}
    faults = [f"{line} is no package" for line, match in matches.items() if not match]
    pinned = dict(match.groups() for match in matches.values() if match)
    for name, version in environment.conda.items():
        if name not in pinned:
            faults.append(f"{name} is not pinned")
        elif version and not f"{pinned[name]}.".startswith(f"{version}."):
            faults.append(f"{name} is pinned to {pinned[name]}, not {version}")
    faults += [
        f"{wanted} is left out" for wanted in environment.pip if wanted not in deployed_after
    ]
    return faults

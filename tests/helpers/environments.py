"""The conda environments, and the rules that run programs in them, as Snakemake reads them."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from workflow_tools import PROJECT, copy_project, run_snakemake

FILES = sorted((PROJECT / "envs").glob("*.yaml"))
LAUNCHER = PROJECT / "environment.yaml"
# At the end of a Snakefile: what Snakemake has made of the rules above.
SHOW_RULES = """
import json
for each in workflow.rules:
    if each.shellcmd:
        print("RULE", json.dumps([each.name, str(each.conda_env), each.shellcmd]))
"""


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


@dataclass(frozen=True)
class Rule:
    """A rule, the program that it runs, and the name of the environment that it runs it in."""

    name: str
    program: str
    environment: str


def read_rules(folder: Path, *configs: str | Path) -> list[Rule]:
    """The rules that run a program, from a copy of the project that is made in ``folder``."""
    project = copy_project(folder)
    with open(project / "Snakefile", "a") as file:
        file.write(SHOW_RULES)
    overlays = ["--configfile", *configs] if configs else []
    listed = run_snakemake("--list-rules", *overlays, cwd=project)
    assert listed.status == 0, listed.printed
    found = map(json.loads, re.findall(r"^RULE (.+)$", listed.printed, re.M))
    return [
        Rule(name, re.search(r"workflow/scripts/(\w+)\.py", command)[1], Path(environment).stem)
        for name, environment, command in found
    ]

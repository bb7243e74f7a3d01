"""What the documents say is what the code does."""

import re

import pytest
from workflow_tools import PROJECT, run_snakemake

README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.workflow
def test_the_readme_shows_the_rule_graph_of_the_workflow():
    answer = run_snakemake(
        "--rulegraph", "mermaid-js", "--configfile", "config/quick.yaml", cwd=PROJECT
    )
    assert edges(README) == edges(answer.printed)


def edges(text: str) -> set[tuple[str, str]]:
    """The arrows of a mermaid graph, by the names of the nodes; those into `all` are left out."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", text, re.MULTILINE))
    arrows = re.findall(r"^\s*(\w+) --> (\w+)", text, re.MULTILINE)
    named = {(names.get(source, source), names.get(target, target)) for source, target in arrows}
    return {(source, target) for source, target in named if target != "all"}


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", ["requirements", "requirements-slurm"])
def test_every_package_asked_for_is_locked_with_hashes(name):
    wanted = re.findall(r"^([a-z][\w-]*)", (PROJECT / f"envs/{name}.in").read_text(), re.M)
    lock = (PROJECT / f"envs/{name}.lock").read_text()
    locked = re.findall(r"^([\w-]+)==\S+.*\\\n    --hash=sha256:", lock, re.M)
    assert wanted
    assert [name for name in wanted if name not in locked] == []

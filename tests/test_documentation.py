"""What the documents say is what the code does."""

import re
from pathlib import Path

import pytest
import yaml
from claim_tools import evidence, runs_of_cell
from paper_numbers import TABLE_1, sample
from workflow_tools import PROJECT, run_snakemake

from advprune.claims.claim import read_claims
from advprune.claims.quantities import QUANTITIES
from advprune.claims.verdicts import RULES, Verdict, judge

CLAIMS = (PROJECT / "docs/claims.md").read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RUNNING = (PROJECT / "docs/running.md").read_text(encoding="utf-8")
DOCUMENTS = {
    str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "[!.]*/*.md")
    for path in sorted(PROJECT.glob(pattern))
}


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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document):
    assert broken_links(DOCUMENTS[document], (PROJECT / document).parent) == []


def test_a_link_to_a_file_that_does_not_exist_is_found():
    text = "[a](claims.md) [b](../README.md#results) [c](gone.md) [d](lost.md#there) [e](https://f)"
    assert broken_links(text, PROJECT / "docs") == ["gone.md", "lost.md"]


def broken_links(text: str, folder: Path) -> list[str]:
    """The files that a document in ``folder`` links to and that are not there."""
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    return [link for link in links if not (folder / link).exists()]


@pytest.mark.parametrize("document", ["README.md", "docs/paper_notes.md"])
def test_the_page_about_claims_is_linked(document):
    assert "claims.md)" in (PROJECT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*QUANTITIES, *RULES])
def test_the_page_about_claims_explains_every_quantity_and_rule(name):
    assert f"\n| `{name}` | " in CLAIMS


@pytest.mark.parametrize("verdict", Verdict)
def test_the_page_about_claims_explains_every_verdict(verdict):
    assert f"\n| {verdict} | " in CLAIMS


def test_the_example_of_a_claim_can_be_judged(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", CLAIMS, re.DOTALL)
    (tmp_path / "claims.yaml").write_text(example)
    (claim,) = read_claims(tmp_path / "claims.yaml")
    mean, half_width = TABLE_1["autoattack_accuracy"]["random"]
    near, far = (
        evidence(runs_of_cell("random", "0.6", autoattack_accuracy=sample(value, half_width)))
        for value in (mean, mean + 3 * half_width)
    )
    assert judge(claim, near).verdict is Verdict.REPRODUCED
    assert judge(claim, far).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document):
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert targets_named(DOCUMENTS[document]) <= targets


def test_make_targets_are_found_in_blocks_of_commands_and_in_the_text():
    text = (
        "`make quick A=b`\nmake the rest\n```\nmake doctor\n```\nmake it\n```bash\nmake lint\n```"
    )
    assert targets_named(text) == {"quick", "doctor", "lint"}


def targets_named(text: str) -> set[str]:
    """The targets that a document calls `make` with."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^make ([a-z]+)", "\n".join(blocks), re.MULTILINE)
    return {*commands, *re.findall(r"`make ([a-z]+)[^`]*`", text)}


@pytest.mark.parametrize("name", ["requirements", "requirements-slurm"])
def test_every_package_asked_for_is_locked_with_hashes(name):
    wanted = re.findall(r"^([a-z][\w-]*)", (PROJECT / f"envs/{name}.in").read_text(), re.M)
    lock = (PROJECT / f"envs/{name}.lock").read_text()
    locked = re.findall(r"^([\w-]+)==\S+.*\\\n    --hash=sha256:", lock, re.M)
    assert wanted
    assert [name for name in wanted if name not in locked] == []


def test_the_profile_for_slurm_has_all_that_the_default_one_has_which_it_replaces():
    default, slurm = (
        yaml.safe_load((PROJECT / f"profiles/{name}/config.yaml").read_text())
        for name in ("default", "slurm")
    )
    assert default.items() <= slurm.items()


def test_the_page_on_running_explains_every_setting_of_the_profile_for_slurm():
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    resources = [profile.pop("default-resources"), *profile.pop("set-resources").values()]
    settings = {*profile, *(name for mapping in resources for name in mapping)}
    (table,) = re.findall(r"^### The profile\n(.*?)^### ", RUNNING, re.MULTILINE | re.DOTALL)
    first_column = " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    assert settings - {*re.findall(r"[\w-]+", first_column)} == set()

"""What the documents say is what the code does."""

import functools
import re
import shlex

import pytest
import yaml
from claim_tools import evidence, runs_of_cell
from imports import SCRIPTS
from paper_numbers import TABLE_1, sample
from snakemake.cli import get_argument_parser
from workflow_tools import PROJECT, job_counts, run_program, run_snakemake

from advprune.claims.claim import read_claims
from advprune.claims.quantities import QUANTITIES
from advprune.claims.verdicts import RULES, Verdict, judge
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, runs_of

CLAIMS, EXTENDING, RESULTS, RUNNING = (
    (PROJECT / f"docs/{name}.md").read_text(encoding="utf-8")
    for name in ("claims", "extending", "results", "running")
)
(BLOCKS,) = re.findall(r"^## Blocks\n(.*?)^## ", RUNNING, re.M | re.S)
DOCUMENTS = {
    str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "[!.]*/*.md")
    for path in sorted(PROJECT.glob(pattern))
}
# What the recipes make.
MADE = set(re.findall(r"put\s+into\s+`([^`]+)`", EXTENDING, re.I))
MADE_RULES = set(re.findall(r"\bExhibit\(\s*\*?\(?\"(\w+)\"", EXTENDING))
PROGRAM_NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
PATH = re.compile(
    r"(?<![\w/.<>-])(?:workflow|config|rules|docs|envs|profiles|report|tests)/[\w./-]+"
)


def code_in(document: str) -> list[str]:
    """The lines of a document's blocks of code, continued ones joined, and what `is set so`."""
    text = DOCUMENTS[document]
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    prose = re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.M | re.S)
    return lines + [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def commands(program: str) -> list[tuple[str, list[str]]]:
    """What the documents call a program with, beside the document."""
    found = [
        (document, re.search(rf"(?:^|[ /]){re.escape(program)} (.+)", line))
        for document in DOCUMENTS
        for line in code_in(document)
    ]
    return [(document, shlex.split(match[1], comments=True)) for document, match in found if match]


@pytest.fixture(scope="module")
def rules(untouched):
    return set(run_snakemake("--list-rules", cwd=untouched).printed.split())


@pytest.fixture(scope="module")
def usage():
    """What a program answers to --help, asked once."""
    return functools.cache(lambda name: run_program(name, "--help", cwd=PROJECT))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document):
    links = re.findall(r"\]\((?!http)([^)#]+)", DOCUMENTS[document])
    assert [link for link in links if not (PROJECT / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_of_the_project_that_a_document_names_exists(document):
    named = {path for line in code_in(document) for path in PATH.findall(line)}
    assert sorted(path for path in named - MADE if not (PROJECT / path).exists()) == []


@pytest.mark.workflow
def test_every_call_of_snakemake_in_a_document_is_one(rules):
    calls = commands("snakemake")
    assert len(calls) > 20
    for document, arguments in calls:
        # Exits at an option that it does not know.
        call = get_argument_parser().parse_args(arguments)
        targets = {str(target) for target in call.targets}
        named = {name for name in targets if not name.startswith("results/")}
        assert named <= rules | MADE_RULES, arguments
        configs = {str(path) for path in call.configfile} - MADE - {"…"}
        assert [name for name in configs if not (PROJECT / name).exists()] == [], document


@pytest.mark.parametrize("program", PROGRAM_NAMES)
def test_a_program_says_how_it_is_used(usage, program):
    ended = usage(program)
    assert (ended.status, ended.printed[:6]) == (0, "usage:")


@pytest.mark.parametrize("program", PROGRAM_NAMES)
def test_every_option_of_a_program_in_a_document_is_one(usage, program):
    options = {
        word
        for _, arguments in commands(f"{program}.py")
        for word in arguments
        if word.startswith("--")
    }
    assert options <= set(re.findall(r"--[\w-]+", usage(program).printed))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^(?:\w+=\S+ )*make ([a-z-]+)", "\n".join(code_in(document)), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.workflow
def test_the_graph_in_the_readme_is_of_rules(rules):
    (graph,) = re.findall(r"```mermaid\nflowchart LR\n(.*?)```", DOCUMENTS["README.md"], re.S)
    assert set(re.findall(r"\w+", graph)) <= rules


@pytest.mark.workflow
@pytest.mark.parametrize("config", ["config", "laptop", "quick", "smoke"])
def test_the_readme_counts_the_runs_and_jobs_of_a_config(config, dry_runs):
    path = f"config/{config}.yaml"
    row = re.search(
        rf"^\| `{path}` \| .+ \| ([\d,]+) \| ([\d,]+) \| ", DOCUMENTS["README.md"], re.M
    )
    runs = len(runs_of("all", load_config(PROJECT / path)))
    jobs = job_counts(dry_runs(config).printed)["total"]
    assert [int(number.replace(",", "")) for number in row.groups()] == [runs, jobs]


def test_the_pages_on_configs_and_on_cost_say_how_many_images_the_papers_scale_attacks():
    evaluations = [study["evaluation"] for study in load_config()["studies"].values()]
    (images,) = {evaluation["autoattack_examples"] for evaluation in evaluations}
    assert {evaluation["single_attack_examples"] for evaluation in evaluations} == {None}
    for document, said in (
        ("config/README.md", f"AutoAttack on {images:,} of the 10,000 test images"),
        ("docs/cost.md", f"AutoAttack on {images:,} images and APGD-CE 40×5 on all 10,000"),
    ):
        assert said in DOCUMENTS[document].replace("\n", " ")


def test_the_page_on_results_names_every_table_and_figure():
    first, last = re.search(r"figure(\d)\.\*` … `figure(\d)\.\*", RESULTS).groups()
    numbered = {f"figure{number}" for number in range(int(first), int(last) + 1)}
    assert EXHIBITS.keys() - numbered - {*re.findall(r"\w+", RESULTS)} == set()


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


@pytest.mark.parametrize("name", ["requirements", "requirements-slurm", "requirements-bench"])
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


def test_the_profile_for_slurm_asks_for_a_gpu_for_every_rule_that_uses_one():
    texts = [path.read_text(encoding="utf-8") for path in (PROJECT / "rules").glob("*.smk")]
    rules = re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", "\n".join(texts), re.M | re.S)
    users = {name for name, body in rules if "**execution_resources()" in body}
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    asked = {name for name, of in profile["set-resources"].items() if of.get("gpu") == 1}
    assert asked == users == {*re.findall(r"^\| `(\w+)` \| [^|]+ \|$", BLOCKS, re.M)}


def test_the_page_on_running_explains_every_setting_of_the_profile_for_slurm():
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    resources = [profile.pop("default-resources"), *profile.pop("set-resources").values()]
    settings = {*profile, *(name for mapping in resources for name in mapping)}
    (table,) = re.findall(r"^### The profile\n(.*?)^### ", RUNNING, re.MULTILINE | re.DOTALL)
    first_column = " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    assert settings - {*re.findall(r"[\w-]+", first_column)} == set()


# By `make publish` and by `make cost`.
QUOTED = r"<!-- quote: .+? -->.*?<!-- end of quote -->|<!-- cost .+? -->.*?<!-- end of cost -->"
# Names that have a number in them, and what the runs were asked for, which stands in the config.
NAMED = (
    r"(Tables?|Figures?|[Ss]ections?) \d[\d.]*((,| and) \d)*|40×5|p = \d\.\d|CIFAR10|\]\([^)]+\)"
)
# What is said of the published results, beside its document.
SAID = {
    "README.md": "".join(
        re.findall(r"^## Does the paper hold\?\n(.*?)^## ", DOCUMENTS["README.md"], re.M | re.S)
    ),
    "docs/findings.md": DOCUMENTS["docs/findings.md"],
}


@pytest.mark.parametrize("document", SAID)
def test_no_number_of_the_published_results_is_typed_by_hand(document):
    prose = re.sub(QUOTED, "", SAID[document], flags=re.S)
    prose = re.sub(r"^ *```\w*\n.*?^ *```", "", prose, flags=re.M | re.S)
    assert re.findall(r".*\d.*", re.sub(NAMED, "", re.sub(r"`[^`]+`", "", prose))) == []


@pytest.mark.parametrize("document", SAID)
def test_what_is_published_is_quoted(document):
    assert re.search(QUOTED, SAID[document], re.S)

"""The conda environments hold what the programs import, at the versions that are locked."""

import re

import pytest
from environments import FILES, LAUNCHER, Environment, read_environment, read_rules
from imports import MODULES, PROGRAMS, SCRIPTS, imports_of, module_name, packages_behind
from packaging.markers import Marker
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, is_asked_for
from advprune.spec.attacks import ATTACKS
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.networks import NETWORKS

ENVIRONMENTS = {path.stem: read_environment(path) for path in FILES}
# Where conda's name of a package is not the one that it is imported by, and where it is not PyPI's.
IMPORTED_AS = {
    "matplotlib-base": "matplotlib",
    "pillow": "PIL",
    "pytorch": "torch",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
ON_PYPI = {"matplotlib-base": "matplotlib", "pytorch": "torch"}
NOT_IMPORTED = {"python", "pip", "pytorch-gpu"}


def modules_of(codes) -> set[str]:
    """The modules of code names such as advprune.data.sources:mnist."""
    return {code.partition(":")[0] for code in codes if code}


# Who finds functions by their code names in a registry; exhibit.py does so too.
FOUND_BY_NAME = {
    "advprune.data.loading": modules_of(dataset.load for dataset in DATASETS.values()),
    "advprune.networks.classifier": modules_of(network.code for network in NETWORKS.values()),
    "advprune.training.pruning": modules_of(method.select for method in METHODS.values()),
    "advprune.evaluation.single_attacks": modules_of(attack.code for attack in ATTACKS.values()),
    "advprune.evaluation.phases": modules_of(attack.together for attack in ATTACKS.values()),
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return read_rules(tmp_path_factory.mktemp("rules") / "project")


def provided_by(environment: Environment) -> set[str]:
    names = set(environment.conda) - NOT_IMPORTED
    names |= {requirement.split("==")[0] for requirement in environment.pip}
    return {IMPORTED_AS.get(name, name) for name in names}


def needed_by(rule) -> set[str]:
    """The packages that a rule's program imports."""
    program = SCRIPTS / f"{rule.program}.py"
    if rule.program != "exhibit":
        return packages_behind(imports_of(program), FOUND_BY_NAME)
    exhibit = EXHIBITS[rule.name]
    called = {
        "advprune.analysis.run_table": exhibit.runs,
        "advprune.analysis.scores": exhibit.scores,
        "advprune.machine.devices": exhibit.torch,
    }
    imported = imports_of(program, when_called=False) | modules_of([exhibit.code])
    return packages_behind(imported | {name for name in called if called[name]}, FOUND_BY_NAME)


@pytest.mark.workflow
def test_what_a_rules_program_imports_is_in_its_environment(rules):
    missing = {
        rule: needed_by(rule) - provided_by(ENVIRONMENTS[rule.environment]) for rule in rules
    }
    assert {rule: packages for rule, packages in missing.items() if packages} == {}
    config = load_config()
    asked_for = {name for name, exhibit in EXHIBITS.items() if is_asked_for(exhibit, config)}
    assert {rule.name for rule in rules} > {"train", *asked_for}


@pytest.mark.workflow
def test_a_table_or_figure_asks_for_pytorch_exactly_if_it_imports_it(rules):
    asks = {rule.name: EXHIBITS[rule.name].torch for rule in rules if rule.program == "exhibit"}
    imports = {rule.name: "torch" in needed_by(rule) for rule in rules if rule.name in asks}
    assert asks == imports


@pytest.mark.workflow
@pytest.mark.parametrize("environment", ["analysis", "torch"])
def test_an_environment_holds_nothing_that_no_program_imports(rules, environment):
    needed = set().union(*(needed_by(rule) for rule in rules if rule.environment == environment))
    assert provided_by(ENVIRONMENTS[environment]) - needed == set()


def test_it_is_known_who_imports_what_a_registry_names():
    looking = {
        module_name(path) for path in [*MODULES, *PROGRAMS] if "resolve_name(" in path.read_text()
    }
    assert looking == {*FOUND_BY_NAME, "exhibit"}


@pytest.mark.workflow
def test_with_the_device_cuda_the_same_rules_are_in_the_environment_with_cuda(rules, tmp_path):
    (tmp_path / "overlay.yaml").write_text("execution: {device: cuda}")
    with_cuda = read_rules(tmp_path / "project", tmp_path / "overlay.yaml")
    wanted = {rule.name: rule.environment.replace("torch", "torch-gpu") for rule in rules}
    assert {rule.name: rule.environment for rule in with_cuda} == wanted


def test_the_launchers_environment_holds_what_the_workflow_imports_and_no_more():
    text = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "rules").glob("*.smk"))
    statements = re.findall(r"^from (advprune[\w.]*) import ([^(\n]+|\([^)]+\))", text, re.M)
    imported = {
        f"{package}.{name}" for package, names in statements for name in re.findall(r"\w+", names)
    }
    needed = packages_behind(imported | {package for package, _ in statements}, FOUND_BY_NAME)
    assert {"advprune.errors.UserError", "advprune.paths.RUN_BLOCK"} < imported
    assert provided_by(read_environment(LAUNCHER)) - {"snakemake-minimal"} == needed


def test_the_launcher_takes_the_snakemakes_that_the_workflow_takes():
    (least,) = re.findall(r'min_version\("(.+)"\)', (PROJECT / "Snakefile").read_text())
    assert f"- snakemake-minimal>={least},<10\n" in LAUNCHER.read_text()


def locked_versions(python: str) -> dict[str, str]:
    """The versions in the lock, for this version of Python on Linux."""
    machine = {"python_full_version": f"{python}.0", "python_version": python}
    machine |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    lock = (PROJECT / "envs/requirements.lock").read_text(encoding="utf-8")
    return {
        name: version
        for name, version, marker in re.findall(r"^([\w-]+)==(\S+)(?: ; (.+))? \\$", lock, re.M)
        if not marker or Marker(marker).evaluate(machine)
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_versions_of_an_environment_are_the_locked_ones(name):
    environment = ENVIRONMENTS[name]
    locked = locked_versions(environment.conda["python"])
    asked = {ON_PYPI.get(name, name): version for name, version in environment.conda.items()}
    asked |= dict(requirement.split("==") for requirement in environment.pip)
    fixed = {name: version for name, version in asked.items() if version and name != "python"}
    assert fixed
    assert {
        name: (version, locked[name])
        for name, version in fixed.items()
        if not f"{locked[name]}.".startswith(f"{version}.")
    } == {}


def test_the_two_environments_with_pytorch_differ_only_in_its_build():
    default, gpu = ENVIRONMENTS["torch"], ENVIRONMENTS["torch-gpu"]
    conda = {**default.conda, "pytorch-gpu": ""}
    assert gpu == Environment(default.channels, conda, default.pip, default.hashes)


@pytest.mark.parametrize("name", ["torch", "torch-gpu"])
def test_what_pip_installs_has_the_hashes_of_the_lock(name):
    (wanted,) = ENVIRONMENTS[name].pip
    lock = (PROJECT / "envs/requirements.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(rf"^{re.escape(wanted)}((?: \\\n +--hash=\S+)+)$", lock, re.M)
    assert ENVIRONMENTS[name].hashes == re.findall(r"--hash=\S+", locked)

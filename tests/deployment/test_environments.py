"""The conda environments hold what the programs import, at the versions that are locked."""

import re

import pytest
from environments import (
    FILES,
    LAUNCHER,
    TORCH,
    Environment,
    faults_of_pin,
    programs_and_environments,
    read_environment,
)
from imports import MODULES, SCRIPTS, imports_of, module_name, packages_behind
from packaging.markers import Marker
from workflow_tools import PROJECT

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


def provided_by(environment: Environment) -> set[str]:
    names = set(environment.conda) - NOT_IMPORTED
    names |= {requirement.split("==")[0] for requirement in environment.pip}
    return {IMPORTED_AS.get(name, name) for name in names}


def needed_by(program: str) -> set[str]:
    # dataset.py alone calls the functions that read data sets and import what for.
    reads = program == "dataset"
    return packages_behind(imports_of(SCRIPTS / f"{program}.py"), when_called=reads)


@pytest.mark.parametrize(("program", "environment"), programs_and_environments())
def test_what_a_program_imports_is_in_its_environment(program, environment):
    assert needed_by(program) - provided_by(ENVIRONMENTS[environment]) == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_holds_nothing_that_no_program_imports(environment):
    programs = [program for program, name in programs_and_environments() if name == environment]
    needed = set().union(*(needed_by(program) for program in programs))
    assert provided_by(ENVIRONMENTS[environment]) - needed == set()


def test_only_the_reading_of_data_sets_imports_what_it_needs_when_it_is_called():
    late = {
        module_name(path)
        for path in MODULES
        if imports_of(path) - imports_of(path, when_called=False)
    }
    assert late == {"advprune.datasets", "advprune.dataset_sources"}


def test_what_the_workflow_imports_is_in_the_launchers_environment():
    text = (PROJECT / "rules/common.smk").read_text(encoding="utf-8")
    imported = {
        f"{package}.{name.strip()}"
        for package, names in re.findall(r"^from (advprune[\w.]*) import (.+)$", text, re.MULTILINE)
        for name in names.split(",")
    }
    modules = {module_name(path) for path in MODULES}
    used = {name if name in modules else name.rpartition(".")[0] for name in imported}
    assert {"advprune.plan", "advprune.config"} <= used
    missing = packages_behind(used, when_called=False) - provided_by(read_environment(LAUNCHER))
    assert missing == set()


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


@pytest.mark.parametrize("name", TORCH)
def test_what_pip_installs_has_the_hashes_of_the_lock(name):
    (wanted,) = ENVIRONMENTS[name].pip
    lock = (PROJECT / "envs/requirements.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(rf"^{re.escape(wanted)}((?: \\\n +--hash=\S+)+)$", lock, re.M)
    assert ENVIRONMENTS[name].hashes == re.findall(r"--hash=\S+", locked)


# Pins: no file here yet, so hand-made ones show what is refused.

ASKED = Environment(["conda-forge", "nodefaults"], {"python": "3.11", "numpy": "2.4"}, ["tool==1"])
PYTHON = f"https://a.host/conda-forge/linux-64/python-3.11.14-habc_0_cpython.conda#{'0' * 32}"
NUMPY = f"https://a.host/conda-forge/linux-64/numpy-2.4.6-py311h1_0.conda#{'1' * 32}"
INSTALLS = "python -m pip install tool==1\n"


def test_a_pin_of_all_that_is_asked_for_has_no_fault():
    pin = f"# a comment\n@EXPLICIT\n{PYTHON}\n{NUMPY}\n"
    assert faults_of_pin(pin, ASKED, INSTALLS) == []


@pytest.mark.parametrize(
    ("lines", "script", "fault"),
    [
        pytest.param([PYTHON, NUMPY], INSTALLS, "@EXPLICIT", id="no list of addresses"),
        pytest.param(
            ["@EXPLICIT", PYTHON], INSTALLS, "numpy is not pinned", id="a package missing"
        ),
        pytest.param(
            ["@EXPLICIT", PYTHON, NUMPY.replace("2.4.6", "2.40.0")],
            INSTALLS,
            "numpy is pinned to 2.40.0, not 2.4",
            id="another version",
        ),
        pytest.param(
            ["@EXPLICIT", PYTHON, NUMPY.replace("https://a.host", "file:///tmp")],
            INSTALLS,
            "file:///tmp/conda-forge",
            id="an address on one machine",
        ),
        pytest.param(
            ["@EXPLICIT", PYTHON, NUMPY.replace("conda-forge", "other")],
            INSTALLS,
            "other/linux-64/numpy",
            id="another channel",
        ),
        pytest.param(
            ["@EXPLICIT", PYTHON, NUMPY.partition("#")[0]], INSTALLS, "numpy", id="no checksum"
        ),
        pytest.param(["@EXPLICIT", PYTHON, NUMPY], "", "tool==1 is left out", id="pip's packages"),
    ],
)
def test_a_pin_is_refused(lines, script, fault):
    assert fault in " ".join(faults_of_pin("\n".join(lines), ASKED, script))


def test_every_pin_that_is_there_belongs_to_its_environment():
    faults = {}
    for path in sorted((PROJECT / "envs").glob("*.pin.txt")):
        name = path.name.removesuffix(".linux-64.pin.txt")
        script = path.with_name(f"{name}.post-deploy.sh")
        after = script.read_text() if script.exists() else ""
        faults[path.name] = faults_of_pin(path.read_text(), ENVIRONMENTS[name], after)
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_environment_whose_build_of_pytorch_conda_chooses_has_no_pin():
    assert not (PROJECT / "envs/torch.linux-64.pin.txt").exists()

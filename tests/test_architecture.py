"""Dependencies point one way: programs use the library, and the library knows of neither.

Read from the modules' import statements, those inside functions too.
"""

import graphlib
import subprocess
import sys

import pytest
from imports import MODULES, PROGRAMS, SCRIPTS, imports_of, module_name, top_level
from workflow_tools import PROJECT

# The workflow asks these for names and numbers before any job starts.
LIGHT = [
    *[
        "catalogue",
        "config",
        "datasets",
        "errors",
        "files",
        "labels",
        "leases",
        "plan",
        "protocols",
    ],
    *["pruning", "registry", "runs", "schema"],
]
HEAVY = ["matplotlib", "pandas", "scipy", "sklearn", "torch", "torchvision"]


def dependencies() -> dict[str, set[str]]:
    """Each module of the library and those of the library that it imports."""
    names = {module_name(path) for path in MODULES}
    found = {module_name(path): imports_of(path) & names for path in MODULES}
    # Every module of a package imports the package itself.
    return {name: needed - {name, "advprune"} for name, needed in found.items()}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_of_the_library_does_not_know_snakemake(path):
    assert "snakemake" not in top_level(imports_of(path))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_of_the_library_imports_no_program(path):
    programs = {program.stem for program in PROGRAMS}
    assert top_level(imports_of(path)) & programs <= sys.stdlib_module_names


@pytest.mark.parametrize("path", PROGRAMS, ids=module_name)
def test_a_program_imports_no_program_and_not_snakemake(path):
    others = {program.stem for program in PROGRAMS} | {"snakemake"}
    assert top_level(imports_of(path)) & others <= sys.stdlib_module_names


@pytest.mark.parametrize("path", PROGRAMS, ids=module_name)
def test_a_program_is_not_named_like_a_module_that_it_would_hide(path):
    assert path.stem not in sys.stdlib_module_names


def test_no_modules_import_each_other_in_a_circle():
    # Raises CycleError, which names the circle.
    assert list(graphlib.TopologicalSorter(dependencies()).static_order())


@pytest.mark.parametrize("name", LIGHT)
def test_what_the_workflow_asks_for_names_loads_nothing_heavy(name):
    program = f"import sys, advprune.{name}; print(*sorted(sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert top_level(set(ended.stdout.split())) & set(HEAVY) == set()


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=module_name)
def test_a_program_says_how_it_is_used(path):
    ended = subprocess.run(
        [sys.executable, path, "--help"], cwd=PROJECT, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout[:6]) == (0, "usage:")

"""Dependencies point one way: programs use the library, and the library knows of neither.

Read from the modules' import statements, those inside functions too.
"""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_tools import PROJECT

SCRIPTS = PROJECT / "workflow/scripts"
LIBRARY = SCRIPTS / "advprune"
PROGRAMS = sorted(SCRIPTS.glob("*.py"))
MODULES = sorted(LIBRARY.rglob("*.py"))
# The workflow asks these for names and numbers before any job starts.
LIGHT = [
    *["config", "datasets", "errors", "files", "labels", "leases", "plan", "protocols"],
    *["pruning", "registry", "runs", "schema"],
]
HEAVY = ["matplotlib", "pandas", "scipy", "sklearn", "torch", "torchvision"]


def module_name(path: Path) -> str:
    parts = path.relative_to(SCRIPTS).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """The full names of all that a module imports; of ``from a import b``, both a and a.b."""
    found = set()
    package = module_name(path).split(".")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{name.name}" for name in node.names)}
    return found


def dependencies() -> dict[str, set[str]]:
    """Each module of the library and those of the library that it imports."""
    names = {module_name(path) for path in MODULES}
    found = {module_name(path): imports_of(path) & names for path in MODULES}
    # Every module of a package imports the package itself.
    return {name: needed - {name, "advprune"} for name, needed in found.items()}


def top_level(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


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

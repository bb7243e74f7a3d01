"""Dependencies point one way: programs use the library, and the library knows of neither.

The layout is read off the disk and what imports what off the modules' text, inside functions too.
"""

import ast
import graphlib
import re
import subprocess
import sys

import pytest
from imports import LIBRARY, MODULES, PROGRAMS, SCRIPTS, imports_of, module_name, top_level

from advprune import FLOORS
from advprune.plan.exhibits import EXHIBITS

FOLDERS = {path.name for path in LIBRARY.iterdir() if any(path.glob("*.py"))}
NAMES = {module_name(path) for path in MODULES}
# The workflow asks these for names and numbers before any job starts.
LIGHT = [
    *sorted(name for name in NAMES if name.split(".")[1:2] in (["spec"], ["plan"])),
    *("advprune.machine.leases", "advprune.machine.packages", "advprune.storage.locking"),
    *("advprune.storage.files", "advprune.storage.records"),
]
HEAVY = {"matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch", "torchvision"}
# Half a second of CPU or more, of which not every table or figure is in need.
SLOW = {"scipy.stats", "seaborn", "sklearn", "torch"}
SAY_SLOW = f"print(*{SLOW} & set(sys.modules))"
# Prints of each module that it is given the packages that it loads beyond those before it.
LOAD = """
import importlib, sys
for name in sys.argv[1:]:
    before = set(sys.modules)
    importlib.import_module(name)
    print(name, *{loaded.split(".")[0] for loaded in set(sys.modules) - before})
"""


def folder_of(name: str) -> str | None:
    """The folder of the library that a name is in, or None for what is beside the folders."""
    parts = name.split(".")
    return parts[1] if parts[0] == "advprune" and parts[1:] and parts[1] in FOLDERS else None


def folders_used_by(path) -> set[str]:
    return {folder_of(name) for name in imports_of(path)} - {None}


def test_every_folder_has_its_floor_and_every_floor_is_a_folder():
    assert sorted(FLOORS) == sorted(FOLDERS)


@pytest.mark.parametrize("folder", FLOORS)
def test_a_folder_says_in_a_sentence_what_it_is(folder):
    tree = ast.parse((LIBRARY / folder / "__init__.py").read_text(encoding="utf-8"))
    assert re.fullmatch(r"[A-Z][^\n]{20,}\.", ast.get_docstring(tree) or "")
    assert len(tree.body) == 1 or folder == "figures"  # which sets Matplotlib up before its import


@pytest.mark.parametrize("floor", FLOORS)
def test_a_folder_imports_only_from_itself_and_from_those_above_it(floor):
    allowed = set(FLOORS[: FLOORS.index(floor) + 1])
    used = {
        module_name(path): folders_used_by(path) - allowed
        for path in MODULES
        if folder_of(module_name(path)) == floor
    }
    assert {name: folders for name, folders in used.items() if folders} == {}


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.py")), ids=module_name)
def test_a_module_beside_the_folders_imports_from_none_of_them(path):
    assert folders_used_by(path) == set()


def test_evaluation_does_not_import_training():
    used = {path: folders_used_by(path) for path in (LIBRARY / "evaluation").glob("*.py")}
    assert [path for path, folders in used.items() if "training" in folders] == []


def test_the_library_knows_neither_snakemake_nor_the_programs():
    unknown = {"snakemake", *(path.stem for path in PROGRAMS)} - sys.stdlib_module_names
    known = {module_name(path): top_level(imports_of(path)) & unknown for path in MODULES}
    assert {name: found for name, found in known.items() if found} == {}


def test_a_program_imports_no_program_and_not_snakemake():
    others = {"snakemake", *(path.stem for path in PROGRAMS)}
    known = {path.name: top_level(imports_of(path)) & others for path in PROGRAMS}
    assert {name: found for name, found in known.items() if found} == {}


def test_no_program_is_named_like_a_module_that_it_would_hide():
    assert [path.name for path in PROGRAMS if path.stem in sys.stdlib_module_names] == []


def test_no_modules_import_each_other_in_a_circle():
    found = {module_name(path): imports_of(path) & NAMES for path in MODULES}
    # Every module of a package imports the package itself.
    packages = {"advprune", *(f"advprune.{folder}" for folder in FOLDERS)}
    needed = {name: imported - {name} - packages for name, imported in found.items()}
    # Raises CycleError, which names the circle.
    assert list(graphlib.TopologicalSorter(needed).static_order())


def test_what_the_workflow_asks_for_names_loads_nothing_heavy():
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, *LIGHT], cwd=SCRIPTS, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    loaded = {name: set(packages) for name, *packages in map(str.split, ended.stdout.splitlines())}
    assert sorted(loaded) == sorted(LIGHT)
    assert {name: found & HEAVY for name, found in loaded.items() if found & HEAVY} == {}


def test_a_table_or_figure_loads_nothing_slow_that_it_may_not_need():
    # Each is a job of its own: what they load is most of their time at a small scale.
    modules = {exhibit.code.partition(":")[0] for exhibit in EXHIBITS.values() if not exhibit.torch}
    # They need it: swarms are seaborn's, tests and simulations SciPy's.
    modules -= {"advprune.figures.distribution", "advprune.tables.comparisons"}
    modules -= {"advprune.tables.error_rates"}
    code = f"import importlib, sys; [*map(importlib.import_module, sys.argv[1:])]; {SAY_SLOW}"
    ended = subprocess.run(
        [sys.executable, "-c", code, *modules], cwd=SCRIPTS, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout.split()) == (0, []), ended.stderr

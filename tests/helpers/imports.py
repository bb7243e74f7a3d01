"""What the project's programs and modules import, read from their text."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow_tools import PROJECT

SCRIPTS = PROJECT / "workflow/scripts"
LIBRARY = SCRIPTS / "advprune"
PROGRAMS = sorted(SCRIPTS.glob("*.py"))
MODULES = sorted(LIBRARY.rglob("*.py"))


def module_name(path: Path) -> str:
    """The name under which a file in workflow/scripts is imported."""
    parts = path.relative_to(SCRIPTS).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports_of(path: Path, when_called: bool = True) -> set[str]:
    """The full names of all that a module imports; of ``from a import b``, both a and a.b.

    Args:
        path: the module's file.
        when_called: whether imports inside functions count.
    """
    found = set()
    package = module_name(path).split(".")
    for node in _statements(ast.parse(path.read_text(encoding="utf-8")), when_called):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{name.name}" for name in node.names)}
    return found


def _statements(node: ast.AST, when_called: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if when_called or not isinstance(child, ast.FunctionDef):
            yield child
            yield from _statements(child, when_called)


def top_level(names: set[str]) -> set[str]:
    """The packages that these names are in."""
    return {name.split(".")[0] for name in names}


def packages_behind(imported: set[str], found_by_name: Mapping[str, set[str]]) -> set[str]:
    """The third parties' packages that these names need, through the library's modules too.

    Args:
        imported: full names.
        found_by_name: modules that find others by names in a registry, and these others.
    """
    modules = {module_name(path): path for path in MODULES}
    known, new = set(), imported
    while new:
        known |= new
        needed = [imports_of(modules[name]) for name in new if name in modules]
        new = set().union(*needed, *(found_by_name.get(name, ()) for name in new)) - known
    return top_level(known) - set(sys.stdlib_module_names) - {"advprune"}

"""Where a result comes from: versions, source, device and time, recorded beside it."""

import ast
import datetime
import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from advprune.paths import PROGRAMS, PROJECT
from advprune.storage.files import canonical_json

# From the widest to the narrowest, by the names of `torch.cpu.get_capabilities`.
ONEDNN_INSTRUCTIONS = ("amx_tile", "avx512_fp16", "avx512_bf16", "avx512_vnni", "avx512_f", "avx2")
PACKAGES = ("torch", "numpy", "pyautoattack", "safetensors")
LIBRARY = PROGRAMS / "advprune"
SOURCES = ("Snakefile", "rules", "workflow", "config")  # a new file there may change a result


def provenance(made_by: Mapping[str, Any], started: datetime.datetime) -> dict[str, Any]:
    """The versions, source, device and times of the program that calls this.

    Args:
        made_by: its `environment`, taken before its work: files may be edited while it runs.
        started: when the work was begun.

    No host name and no absolute path is in it, so it can be published.
    """
    commit, dirty = _git_state()
    return {
        "python": platform.python_version(),
        "commit": commit,
        "uncommitted_changes": dirty,
        **made_by,
        "started": started.isoformat(timespec="seconds"),
        "ended": now().isoformat(timespec="seconds"),
    }


def environment(device: torch.device, program: str) -> dict[str, Any]:
    """What decides the last bits of a result, besides its specification and what it is made from.

    Work that was interrupted goes on under the same one alone: what is recorded is then true of
    all of it.

    Args:
        device: where the work is done.
        program: the path of the program that does it, its ``__file__``.
    """
    return {
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "source": source_digest(Path(program)),
        "device": device_name(device),
        "processor": processor() if device.type == "cpu" else None,
        "threads": torch.get_num_threads(),
    }


def now() -> datetime.datetime:
    """The time, with its zone: UTC."""
    return datetime.datetime.now(datetime.UTC)


def device_name(device: torch.device) -> str:
    """``"cpu"`` with the processor's architecture, or the GPU's name."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}: {platform.machine()}"


def processor() -> str:
    """The processor's name, and the widest instructions that PyTorch and oneDNN use on it.

    Rounding depends on them, and decides how single runs end: of 31 seeds of one cell on MNIST,
    5 collapsed with AVX2 and not with AVX-512 or the other way round, at like means.
    """
    can = torch.cpu.get_capabilities()
    widest = next((name for name in ONEDNN_INSTRUCTIONS if can.get(name)), "none of those known")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    onednn = widest if limit in ("DEFAULT", "ALL") else f"at most {limit}"
    pytorch = torch.backends.cpu.get_cpu_capability()
    return f"{can.get('cpu_name', platform.machine())}; PyTorch: {pytorch}, oneDNN: {onednn}"


def source_digest(program: Path) -> str:
    """SHA-256 of the code behind a program, without comments, layout and docstrings.

    That is the program's own, and all of every folder that it stands on (`advprune.FLOORS`), found
    by its imports. So a result carries the hash of what made it, and of nothing else: training's
    changes with the attacks, and not with a figure.
    """
    total = hashlib.sha256()
    for path in sorted(_code_behind(program)):
        tree = _parsed(path)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_docstring(body[0]):
                del body[0]
        total.update(path.relative_to(PROGRAMS).as_posix().encode())
        total.update(canonical_json(_plain(tree)).encode())
    return total.hexdigest()


def _code_behind(program: Path) -> set[Path]:
    found: set[Path] = set()
    to_read = {program.absolute()}
    while to_read:
        path = to_read.pop()
        found.add(path)
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("advprune."):
                place = LIBRARY / node.module.split(".")[1]
                there = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
                to_read |= {*there} - found
    return found


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _plain(part: Any) -> Any:
    """A syntax tree as lists and text, less what is empty: Pythons differ in the empty alone."""
    if isinstance(part, ast.JoinedStr):  # some end a nested format with an empty text
        part.values = [each for each in part.values if getattr(each, "value", None) != ""]
    if isinstance(part, ast.AST):
        fields = [[name, value] for name, value in ast.iter_fields(part) if value not in (None, [])]
        return [type(part).__name__, *_plain(fields)]
    return [_plain(each) for each in part] if isinstance(part, list) else repr(part)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _git_state() -> tuple[str | None, bool | None]:
    """The commit checked out and whether files differ from it; None where the project has none.

    The project's own: a checkout without a repository may lie in somebody else's.
    """
    # GIT_DIR and its like, as hooks and shells for dotfiles set them, name another repository.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def ask(*command: str) -> str:
        answer = subprocess.run(
            ["git", *command],
            cwd=PROJECT,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout.strip()

    try:
        if Path(ask("rev-parse", "--show-toplevel")).resolve() != PROJECT.resolve():
            return None, None
        commit = ask("rev-parse", "HEAD")
        changed = ask("status", "--porcelain", "--untracked-files=no")
        # By the project's .gitignore alone: a module that a user's own hides is run all the same.
        added = ask("ls-files", "--others", "--exclude-per-directory=.gitignore", "--", *SOURCES)
        return commit, bool(changed or added)
    except (OSError, subprocess.CalledProcessError):
        return None, None

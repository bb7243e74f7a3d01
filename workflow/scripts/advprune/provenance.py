"""Where a result comes from: versions, source, device and time, recorded beside it."""

import ast
import datetime
import hashlib
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from advprune.files import canonical_json

PACKAGES = ("torch", "numpy", "pyautoattack", "safetensors")
LIBRARY = Path(__file__).parent


def provenance(made_by: Mapping[str, Any], started: datetime.datetime) -> dict[str, Any]:
    """The versions, source, device and times of the program that calls this.

    Args:
        made_by: its `circumstances`, taken before its work: files may be edited while it runs.
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


def circumstances(device: torch.device) -> dict[str, Any]:
    """What decides the last bits of a result, besides its specification and what it is made from.

    Work that was interrupted goes on under the same ones alone: what is recorded is then true of
    all of it.
    """
    return {
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "source": source_digest(),
        "device": device_name(device),
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


def source_digest() -> str:
    """SHA-256 of what the library does: of its code without comments, layout and docstrings."""
    total = hashlib.sha256()
    for path in sorted(LIBRARY.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_docstring(body[0]):
                del body[0]
        total.update(path.relative_to(LIBRARY).as_posix().encode())
        total.update(canonical_json(_plain(tree)).encode())
    return total.hexdigest()


def _plain(part: Any) -> Any:
    """A syntax tree as lists and text, less what is empty: Pythons differ in the empty alone."""
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
    """The commit checked out and whether files differ from it; None where there is no git."""

    def ask(*command: str) -> str:
        answer = subprocess.run(
            ["git", *command], cwd=LIBRARY, capture_output=True, text=True, check=True
        )
        return answer.stdout.strip()

    try:
        return ask("rev-parse", "HEAD"), bool(ask("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None

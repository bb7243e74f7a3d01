"""Where a result comes from, recorded so that it can be published."""

import json
import platform
import shutil
import socket
import subprocess
import sys
from importlib import metadata

import pytest
import torch
from workflow_tools import PROJECT

from advprune.machine import provenance as module
from advprune.machine.provenance import circumstances, device_name, now, provenance, source_digest

CPU = torch.device("cpu")


def test_a_record_says_what_made_the_result():
    assert set(provenance(circumstances(CPU), now())) == {
        *("python", "packages", "source", "commit", "uncommitted_changes"),
        *("device", "threads", "started", "ended"),
    }


@pytest.mark.parametrize("name", module.PACKAGES)
def test_a_record_has_the_version_of_a_package_that_makes_results(name):
    assert provenance(circumstances(CPU), now())["packages"][name] == metadata.version(name)


def test_circumstances_are_what_decides_numbers_and_no_time_or_commit():
    assert set(circumstances(CPU)) == {"packages", "source", "device", "threads"}


def test_a_record_names_neither_the_machine_nor_a_place_on_it(monkeypatch):
    for function in (platform.node, socket.gethostname):
        owner = sys.modules[function.__module__]
        if hasattr(owner, function.__name__):
            monkeypatch.setattr(owner, function.__name__, lambda: "a-secret-host")
    monkeypatch.setattr(socket, "gethostname", lambda: "a-secret-host")
    text = json.dumps(provenance(circumstances(CPU), now()))
    told = [word for word in ("a-secret-host", str(PROJECT), '"/') if word in text]
    assert told == []


def test_times_have_their_zone():
    started = now()
    record = provenance(circumstances(CPU), started)
    assert record["started"] == started.isoformat(timespec="seconds")
    assert record["ended"].endswith("+00:00")


def test_the_processor_is_named_by_its_architecture():
    assert device_name(CPU) == f"cpu: {platform.machine()}"


# The digest of the source.


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of one module, whose text can be changed."""
    monkeypatch.setattr(module, "LIBRARY", tmp_path)
    (tmp_path / "a.py").write_text('"""Says something."""\n\n\ndef f(x):\n    return x + 1\n')
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            '"""Says more."""\n\n\ndef f(x):\n    return x + 1\n', id="docstring of module"
        ),
        pytest.param(
            'def f(x):\n    """Adds one."""\n    return x + 1\n', id="docstring of function"
        ),
        pytest.param("def f(x):\n    return x + 1  # adds one\n", id="comment"),
        pytest.param("def f(\n    x,\n):\n\n    return (x + 1)\n", id="layout"),
    ],
)
def test_the_digest_does_not_change_with_what_has_no_effect(library, text):
    before = source_digest()
    (library / "a.py").write_text(text)
    assert source_digest() == before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("def f(x):\n    return x + 2\n", id="number"),
        pytest.param('def f(x):\n    "..."\n    return "x" + 1\n', id="string"),
        pytest.param("def g(x):\n    return x + 1\n", id="name"),
    ],
)
def test_the_digest_changes_with_the_code(library, text):
    before = source_digest()
    (library / "a.py").write_text(text)
    assert source_digest() != before


def test_the_digest_is_the_same_under_every_version_of_python(library):
    (library / "a.py").write_text(
        "class A:\n    def f(self, *, x=None) -> int:\n        return f'{x!r:>{3}} a' 'b' or []\n"
    )
    assert source_digest()[:12] == "99a92ead3950"


def test_the_digest_changes_with_a_modules_name(library):
    before = source_digest()
    (library / "a.py").rename(library / "b.py")
    assert source_digest() != before


# The commit.


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("dirty", [False, True], ids=["as committed", "changed since"])
def test_the_commit_is_recorded_with_whether_files_differ_from_it(library, dirty):
    def git(*command):
        identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        ended = subprocess.run(
            ["git", *identity, *command], cwd=library, check=True, capture_output=True, text=True
        )
        return ended.stdout.strip()

    git("init", "--quiet")
    git("add", "a.py")
    git("commit", "--quiet", "--message", "first")
    if dirty:
        (library / "a.py").write_text("x = 1\n")
    record = provenance(circumstances(CPU), now())
    assert (record["commit"], record["uncommitted_changes"]) == (git("rev-parse", "HEAD"), dirty)


def test_without_a_repository_there_is_no_commit(library, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(library.parent))
    record = provenance(circumstances(CPU), now())
    assert (record["commit"], record["uncommitted_changes"]) == (None, None)


def test_without_git_there_is_no_commit(library, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance(circumstances(CPU), now())["commit"] is None

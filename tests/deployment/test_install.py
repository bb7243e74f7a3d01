"""`make` installs into .venv, whatever pip and Python are told elsewhere to do."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from workflow_tools import PROJECT

BASE = Path(sys._base_executable)
HAS_PIP = subprocess.run([BASE, "-m", "pip", "--version"], capture_output=True).returncode == 0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_PIP, reason="this Python has no pip"),
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]


def wheel(folder, name):
    """A package of one module; its line in a lock."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def checkout(tmp_path):
    """The Makefile with a lock of one small package, and a folder that has it."""
    folder = tmp_path / "checkout"
    (folder / "envs").mkdir(parents=True)
    shutil.copy(PROJECT / "Makefile", folder)
    if (PROJECT / "envs/install.py").exists():
        shutil.copy(PROJECT / "envs/install.py", folder / "envs")
    (folder / "envs/requirements.lock").write_text(wheel(tmp_path / "wheels", "smallest"))
    return folder


def make(checkout, *, python=BASE, pip_conf="", **variables):
    """Run `make .venv/installed` where packages come from that folder alone."""
    home = checkout.parent / "home"
    (home / ".config/pip").mkdir(parents=True, exist_ok=True)
    (home / ".config/pip/pip.conf").write_text(pip_conf)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        ["make", ".venv/installed", f"PYTHON={python}"],
        cwd=checkout,
        env=kept | {"HOME": str(home)} | variables,
        capture_output=True,
        text=True,
    )


def installed(checkout):
    return [path.name for path in checkout.glob(".venv/lib/python3.*/site-packages/smallest.py")]


FOUND = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "../wheels"}


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"PIP_USER": "1"}, id="the user's packages"),
        pytest.param({"PIP_TARGET": "elsewhere"}, id="a folder"),
        pytest.param({"PIP_PREFIX": "elsewhere"}, id="a prefix"),
        pytest.param({"PIP_ROOT": "elsewhere"}, id="a root"),
        pytest.param({"PIP_DRY_RUN": "1"}, id="nothing in earnest"),
        pytest.param({"PIP_REQUIRE_VIRTUALENV": "1"}, id="only into an environment"),
        pytest.param({"PIP_CONSTRAINT": "nowhere.txt"}, id="other versions"),
        pytest.param({"PIP_NO_BINARY": ":all:"}, id="no wheels"),
        pytest.param({"PYTHONPATH": "../elsewhere"}, id="modules from elsewhere"),
        pytest.param({"PYTHONHOME": "/nowhere"}, id="no Python"),
        pytest.param({"PYTHONSAFEPATH": "1"}, id="no modules beside a program"),
    ],
)
def test_packages_go_into_the_environment_whatever_variables_say(checkout, tmp_path, variables):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/pip.py").write_text("raise RuntimeError")
    ended = make(checkout, **FOUND, **variables)
    assert (ended.returncode, installed(checkout)) == (0, ["smallest.py"]), ended.stderr


SOURCE = "[global]\nno-index = true\nfind-links = ../wheels\n"


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        pytest.param("[install]\nuser = true\n", FOUND, id="the user's packages"),
        pytest.param("[global]\ntarget = elsewhere\n", FOUND, id="a folder"),
        pytest.param(f"{SOURCE}[install]\nuser = true\n", {}, id="and where they come from"),
        pytest.param(
            "[global]\nno-index = true\n[install]\nfind-links =\n    nowhere\n    ../wheels\n",
            {},
            id="two places",
        ),
        pytest.param(
            "[global]\nno-index = true\nfind-links = nowhere\n",
            {"PIP_FIND_LINKS": "../wheels"},
            id="a variable over a file",
        ),
    ],
)
def test_of_pips_files_it_keeps_where_packages_come_from(checkout, settings, variables):
    ended = make(checkout, pip_conf=settings, **variables)
    assert (ended.returncode, installed(checkout)) == (0, ["smallest.py"]), ended.stderr


def test_a_package_that_cannot_be_had_leaves_no_environment_that_counts(checkout):
    ended = make(checkout, PIP_NO_INDEX="1")
    assert ended.returncode != 0
    assert "smallest" in ended.stderr
    assert not (checkout / ".venv/installed").exists()


def test_settings_that_pip_cannot_read_are_named(checkout):
    ended = make(checkout, pip_conf="no section\n", **FOUND)
    assert ended.returncode != 0
    assert "error: pip cannot read its settings" in ended.stderr
    assert ".config/pip/pip.conf" in ended.stderr


@pytest.mark.parametrize(
    ("pip", "told"),
    [
        pytest.param(
            "print('pip 20.0.2 from /usr/lib (python 3.11)')",
            "error: pip 20.0.2 of {python} is older than 22.3: update it ({python} -m pip",
            id="old",
        ),
        pytest.param(None, "error: {python} has no pip that works", id="none"),
        pytest.param("import nothing_there", "no pip that works (ModuleNotFound", id="broken"),
    ],
)
def test_a_pip_that_cannot_do_it_is_told_in_a_sentence(checkout, tmp_path, pip, told):
    subprocess.run([BASE, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    python = tmp_path / "other/bin/python"
    if pip:
        (packages,) = tmp_path.glob("other/lib/python3.*/site-packages")
        (packages / "pip").mkdir()
        (packages / "pip/__init__.py").touch()
        (packages / "pip/__main__.py").write_text(pip)
    ended = make(checkout, python=python, **FOUND)
    assert ended.returncode != 0
    assert told.format(python=python) in ended.stderr
    assert "Traceback" not in ended.stderr

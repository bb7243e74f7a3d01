"""Where a result comes from, recorded so that it can be published."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from importlib import metadata

import pytest
import torch
from builders import training_spec, write_dataset
from workflow_tools import PROJECT, copy_project, run_program

from advprune.machine import provenance as module
from advprune.machine.provenance import environment, now, provenance, source_digest

CPU = torch.device("cpu")
TRAIN = PROJECT / "workflow/scripts/train.py"


def test_a_record_says_what_made_the_result():
    record = provenance(environment(CPU, TRAIN), now())
    assert record.keys() == {
        *("python", "packages", "source", "commit", "uncommitted_changes"),
        *("device", "processor", "threads", "started", "ended"),
    }
    assert record["packages"] == {name: metadata.version(name) for name in module.PACKAGES}
    assert record["device"] == f"cpu: {platform.machine()}"


def test_the_environment_is_what_decides_numbers_and_no_time_or_commit():
    found = environment(CPU, TRAIN)
    assert found.keys() == {"packages", "source", "device", "processor", "threads"}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param(None, "oneDNN: avx512_f", id="the widest that there is"),
        pytest.param("AVX2", "oneDNN: at most AVX2", id="limited by the environment"),
    ],
)
def test_the_processor_is_named_with_the_instructions_that_decide_its_rounding(
    monkeypatch, limit, expected
):
    can = {"cpu_name": "Some Xeon", "avx2": True, "avx512_f": True, "amx_tile": False}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: can)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX512")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert module.processor() == f"Some Xeon; PyTorch: AVX512, {expected}"


def test_a_record_names_neither_the_machine_nor_a_place_on_it(monkeypatch):
    for function in (platform.node, socket.gethostname):
        owner = sys.modules[function.__module__]
        if hasattr(owner, function.__name__):
            monkeypatch.setattr(owner, function.__name__, lambda: "a-secret-host")
    monkeypatch.setattr(socket, "gethostname", lambda: "a-secret-host")
    text = json.dumps(provenance(environment(CPU, TRAIN), now()))
    told = [word for word in ("a-secret-host", str(PROJECT), '"/') if word in text]
    assert told == []


def test_times_have_their_zone():
    started = now()
    record = provenance(environment(CPU, TRAIN), started)
    assert record["started"] == started.isoformat(timespec="seconds")
    assert record["ended"].endswith("+00:00")


# The hash of the source.


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A folder of programs and library in the place of workflow/scripts."""
    folder = tmp_path / "scripts"
    monkeypatch.setattr(module, "PROGRAMS", folder)
    monkeypatch.setattr(module, "LIBRARY", folder / "advprune")
    return folder


@pytest.fixture
def hash_with(scripts):
    """The hash of a program that stands on one module, by that module's text and name."""
    floor = scripts / "advprune/floor"
    floor.mkdir(parents=True)
    (scripts / "program.py").write_text("from advprune.floor.a import f\n\nf(1)\n")

    def hash_with(text, name="a.py"):
        (floor / name).write_text(text)
        found = source_digest(scripts / "program.py")
        (floor / name).unlink()
        return found

    return hash_with


SOURCE = '"""Says something."""\n\n\ndef f(x):\n    return x + 1\n'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SOURCE.replace("something", "more"), id="docstring of module"),
        pytest.param(
            'def f(x):\n    """Adds one."""\n    return x + 1\n', id="docstring of function"
        ),
        pytest.param(SOURCE.replace("+ 1", "+ 1  # adds one"), id="comment"),
        pytest.param("def f(\n    x,\n):\n\n    return (x + 1)\n", id="layout"),
    ],
)
def test_the_hash_does_not_change_with_what_has_no_effect(hash_with, text):
    assert hash_with(text) == hash_with(SOURCE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SOURCE.replace("+ 1", "+ 2"), id="number"),
        pytest.param('def f(x):\n    "..."\n    return "x" + 1\n', id="string"),
        pytest.param(SOURCE.replace("f(x)", "g(x)"), id="name"),
    ],
)
def test_the_hash_changes_with_the_code(hash_with, text):
    assert hash_with(text) != hash_with(SOURCE)


def test_the_hash_changes_with_a_modules_name(hash_with):
    assert hash_with(SOURCE, "b.py") != hash_with(SOURCE)


def test_the_hash_is_the_same_under_every_version_of_python(hash_with):
    found = hash_with(
        "class A:\n    def f(self, *, x=None) -> int:\n        return f'{x!r:>{3}} a' 'b' or []\n"
    )
    assert found[:12] == "1c9a440983f0"


# The hash of what, in the real library.


@pytest.fixture
def real_scripts(scripts):
    """A copy of workflow/scripts, to be edited."""
    return shutil.copytree(
        PROJECT / "workflow/scripts", scripts, ignore=shutil.ignore_patterns("__pycache__")
    )


def edit(path):
    """Change what a module does, or make a new one."""
    with open(path, "a") as file:
        file.write("\nEDITED = True\n")


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        pytest.param("advprune/figures/style.py", set(), id="how figures look"),
        pytest.param("advprune/report/page.py", set(), id="the report"),
        pytest.param("advprune/training/attacks.py", {"train"}, id="the attack trained against"),
        pytest.param("advprune/evaluation/autoattack.py", {"evaluate"}, id="AutoAttack"),
        pytest.param("advprune/networks/architectures.py", {"train", "evaluate"}, id="a network"),
        pytest.param("advprune/paths.py", {"train", "evaluate"}, id="a module beside the folders"),
        pytest.param("advprune/training/new.py", {"train"}, id="a new module of training"),
        pytest.param("train.py", {"train"}, id="the program itself"),
        pytest.param("evaluate_weights.py", set(), id="another program"),
    ],
)
def test_a_result_carries_the_hash_of_what_made_it_and_of_nothing_else(
    real_scripts, edited, changed
):
    programs = [real_scripts / f"{name}.py" for name in ("train", "evaluate")]
    before = {program: source_digest(program) for program in programs}
    edit(real_scripts / edited)
    assert {path.stem for path in programs if source_digest(path) != before[path]} == changed


RUN = "runs/mnist/full/p1.0/e1/seed000"


def train(project):
    options = {"spec": json.dumps(training_spec().to_dict()), "seeds": "0", "device": "cpu"}
    options |= {"dataset": "data.safetensors", "runs": "runs", "block": "block.json"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return run_program("train", *words, cwd=project)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A copy of the project in which a network was trained."""
    project = copy_project(tmp_path_factory.mktemp("trained") / "project")
    write_dataset(project / "data.safetensors")
    ended = train(project)
    assert ended.status == 0, ended.printed
    return project


def test_a_trained_network_is_recorded_with_the_hash_of_the_code_that_trained_it(trained):
    recorded = json.loads((trained / RUN / "run.json").read_text())["provenance"]["source"]
    assert recorded == source_digest(TRAIN)


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        pytest.param("figures/style.py", "going on after epoch 3", id="a figure: goes on"),
        pytest.param("training/attacks.py", "made by other code", id="the attack: starts anew"),
    ],
)
def test_an_interrupted_training_is_gone_on_with_unless_what_it_stands_on_was_edited(
    trained, tmp_path, edited, told
):
    project = shutil.copytree(trained, tmp_path / "project")
    (project / RUN / "run.json").unlink()  # as if it had been killed after its last epoch
    edit(project / "workflow/scripts/advprune" / edited)
    assert told in train(project).printed


# The commit.


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder in the place of the project."""
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    return tmp_path


def git(folder, *command):
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ended = subprocess.run(
        ["git", *identity, *command],
        cwd=folder,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.strip()


def commit_all(folder):
    """Make a repository of a folder; its commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@needs_git
@pytest.mark.parametrize(
    ("written", "changed"),
    [
        pytest.param(None, False, id="as committed"),
        pytest.param("workflow/scripts/a.py", True, id="a program edited"),
        pytest.param("docs/a.md", True, id="a page edited"),
        pytest.param("workflow/scripts/advprune/new.py", True, id="a new module"),
        pytest.param("workflow/scripts/advprune/private.py", True, id="one that the user ignores"),
        pytest.param("rules/new.smk", True, id="new rules"),
        pytest.param("config/new.yaml", True, id="a new config"),
        pytest.param("workflow/scripts/__pycache__/a.pyc", False, id="what Python left"),
        pytest.param("results/smoke/runs.csv", False, id="results"),
        pytest.param("notes.txt", False, id="a new file elsewhere"),
    ],
)
def test_the_commit_is_recorded_with_whether_files_differ_from_it(project, written, changed):
    for name in ("workflow/scripts/a.py", "docs/a.md"):
        (project / name).parent.mkdir(parents=True)
        (project / name).touch()
    (project / ".gitignore").write_text("__pycache__/\n/results/\n")
    commit = commit_all(project)
    (project / ".git/info/exclude").write_text("private.py\n")
    if written:
        (project / written).parent.mkdir(parents=True, exist_ok=True)
        (project / written).write_text("x = 1\n")
    record = provenance({}, now())
    assert (record["commit"], record["uncommitted_changes"]) == (commit, changed)


@needs_git
def test_a_checkout_without_a_repository_inside_another_one_has_no_commit(tmp_path, monkeypatch):
    commit_all(tmp_path)
    (tmp_path / "project").mkdir()
    monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    record = provenance({}, now())
    assert (record["commit"], record["uncommitted_changes"]) == (None, None)


@needs_git
def test_a_project_that_is_reached_by_a_link_has_its_commit(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    commit = commit_all(tmp_path / "there")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    monkeypatch.setattr(module, "PROJECT", tmp_path / "link")
    assert provenance({}, now())["commit"] == commit


@needs_git
@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_the_environment_of_another_repository_changes_nothing(project, monkeypatch, variable):
    (project / "a.py").touch()
    commit = commit_all(project)
    other = project / "results/other"
    other.mkdir(parents=True)
    commit_all(other)
    place = {"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": ".git/index"}[variable]
    monkeypatch.setenv(variable, str(other / place))
    record = provenance({}, now())
    assert (record["commit"], record["uncommitted_changes"]) == (commit, False)


def test_without_a_repository_there_is_no_commit(project):
    record = provenance({}, now())
    assert (record["commit"], record["uncommitted_changes"]) == (None, None)


def test_without_git_there_is_no_commit(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance({}, now())["commit"] is None

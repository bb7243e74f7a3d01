"""Set up before any test."""

import collections
import functools
import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from pretended_device import register
from pretended_gpus import A, B, line_of, pretend_gpus
from side_by_side import WholeFiles, place_of
from tiny_workflow import COMMAND, TARGETS, TINY
from workflow_tools import BRIEFLY, SMOKE, copy_project, make_conda_environments, run_snakemake

import advprune.figures  # noqa: F401, sets Matplotlib up before any test imports it

register()  # PyTorch's autograd counts the devices once, when it is first used
torch.set_num_threads(1)  # tests run side by side do not slow each other

# The same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_collection_modifyitems(config, items):
    """Where processes share the tests, begin with those that take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share them between processes by what they have in common."""
    return WholeFiles(config, log)


def pytest_deselected(items):
    """Count what is left out, by its file."""
    left_out = items[0].config.stash.setdefault(LEFT_OUT, {})
    left_out.update(collections.Counter(item.nodeid.partition("::")[0] for item in items))


def pytest_sessionfinish(session):
    """Hand the counts to the process that reports, where there are several."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take them from a process that has ended: all count the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", {})


def pytest_terminal_summary(terminalreporter, config):
    """Say what `make test` leaves out, and how to run it."""
    left_out = config.stash.get(LEFT_OUT, {})
    if left_out and config.option.markexpr == "not slow":
        terminalreporter.section(f"left out: {sum(left_out.values())} tests that take long")
        for path, number in sorted(left_out.items()):
            terminalreporter.write_line(f"{number:4} of {path}")
        terminalreporter.write_line("make test-all runs them too")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The copy of the project in which the workflow has run at the smoke scale, and its end."""
    project = copy_project(tmp_path_factory.mktemp("smoke") / "project")
    return project, run_snakemake(*BRIEFLY, *SMOKE, cwd=project)


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """A copy of the project without results, for tests that only look."""
    return copy_project(tmp_path_factory.mktemp("untouched") / "project")


@pytest.fixture(scope="session")
def dry_runs(untouched):
    """Dry-runs scales, each once."""

    @functools.cache
    def dry_run(*configs):
        overlays = [f"config/{name}.yaml" for name in configs]
        return run_snakemake("-n", "--cores", "2", "--configfile", *overlays, cwd=untouched)

    return dry_run


@pytest.fixture(scope="session")
def conda_environments(tmp_path_factory):
    """The environments of all rules, once a checkout: environment file to the folder it is in."""
    return make_conda_environments(tmp_path_factory.mktemp("conda") / "project")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """Makes copies of the project with the tiny scale and its data sets, and no results."""
    first = copy_project(tmp_path_factory.mktemp("fresh") / "project")
    (first / "config/tiny.yaml").write_text(TINY)
    datasets = [f"results/datasets/{name}.safetensors" for name in ("mnist5k", "shapes10")]
    ended = run_snakemake(*COMMAND, "--", *datasets, cwd=first)
    assert ended.status == 0, ended.printed

    def copy(folder):
        return Path(shutil.copytree(first, folder / "project"))

    return copy


@pytest.fixture(scope="session")
def uninterrupted(fresh, tmp_path_factory):
    """A copy of the project in which the tiny scale was made without interruption."""
    project = fresh(tmp_path_factory.mktemp("uninterrupted"))
    ended = run_snakemake(*COMMAND, "--", *TARGETS, cwd=project)
    assert ended.status == 0, ended.printed[-3000:]
    return project


@pytest.fixture
def restored_determinism():
    """Puts PyTorch's switches back, which a run sets for its whole process."""
    benchmark = torch.backends.cudnn.benchmark
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = benchmark
    if workspace is None:
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine on which nvidia-smi lists two GPUs."""
    monkeypatch.setenv("PATH", pretend_gpus(tmp_path / "bin", line_of(A), line_of(B)))
    monkeypatch.setenv("ADVPRUNE_LEASES", str(tmp_path / "leases"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

"""Set up before any test."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from pretended_device import register
from tiny_workflow import COMMAND, TARGETS, TINY
from workflow_tools import BRIEFLY, SMOKE, copy_project, make_conda_environments, run_snakemake

import advprune.figures  # noqa: F401, sets Matplotlib up before any test imports it

register()  # PyTorch's autograd counts the devices once, when it is first used
torch.set_num_threads(1)  # tests run side by side do not slow each other

# The same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The copy of the project in which the workflow has run at the smoke scale, and its end."""
    project = copy_project(tmp_path_factory.mktemp("smoke") / "project")
    return project, run_snakemake(*BRIEFLY, *SMOKE, cwd=project)


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

"""Set up before any test."""

import pytest
import torch
from hypothesis import settings
from workflow_tools import SMOKE, copy_project, make_conda_environments, run_snakemake

torch.set_num_threads(1)  # tests run side by side do not slow each other

# The same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The copy of the project in which the workflow has run at the smoke scale, and its end."""
    project = copy_project(tmp_path_factory.mktemp("smoke") / "project")
    return project, run_snakemake(*SMOKE, cwd=project)


@pytest.fixture(scope="session")
def conda_environments(tmp_path_factory):
    """The environments of all rules, once a checkout: environment file to the folder it is in."""
    return make_conda_environments(tmp_path_factory.mktemp("conda") / "project")

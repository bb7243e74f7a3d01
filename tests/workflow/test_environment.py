"""What of a user's machine reaches the jobs, and what snakemake says where it cannot run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from workflow_tools import SMOKE, copy_project, run_snakemake

pytestmark = pytest.mark.workflow

TARGET = "results/smoke/config.json"
# At the end of the program that makes it: what of Python's variables has reached it.
SHOW = """
import json, os
with open("variables.json", "w") as file:
    json.dump({key: os.environ[key] for key in os.environ if key.startswith("PYTHON")}, file)
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the project without results."""
    return copy_project(tmp_path / "project")


def test_no_setting_of_python_reaches_the_jobs(project):
    (project / "elsewhere").mkdir()
    # Imported by the job and not by Snakemake: it would take the library's place.
    (project / "elsewhere/advprune.py").write_text("raise RuntimeError('from elsewhere')")
    with open(project / "workflow/scripts/write_config.py", "a") as file:
        file.write(SHOW)
    variables = {"PYTHONPATH": "elsewhere", "PYTHONSAFEPATH": "1", "PYTHONOPTIMIZE": "2"}
    variables["PYTHONSTARTUP"] = "mine.py"
    ended = run_snakemake(*SMOKE, "--", TARGET, cwd=project, variables=variables)
    assert ended.status == 0, ended.printed
    assert json.loads((project / "variables.json").read_text()) == {"PYTHONNOUSERSITE": "1"}


def check_refusal(ended, *told):
    assert ended.status != 0
    assert [part for part in told if part not in ended.printed] == [], ended.printed
    assert "Traceback" not in ended.printed


def test_another_working_directory_is_refused_with_what_to_do(project, tmp_path):
    ended = run_snakemake("-n", *SMOKE, "--directory", tmp_path, cwd=project)
    check_refusal(ended, f"not in {tmp_path}: `cd {project}`", "without --directory")


def test_a_snakefile_from_elsewhere_is_refused_with_what_to_do(project, tmp_path):
    snakefile = project / "Snakefile"
    ended = run_snakemake("-n", "--cores", "1", "-s", snakefile, cwd=tmp_path)
    check_refusal(ended, f"not in {tmp_path}: `cd {project}`", "without --directory")


def test_the_project_may_be_reached_by_a_link(project, tmp_path):
    (tmp_path / "link").symlink_to(project)
    snakemake = Path(sys.executable).with_name("snakemake")
    ended = subprocess.run(
        ["bash", "-c", f"cd {tmp_path}/link && {snakemake} -n {' '.join(SMOKE)} -- {TARGET}"],
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_snakemake_that_is_too_old_is_named_with_what_to_do(project):
    text = (project / "Snakefile").read_text()
    (project / "Snakefile").write_text(text.replace('min_version("9', 'min_version("99'))
    ended = run_snakemake("-n", *SMOKE, cwd=project)
    check_refusal(ended, "Expecting Snakemake version 99", "It is that of", "make .venv/installed")


def test_a_snakemake_without_the_jobs_packages_plans_and_runs_nothing(project):
    asked = project / "envs/requirements.in"
    asked.write_text(f"a-package-that-nobody-has==1.0\n{asked.read_text()}")
    planned = run_snakemake("-n", *SMOKE, "--", TARGET, cwd=project)
    assert planned.status == 0, planned.printed
    ended = run_snakemake(*SMOKE, "--", TARGET, cwd=project)
    check_refusal(ended, "(a-package-that-nobody-has)", "make .venv/installed", "--use-conda")
    assert not (project / TARGET).exists()


def test_a_driver_that_fails_is_quoted_before_work_goes_to_the_cpu(project, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Failed to initialize NVML: Unknown Error'\nexit 255\n")
    program.chmod(0o755)
    variables = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    ended = run_snakemake("-n", *SMOKE, "--", TARGET, cwd=project, variables=variables)
    assert ended.status == 0, ended.printed
    assert "its driver fails: nvidia-smi: Failed to initialize NVML: Unknown Error" in ended.printed

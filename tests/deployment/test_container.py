"""The container's recipe, as far as it can be checked where nothing builds one."""

import json
import os
import re

import pytest
import yaml
from workflow_tools import PROJECT, copy_project, run_snakemake

RECIPE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
# Stands in for Apptainer: writes down image and command, and runs the command without a container.
ENGINE = """#!/bin/sh
[ "$1" = --version ] && { echo "apptainer version 1.3.0"; exit; }
until [ "${1%.sif}" != "$1" ]; do shift; done
echo "$@" >>"$ENGINE_LOG"
shift
exec "$@"
"""


def instruction(name: str) -> list[str]:
    """The arguments of every instruction of this name."""
    lines = re.sub(r"\\\n\s*", "", RECIPE)
    return re.findall(rf"^{name} (.+)$", lines, re.MULTILINE)


def test_the_image_has_the_python_of_the_conda_environments():
    (base,) = instruction("FROM")
    packages = yaml.safe_load((PROJECT / "envs/torch.yaml").read_text())["dependencies"]
    (python,) = [name.split("=")[1] for name in packages if str(name).startswith("python=")]
    assert base.startswith(f"python:{python}-slim")


def test_the_image_installs_the_lock_with_its_checksums_and_nothing_else_by_pip():
    (copied,) = instruction("COPY")
    source, destination = copied.split()
    assert (PROJECT / source).samefile(PROJECT / "envs/requirements.lock")
    assert [line for line in instruction("RUN") if "pip" in line] == [
        f"pip install --no-cache-dir --require-hashes -r {destination}"
    ]


def test_what_the_recipe_copies_is_sent_to_the_engine():
    (copied,) = instruction("COPY")
    kept = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    assert kept == [copied.split()[0]]


def test_the_image_runs_what_make_quick_runs():
    command = json.loads(instruction("CMD")[0])
    makefile = (PROJECT / "Makefile").read_text()
    (quick,) = re.findall(r"^quick:.*\n(?:.*\n)*?\t\$\(SNAKEMAKE\) (.+)$", makefile, re.MULTILINE)
    assert (command[0], command[-2:]) == ("snakemake", quick.split())


@pytest.mark.workflow
def test_with_apptainer_every_job_runs_in_the_image_that_the_documents_build(tmp_path):
    project = copy_project(tmp_path / "project")
    engine = tmp_path / "bin/apptainer"
    engine.parent.mkdir()
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    log = tmp_path / "engine.log"
    path = f"{engine.parent}:{os.environ['PATH']}"
    ended = run_snakemake(
        *("--cores", "1", "--configfile", "config/smoke.yaml", "--sdm", "apptainer"),
        *("--", "results/smoke/tables/figure7.csv"),
        cwd=project,
        variables={"PATH": path, "ENGINE_LOG": str(log)},
    )
    assert ended.status == 0, ended.printed[-3000:]
    documented = re.findall(r"apptainer build (\S+)", (PROJECT / "docs/running.md").read_text())
    ran = re.findall(r"^(\S+) .*workflow/scripts/(\w+)\.py", log.read_text(), re.MULTILINE)
    assert [(name, program) for name, program in ran] == [
        (documented[0], "settle_config"),
        (documented[0], "figure7"),
    ]

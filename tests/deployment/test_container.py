"""Jobs in a container, with a pretended Apptainer: nothing here builds or runs a real one."""

import os
import re

import pytest
from workflow_tools import PROJECT, copy_project, run_snakemake

# Stands in for Apptainer: writes down image and command, and runs the command without a container.
ENGINE = """#!/bin/sh
[ "$1" = --version ] && { echo "apptainer version 1.3.0"; exit; }
until [ "${1%.sif}" != "$1" ]; do shift; done
echo "$@" >>"$ENGINE_LOG"
shift
exec "$@"
"""


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
    assert ran == [(documented[0], "write_config"), (documented[0], "exhibit")]

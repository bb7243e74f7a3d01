"""Efficient Adversarial Training with Data Pruning, reproduced: every table and figure."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

INSTALL = "run `make .venv/installed` and `. .venv/bin/activate` in the project's folder"
try:
    min_version("9.21.1")
except WorkflowError as error:
    raise WorkflowError(f"{error} It is that of {sys.prefix}: {INSTALL}.") from None
if Path.cwd().resolve() != (here := Path(workflow.basedir).resolve()):
    raise WorkflowError(
        f"this workflow runs in its own folder alone, where its programs are and its results go, and "
        f"not in {Path.cwd()}: `cd {here}`, and call snakemake without --directory and --snakefile"
    )


report: "report/overview.rst"


configfile: "config/config.yaml"


# With --sdm apptainer alone; docs/running.md says how it is built.
container: "data-pruning.sif"


include: "rules/common.smk"
include: "rules/exhibit_files.smk"
include: "rules/data.smk"


if not config["partial"]:

    include: "rules/train.smk"
    include: "rules/evaluate.smk"
    include: "rules/by_epoch.smk"


include: "rules/collect.smk"
include: "rules/exhibits.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        files_of_exhibits(*EXHIBITS),
        verdicts_and_run_tables(),
        RESULTS / "config.json",
        report=RESULTS / "report.html",
    message:  # for a line in place of the names of all inputs
        "Everything is made: {input.report}"


rule tables:
    input:
        files_of_exhibits(*[name for name, each in EXHIBITS.items() if each.folder == "tables"]),


rule figures:
    input:
        files_of_exhibits(*[name for name, each in EXHIBITS.items() if each.folder == "figures"]),


rule mnist:
    input:
        files_of_exhibits(
            *("figure2", "figure2_features", "figure3", "table1", "figure8"),
            *("distribution", "pruning_epoch"),
        ),


rule cifar10:
    input:
        files_of_exhibits("figure4"),

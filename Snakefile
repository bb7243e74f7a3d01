"""Efficient Adversarial Training with Data Pruning, reproduced: every table and figure."""

from snakemake.utils import min_version

min_version("9.21.1")


report: "report/overview.rst"


configfile: "config/config.yaml"


# With --sdm apptainer alone; docs/running.md says how it is built.
container: "data-pruning.sif"


include: "rules/common.smk"
include: "rules/data.smk"


if not config["partial"]:

    include: "rules/train.smk"
    include: "rules/evaluate.smk"


include: "rules/analyse.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        drawable(TABLES + FIGURES),
        tables_of_runs(),
        verdicts(),
        RESULTS / "config.json",
        RESULTS / "report.html",


rule tables:
    input:
        drawable(TABLES),


rule figures:
    input:
        drawable(FIGURES),


rule mnist:
    input:
        drawable(["figure2", "figure3", "table1", "figure8", "distribution", "pruning_epoch"]),


rule cifar10:
    input:
        drawable(["figure4"]),

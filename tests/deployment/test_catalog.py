"""What the Snakemake workflow catalog is told of this workflow, in the form that it reads."""

import re

import yaml
from environments import FILES
from workflow_tools import PROJECT

FILE = PROJECT / ".snakemake-workflow-catalog.yml"


def test_the_catalog_finds_what_it_reads():
    usage = yaml.safe_load(FILE.read_text(encoding="utf-8"))["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    deployment = usage["software-stack-deployment"]
    assert deployment.keys() == {"conda", "apptainer", "apptainer+conda"}
    assert {type(value) for value in [*deployment.values(), usage["report"]]} == {bool}
    assert deployment["conda"] == bool(FILES)


def test_the_catalog_finds_the_workflow_and_its_configuration():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8").lower()
    assert {"snakemake", "workflow"} <= set(re.findall(r"\w+", readme))
    assert (PROJECT / "Snakefile").exists()
    assert list((PROJECT / "rules").glob("*.smk"))
    assert (PROJECT / "config/README.md").exists()

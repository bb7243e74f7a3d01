# Names and helpers that the other rule files share. What a run is, and which runs a table needs, is
# the library's business; here it is put into Snakemake's terms.

import json
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from advprune import plan
from advprune.config import check_config
from advprune.errors import UserError
from advprune.runs import Run

try:
    check_config(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

SCALE = Path("results") / config["scale"]
# What exists is drawn beside what is complete, so that neither is taken for the other.
RESULTS = SCALE / "partial" if config["partial"] else SCALE
DATASET = "results/datasets/{dataset}.safetensors"
RUN = SCALE / "runs/{dataset}/{method}/p{p}/e{e}/seed{seed}"
SCORES = SCALE / "scores/{dataset}/e{e}/seed{seed}"
DATA_ROOT = f"--root {shlex.quote(config['data_root'])}" if config["data_root"] else ""
DEVICE = f"--device {config['execution']['device']}"
TABLES = ["table1", "figure7", "figure8", "standard_accuracy", "appendix_c"]
FIGURES = ["figure1", "figure2", "figure3", "figure4", "figure5", "figure6", "pruning_epoch"]
# With conda or a container the rule's own environment has the Python; else it is the launcher's.
PYTHON = "python" if workflow.deployment_settings.deployment_method else shlex.quote(sys.executable)


wildcard_constraints:
    dataset="[a-z0-9_]+",
    method="[a-z0-9-]+",
    p=r"[01]\.[0-9]+",
    e="[0-9]+",
    seed="[0-9]+",


def as_json(content):
    return json.dumps(content, sort_keys=True)


def training_spec_of(wildcards):
    return as_json(plan.training_spec(Run.from_wildcards(**wildcards), config).to_dict())


def evaluation_spec_of(wildcards):
    return as_json(plan.evaluation_spec(Run.from_wildcards(**wildcards), config).to_dict())


def score_spec_of(wildcards):
    e, seed = int(wildcards.e), int(wildcards.seed)
    return as_json(plan.score_spec(wildcards.dataset, e, seed, config).to_dict())


def files_of(run):
    folder = SCALE / "runs" / run.folder
    return [folder / name for name in ("run.json", "evaluation.json", "evaluation.csv")]


def is_there(paths):
    return all(Path(path).exists() for path in paths)


def results_of(item):
    """The files of all runs that a table or figure needs; in a partial run, those that exist."""
    wanted = [files_of(run) for run in plan.runs_of(item, config)]
    return [path for files in wanted if not config["partial"] or is_there(files) for path in files]


def scores_of(study):
    scores, dataset = config["studies"][study]["scores"], config["studies"][study]["dataset"]
    folder = SCALE / f"scores/{dataset}/e{scores['epoch']}/seed{scores['seed']:03d}"
    return [folder / "scores.safetensors", folder / "model.safetensors"]


NEEDS_OF_FIGURES = {
    "figure2": scores_of("mnist"),
    "figure6": [*scores_of("mnist"), *scores_of("cifar10")],
}


def can_be_made(item):
    """Whether a partial run has what a table or figure is made from."""
    if item in plan.ITEMS:
        return bool(results_of(item))
    return is_there(NEEDS_OF_FIGURES.get(item, []))


def drawable(items):
    """The files of tables and figures: of all, or in a partial run of those that can be made."""
    return [
        RESULTS / ("tables" if item in TABLES else "figures") / f"{item}.csv"
        for item in items
        if not config["partial"] or can_be_made(item)
    ]


def table(name):
    return [RESULTS / f"tables/{name}{suffix}" for suffix in (".csv", ".md", ".tex")]


def figure(name):
    """What is drawn, and from what; the picture goes into `snakemake --report`."""
    picture = report(
        str(RESULTS / f"figures/{name}.png"),
        caption=f"../report/{name}.rst",
        category="Figures",
        labels={"figure": name},
    )
    return [RESULTS / f"figures/{name}.csv", RESULTS / f"figures/{name}.pdf", picture]

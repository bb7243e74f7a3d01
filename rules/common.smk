# Names and helpers that the other rule files share. What a run is, and which runs a table needs, is
# the library's business; here it is put into Snakemake's terms.

import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))

from advprune import plan
from advprune.catalogue import ITEMS
from advprune.config import whole
from advprune.errors import UserError
from advprune.leases import visible_gpus
from advprune.locking import clear_dead_workflows
from advprune.protocols import results_name
from advprune.runs import RESULT_FILES, Run, discard_checkpoints

try:
    settled = whole(config)
except UserError as error:
    raise WorkflowError(str(error)) from None
config.clear()  # the order of its keys is settled too
config.update(settled)

if workflow.is_main_process:  # a job on a cluster parses this again, and is no workflow
    for stale in clear_dead_workflows(Path(".snakemake")):
        logger.warning(f"{stale} was left by a workflow that was killed: removed")

SCALE = Path("results") / results_name(config)
# What exists is drawn beside what is complete, so that neither is taken for the other.
RESULTS = SCALE / "partial" if config["partial"] else SCALE
DATASET = "results/datasets/{dataset}.safetensors"
RUN = SCALE / "runs/{dataset}/{method}/p{p}/e{e}/seed{seed}"
SCORES = SCALE / "scores/{dataset}/e{e}/seed{seed}"
# The environment of the rules that need PyTorch.
TORCH = (
    "../envs/torch-gpu.yaml" if config["execution"]["device"] == "cuda" else "../envs/torch.yaml"
)
TABLES = [item.name for item in ITEMS if item.folder == "tables"]
# One rule makes both pictures of figure 2.
FIGURES = [
    item.name for item in ITEMS if item.folder == "figures" and item.name != "figure2_features"
]
# What `snakemake --report` shows, in the order of the names' numbers. The captions are in report/.
HEADINGS = {"claims": "The claims and their verdicts"} | {item.name: item.heading for item in ITEMS}
# Where no conda and no container brings a Python, the rules use the one that Snakemake runs under.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
# Packages that users have of their own, in ~/.local, do not take the place of an environment's.
os.environ.update(PYTHONNOUSERSITE="1")
if config["data_root"]:
    os.environ.update(ADVPRUNE_DATA=config["data_root"])


# A finished job keeps its checkpoint until it is certain that Snakemake has recorded it.
onsuccess:
    discard_checkpoints(SCALE)


onerror:
    discard_checkpoints(SCALE)


wildcard_constraints:
    dataset="[a-z0-9_]+",
    method="[a-z0-9-]+",
    p=r"[01]\.[0-9]+",
    e="[0-9]+",
    seed="[0-9]+",


def as_json(content):
    return json.dumps(content)


def published_config():
    """The config without where the data lie, which is nobody's business and changes no number."""
    return config | {"data_root": None}


def training_spec_of(wildcards):
    return as_json(plan.training_spec(Run.from_wildcards(**wildcards), config).to_dict())


def evaluation_spec_of(wildcards):
    return as_json(plan.evaluation_spec(Run.from_wildcards(**wildcards), config).to_dict())


def score_spec_of(wildcards):
    e, seed = int(wildcards.e), int(wildcards.seed)
    return as_json(plan.score_spec(wildcards.dataset, e, seed, config).to_dict())


def is_run_by_a_scheduler():
    """Whether jobs are submitted to a cluster, or this is such a job: its scheduler assigns GPUs."""
    return workflow.remote_exec or workflow.nodes is not None


# How many GPUs a job on data asks for, and how many such jobs may share one. On this machine each job
# waits for a GPU by itself, whatever limits were given; the limit here keeps most from having to.
GPUS_HERE = []
if config["execution"]["device"] != "cpu" and not is_run_by_a_scheduler():
    GPUS_HERE = visible_gpus()
    if GPUS_HERE:
        at_once = len(GPUS_HERE) * config["execution"]["jobs_per_gpu"]
        workflow.global_resources.setdefault("gpu", at_once)


def gpus_of_a_job():
    return int(
        config["execution"]["device"] != "cpu" and (is_run_by_a_scheduler() or bool(GPUS_HERE))
    )


def jobs_per_leased_gpu():
    """As the programs take it: 0 where a scheduler has assigned the GPU and there is nothing to lease."""
    return 0 if is_run_by_a_scheduler() else config["execution"]["jobs_per_gpu"]


# Jobs that are submitted together take turns on one GPU.
resource_scopes:
    turn="local",


if is_run_by_a_scheduler():
    workflow.global_resources.setdefault("turn", 1)


def batch_of(rule):
    """Under a scheduler, the jobs that may be submitted together: those of one rule and study."""

    def name_batch(wildcards):
        studies = config["studies"]
        study = next(name for name in studies if studies[name]["dataset"] == wildcards.dataset)
        return f"{rule}_{study}"

    return name_batch


def files_of(run):
    folder = SCALE / "runs" / run.folder
    return [folder / name for name in RESULT_FILES]


def is_there(paths):
    return all(Path(path).exists() for path in paths)


def results_of(item):
    """The files of all runs that a table or figure needs; in a partial run, those that exist."""
    wanted = [files_of(run) for run in plan.runs_of(item, config)]
    return [path for files in wanted if not config["partial"] or is_there(files) for path in files]


def lost_runs(item):
    """The runs that an item needs and that lack a result."""
    return [str(run) for run in plan.runs_of(item, config) if not is_there(files_of(run))]


def scores_of(study):
    scores, dataset = config["studies"][study]["scores"], config["studies"][study]["dataset"]
    seed = f"{scores['seed']:03d}"
    folder = Path(str(SCORES).format(dataset=dataset, e=scores["epoch"], seed=seed))
    return {
        "scores": folder / "scores.safetensors",
        "model": folder / "model.safetensors",
        "record": folder / "score.json",
    }


SCORED_STUDIES = {"figure2": ["mnist"], "figure6": ["mnist", "cifar10"]}


def can_be_made(item):
    """Whether a partial run has what a table or figure is made from."""
    if item in plan.ITEMS:
        return bool(results_of(item))
    return all(is_there(scores_of(study).values()) for study in SCORED_STUDIES.get(item, []))


def written_as(name, *suffixes):
    """The files of a table or figure by their suffixes, and that with the hashes of them all."""
    files = {suffix: RESULTS / f"{name}.{suffix}" for suffix in suffixes}
    return files | {"sha256": RESULTS / f"{name}.csv.sha256"}


def files_of_table(name):
    return written_as(name, "csv", "md", "tex", "html")


def files_of_figure(name):
    return written_as(f"figures/{name}", "csv", "pdf", "png")


def drawable(items):
    """The files of tables and figures: of all, or in a partial run of those that can be made."""
    made = [item for item in items if not config["partial"] or can_be_made(item)]
    if "figure2" in made:
        made.append("figure2_features")
    files = [
        files_of_table(f"tables/{item}") if item in TABLES else files_of_figure(item)
        for item in made
    ]
    return [path for paths in files for path in paths.values()]


def numbers_of(item):
    """The .csv of a table or figure, where it can be made."""
    return drawable([item])[:1]


def tables_of_runs():
    return [RESULTS / "runs.csv", RESULTS / "summary.csv"] if results_of("all") else []


def verdicts():
    return list(files_of_table("claims").values()) if results_of("all") else []


def reported(path, name):
    """A file that `snakemake --report` shows, with its caption."""
    place = list(HEADINGS).index(name) + 1
    return report(
        str(path),
        caption=f"../report/{name}.rst",
        category="Results",
        labels={"result": f"{place:02}  {HEADINGS[name]}"},
    )


def table(name, folder="tables/"):
    files = files_of_table(f"{folder}{name}")
    return files | {"html": reported(files["html"], name)}


def figure(name, prefix=""):
    """What is drawn, and from what."""
    files = files_of_figure(name)
    files["png"] = reported(files["png"], name)
    return {prefix + suffix: path for suffix, path in files.items()}

# Names and helpers that the other rule files share. What a run is, and which runs a table needs, is
# the library's business; here it is put into Snakemake's terms.

import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))

from advprune.errors import UserError
from advprune.machine.leases import visible_gpus
from advprune.paths import RESULT_FILES, RUN_FOLDER, SCORES_FOLDER, discard_checkpoints, seed_text
from advprune.plan import specify
from advprune.plan.config import whole
from advprune.plan.exhibits import EXHIBITS, runs_of, scored
from advprune.plan.protocols import results_name
from advprune.spec.runs import Run
from advprune.storage.locking import clear_dead_workflows

try:
    checked = whole(config)
except UserError as error:
    raise WorkflowError(str(error)) from None
config.clear()  # the order of its keys is that of the default config too
config.update(checked)

if workflow.is_main_process:  # a job on a cluster parses this again, and is no workflow
    for stale in clear_dead_workflows(Path(".snakemake")):
        logger.warning(f"{stale} was left by a workflow that was killed: removed")

SCALE = Path("results") / results_name(config)
# What exists is drawn beside what is complete, so that neither is taken for the other.
RESULTS = SCALE / "partial" if config["partial"] else SCALE
DATASET = "results/datasets/{dataset}.safetensors"
RUN = SCALE / "runs" / RUN_FOLDER
SCORES = SCALE / "scores" / SCORES_FOLDER
ANALYSIS = "../envs/analysis.yaml"
# The environment of the rules that need PyTorch.
TORCH = (
    "../envs/torch-gpu.yaml" if config["execution"]["device"] == "cuda" else "../envs/torch.yaml"
)
# What `snakemake --report` shows, in the order of the names' numbers. The captions are in report/.
TITLES = {"claims": "The claims and their verdicts"} | {
    name: exhibit.title for name, exhibit in EXHIBITS.items()
}
JOB_MEMORY_MB = 4000  # of a job that trains, scores or evaluates
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
    return as_json(specify.training_spec(Run.from_wildcards(**wildcards), config).to_dict())


def evaluation_spec_of(wildcards):
    return as_json(specify.evaluation_spec(Run.from_wildcards(**wildcards), config).to_dict())


def score_spec_of(wildcards):
    return as_json(specify.score_spec(wildcards.dataset, int(wildcards.seed), config).to_dict())


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


def execution_resources():
    """How a job on data is run: what it asks of the machine, and what its program is told of that.

    They are resources and no params, since they are no part of what a result is: a changed param
    makes Snakemake train every network anew, and a change of device or threads must not. What of
    them bears on the last bits stands in each record.
    """
    return {
        "device": config["execution"]["device"],
        "cpu_threads": config["execution"]["threads"],
        "gpu": gpus_of_a_job(),
        # 0 where a scheduler has assigned the GPU and there is nothing to lease.
        "jobs_per_gpu": 0 if is_run_by_a_scheduler() else config["execution"]["jobs_per_gpu"],
    }


# For the shell: the options of the programs that these resources are for.
EXECUTION_OPTIONS = (
    "--device {resources.device} --threads {resources.cpu_threads}"
    " --jobs-per-gpu {resources.jobs_per_gpu}"
)


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


def result_files(run):
    """What a finished run has left, as far as tables and figures need it."""
    return [SCALE / "runs" / run.folder / name for name in RESULT_FILES]


def all_exist(paths):
    return all(Path(path).exists() for path in paths)


def runs_for(name):
    """All runs that a table or figure needs; in a partial run, those whose results exist."""
    wanted = runs_of(name, config)
    return [run for run in wanted if not config["partial"] or all_exist(result_files(run))]


def results_for(name):
    """The files of `runs_for` that go into the table of them."""
    return [path for run in runs_for(name) for path in result_files(run)]


def run_files_for(exhibit):
    """The files of `runs_for` that a table or figure is made from beside the table of them.

    In a partial run, those that exist: of one that is missing `collect` says what to do.
    """
    folders = [SCALE / "runs" / run.folder for run in runs_for(exhibit.name)]
    paths = [folder / name for folder in folders for name in exhibit.run_files]
    return [path for path in paths if not config["partial"] or path.exists()]


def runs_without_result(name):
    """Those that a table or figure needs."""
    return [str(run) for run in runs_of(name, config) if not all_exist(result_files(run))]


def run_table_outputs(stem):
    """A table of runs, which images each of them withstood, and the hashes of both."""
    return {
        "runs": RESULTS / f"{stem}.csv",
        "verdicts": RESULTS / f"{stem}.verdicts.safetensors",
        "sha256": RESULTS / f"{stem}.csv.sha256",
    }


def score_files(study, seed):
    """The scores of a study's examples: the values, the network that gave them, and the record."""
    settings = config["studies"][study]
    names = {"e": settings["scores"]["epoch"], "seed": seed_text(seed)}
    folder = Path(str(SCORES).format(dataset=settings["dataset"], **names))
    return [folder / name for name in ("scores.safetensors", "model.safetensors", "score.json")]


def exhibit_inputs(exhibit):
    """What a table or figure is made from, by what `exhibit_options` names it to its program."""
    inputs = {"config": RESULTS / "config.json"}
    if exhibit.runs:
        collected = run_table_outputs(f"items/{exhibit.name}")
        inputs["runs"] = collected["runs"]
        if exhibit.verdicts:
            inputs["verdicts"] = collected["verdicts"]
    if exhibit.run_files:
        inputs["run_files"] = run_files_for(exhibit)
    if exhibit.scores:
        inputs["scores"] = [path for each in scored(exhibit, config) for path in score_files(*each)]
    if exhibit.claims:
        inputs["claims"] = RESULTS / "claims.csv"
    if exhibit.images:
        inputs["dataset"] = DATASET.format(dataset=config["studies"][exhibit.images]["dataset"])
    return inputs


def exhibit_options(exhibit):
    """For the shell: the options that name its inputs."""
    inputs = exhibit_inputs(exhibit)
    if exhibit.run_files:
        del inputs["run_files"]  # there may be thousands; the table of runs names them
        inputs["run-folder"] = SCALE / "runs"
    if exhibit.scores:
        folders = [str(score_files(*each)[0].parent) for each in scored(exhibit, config)]
        inputs["scores"] = " ".join(folders)
    return " ".join(f"--{option} {path}" for option, path in inputs.items())


def shown_in_report(path, name):
    """A file that `snakemake --report` shows, with its caption."""
    place = list(TITLES).index(name) + 1
    return report(
        str(path),
        caption=f"../report/{name}.rst",
        category="Results",
        labels={"result": f"{place:02}  {TITLES[name]}"},
    )


def table_outputs(stem, name):
    """The files of a table by their suffixes, and that with the hashes of them all."""
    files = {
        suffix: RESULTS / f"{stem}.{suffix}" for suffix in ("csv", "md", "tex", "html", "json")
    }
    files["html"] = shown_in_report(files["html"], name)
    return files | {"sha256": RESULTS / f"{stem}.csv.sha256"}


def figure_outputs(stem, name):
    """The same of a figure."""
    files = {suffix: RESULTS / f"{stem}.{suffix}" for suffix in ("csv", "pdf", "png")}
    files["png"] = shown_in_report(files["png"], name)
    return files | {"sha256": RESULTS / f"{stem}.csv.sha256"}


def exhibit_outputs(exhibit):
    outputs = table_outputs if exhibit.folder == "tables" else figure_outputs
    return outputs(f"{exhibit.folder}/{exhibit.name}", exhibit.name)


def can_be_made(exhibit):
    """Whether it is to be made: in a partial run, whether what it is made from is there."""
    if not config["partial"]:
        return True
    scores_exist = all(all_exist(score_files(*each)) for each in scored(exhibit, config))
    runs = "all" if exhibit.claims else exhibit.name
    needs_runs = bool(exhibit.runs) or exhibit.claims
    return scores_exist and (not needs_runs or bool(results_for(runs)))


def files_of_exhibits(*names):
    """All files of tables and figures, as far as they can be made."""
    wanted = [EXHIBITS[name] for name in names if can_be_made(EXHIBITS[name])]
    # As text: inputs that are marked for the report would look for captions where their rule stands.
    return [str(path) for exhibit in wanted for path in exhibit_outputs(exhibit).values()]


def numbers_of_exhibit(name):
    """The .csv of a table or figure, in a list, which is empty if it cannot be made."""
    exhibit = EXHIBITS[name]
    return [exhibit_outputs(exhibit)["csv"]] if can_be_made(exhibit) else []


def verdicts_and_run_tables():
    """What is made from all runs together; in a partial run nothing, where there is none yet."""
    if not results_for("all"):
        return []
    claims = map(str, table_outputs("claims", "claims").values())
    return [*claims, RESULTS / "runs.csv", RESULTS / "summary.csv"]

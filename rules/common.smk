# Names and helpers that the other rule files share. What a run is, and which runs a table needs, is
# the library's business; here it is put into Snakemake's terms.

import json
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))

from advprune.by_epoch.spec import BY_EPOCH_FILES
from advprune.errors import UserError
from advprune.machine.leases import driver_failure, visible_gpus
from advprune.machine.packages import missing_packages
from advprune.paths import (
    BLOCKS,
    EVALUATED_FILES,
    PARTIAL,
    RUN_BLOCK,
    RUNS,
    START_BLOCK,
    START_FILES,
    STARTS,
    TRAINED_FILES,
    VARIANT,
    discard_checkpoints,
)
from advprune.plan import blocks, specify
from advprune.plan.config import read_overlay, variant_config, whole
from advprune.plan.exhibits import EXHIBITS, files_of_a_run, is_asked_for, runs_of, scored
from advprune.plan.protocols import results_name
from advprune.storage.files import has_files
from advprune.storage.locking import clear_dead_workflows
from advprune.storage.losses import note_losses, read_losses
from advprune.storage.records import NETWORK, is_as_left

try:
    # Refuses what Snakemake reads over, such as a key that is there twice.
    for path in workflow.configfiles if workflow.is_main_process else ():
        read_overlay(path)
    checked = whole(config)
except UserError as error:
    raise WorkflowError(str(error)) from None
# With none Snakemake would wait for ever. Where a scheduler assigns them it is given no number.
CORES = workflow.resource_settings.cores
if workflow.is_main_process and CORES is not None and CORES < 1:
    raise WorkflowError(f"--cores is {CORES}, but must be 1 or more")
config.clear()  # the order of its keys is that of the default config too
config.update(checked)

if workflow.is_main_process:  # a job on a cluster parses this again, and is no workflow
    for stale in clear_dead_workflows(Path(".snakemake")):
        logger.warning(f"{stale} was left by a workflow that was killed: removed")

SCALE = Path("results") / results_name(config)
# What exists is drawn beside what is complete, so that neither is taken for the other.
RESULTS = SCALE / PARTIAL if config["partial"] else SCALE
DATASET = "results/datasets/{dataset}.safetensors"
RUNS, STARTS, BLOCKS = SCALE / RUNS, SCALE / STARTS, SCALE / BLOCKS
# What the files of a block's job are called, less the suffix.
STARTED, TRAINED, EVALUATED, BY_EPOCH = (
    f"{SCALE}/{{variant}}blocks/{name}"
    for name in (
        f"start/{START_BLOCK}",
        *(f"{rule}/{RUN_BLOCK}" for rule in ("train", "evaluate", "by_epoch")),
    )
)
# Each variant has its runs in a folder of its own, and a config: what is laid over is part of it.
CONFIGS = {"": config} | {
    VARIANT.format(variant=name): variant_config(name, config) for name in config["variants"]
}
ANALYSIS = "../envs/analysis.yaml"
# The environment of the rules that need PyTorch.
TORCH = (
    "../envs/torch-gpu.yaml" if config["execution"]["device"] == "cuda" else "../envs/torch.yaml"
)
# What `snakemake --report` shows, in the order of the names' numbers. The captions are in report/.
TITLES = {"claims": "The claims and their verdicts"} | {
    name: exhibit.title for name, exhibit in EXHIBITS.items()
}
# Where no conda and no container brings a Python, the rules use the one that Snakemake runs under.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
# Nor does what a user has set for other programs of Python's (PYTHONPATH, PYTHONSAFEPATH, …) reach the
# jobs, and packages in ~/.local do not take the place of an environment's.
for name in [name for name in os.environ if name.startswith("PYTHON")]:
    del os.environ[name]
os.environ.update(PYTHONNOUSERSITE="1")
if config["data_root"]:
    os.environ.update(ADVPRUNE_DATA=config["data_root"])


onstart:
    if not workflow.deployment_settings.deployment_method and (
        missing := list(missing_packages())
    ):
        raise WorkflowError(
            f"the Python of this snakemake, {sys.executable}, lacks what the jobs need "
            f"({', '.join(missing)}): {INSTALL}, or let conda make environments (--use-conda)"
        )


# A start's checkpoint is the state that runs go on from: it stays until a call has made all that it was
# asked for. Runs that are asked for later train their beginning themselves. A partial call makes none of
# it, and may be made while another call trains.
onsuccess:
    if not config["partial"]:
        discard_checkpoints(SCALE)


onerror:
    discard_checkpoints(RUNS)


wildcard_constraints:
    variant="(variants/[a-z0-9_]+/)?",
    dataset="[a-z0-9_]+",
    method="[a-z0-9-]+",
    p=r"[01]\.[0-9]+",
    e="[0-9]+",
    block="all|[0-9]+-[0-9]+",


def as_json(content):
    return json.dumps(content)


def published_config():
    """The config without where the data lie, which is nobody's business and changes no number."""
    return config | {"data_root": None}


def is_made_apart(run, variant):
    """Whether a run of a variant is another one than the config's own of that name."""
    return not variant or not specify.is_same_run(run, CONFIGS[variant], config)


# By the block's name, which begins with the variant's folder.
STARTS_BY_BLOCK = {
    variant + block: made
    for variant in CONFIGS
    for block, made in blocks.start_blocks(CONFIGS[variant]).items()
}
# The block of each run of each variant; and the runs of each block.
BLOCK_OF = {
    (variant, run): variant + block
    for variant in CONFIGS
    for block, made in blocks.run_blocks(CONFIGS[variant]).items()
    for run in made
    if is_made_apart(run, variant)
}
RUNS_BY_BLOCK = {}
for (_, run), block in BLOCK_OF.items():
    RUNS_BY_BLOCK.setdefault(block, []).append(run)
# Those of them that are trained once more and attacked after every epoch.
RUNS_BY_EPOCH = {}
for run in runs_of("by_epoch", config):
    RUNS_BY_EPOCH.setdefault(BLOCK_OF["", run], []).append(run)
TIMED = {variant: blocks.timed(CONFIGS[variant]) for variant in CONFIGS}


def runs_in(wildcards):
    """The runs of a block."""
    return asked_for(RUNS_BY_BLOCK, wildcards.variant + RUN_BLOCK.format(**wildcards))


def by_epoch_in(wildcards):
    """Those of a block's runs that are attacked after every epoch."""
    return asked_for(RUNS_BY_EPOCH, wildcards.variant + RUN_BLOCK.format(**wildcards))


def starts_in(wildcards):
    """The starts of a block."""
    return asked_for(STARTS_BY_BLOCK, wildcards.variant + START_BLOCK.format(**wildcards))


def asked_for(known, block):
    """What is in a block, or a sentence: the target may be a user's."""
    if block not in known:
        raise WorkflowError(f"the config asks for nothing in the block {block}")
    return known[block]


def seeds_text(made):
    """The seeds of runs or starts as programs take them."""
    return ",".join(str(each.seed) for each in made)


def training_specs_of(wildcards):
    """How the runs of each of a block's cells are trained, by the first of them."""
    return [
        as_json(specify.training_spec(runs[0], CONFIGS[wildcards.variant]).to_dict())
        for runs in blocks.by_cell(runs_in(wildcards))
    ]


def evaluation_spec_of(wildcards):
    spec = specify.evaluation_spec(runs_in(wildcards)[0], CONFIGS[wildcards.variant])
    return as_json(spec.to_dict())


def by_epoch_spec_of(wildcards):
    spec = specify.by_epoch_spec(by_epoch_in(wildcards)[0], CONFIGS[wildcards.variant])
    return as_json(spec.to_dict())


def start_spec_of(wildcards):
    spec = specify.start_spec(starts_in(wildcards)[0], CONFIGS[wildcards.variant])
    return as_json(spec.to_dict())


def runs_folder(wildcards):
    """The folder of all runs of the config, or of a variant."""
    return SCALE / wildcards.variant / RUNS.name


def starts_folder(wildcards):
    return SCALE / wildcards.variant / STARTS.name


def run_folders(wildcards, runs):
    """The folders of some of a block's runs."""
    return [runs_folder(wildcards) / run.folder for run in runs]


def start_blocks_for(wildcards):
    """The blocks of the starts that a block's runs go on from."""
    of_variant = CONFIGS[wildcards.variant]
    starts = [blocks.start_of(run, of_variant) for run in runs_in(wildcards)]
    names = [blocks.block_of_start(each, of_variant) for each in starts if each]
    return block_outputs("start", [wildcards.variant + name for name in names])


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
    elif workflow.is_main_process and (failure := driver_failure()):
        logger.warning(
            f"no job will use a GPU, since its driver fails: {failure}; see `make doctor`"
        )


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


# What the jobs of blocks leave in the folders of runs and starts.
LEFT_BY = {
    "start": START_FILES,
    "train": TRAINED_FILES,
    "evaluate": EVALUATED_FILES,
    "by_epoch": BY_EPOCH_FILES,
}


def block_outputs(rule, names):
    """The outputs of the jobs that make blocks."""
    return [block_output(rule, name) for name in sorted(set(names))]


def block_output(rule, name):
    """That of one, by its name, which begins with the variant's folder where it is of one."""
    variant = next(each for each in reversed(CONFIGS) if name.startswith(each))
    return SCALE / variant / BLOCKS.name / rule / f"{name.removeprefix(variant)}.json"


def blocks_with_losses():
    """The blocks that have been made and of which files are gone, or were changed, since."""
    wanted = {
        "start": STARTS_BY_BLOCK,
        "train": RUNS_BY_BLOCK,
        "evaluate": RUNS_BY_BLOCK,
        "by_epoch": RUNS_BY_EPOCH,
    }
    return [
        name_of_block(output)
        for rule, names in wanted.items()
        for output in block_outputs(rule, names)
        if output.exists() and not is_as_left(output, LEFT_BY[rule])
    ]


def name_of_block(output):
    """What a block's losses are noted by."""
    return Path(output).relative_to(SCALE).with_suffix("").as_posix()


if workflow.is_main_process:
    LOSSES = note_losses(BLOCKS / "losses.json", blocks_with_losses())
else:
    LOSSES = read_losses(BLOCKS / "losses.json")


def losses_in(*outputs):
    """A param that is another one after each loss in blocks, which are named by their outputs."""
    if config["partial"]:
        return []  # what is made then is made from the files that exist, which its inputs list
    return sorted(LOSSES[name] for name in map(name_of_block, outputs) if name in LOSSES)


def losses_of(block):
    """The same for a block's own job; its output is named by a pattern."""
    # Of the wildcards alone: Snakemake compares no params that were derived from the output.
    return lambda wildcards: losses_in(f"{block}.json".format(**wildcards))

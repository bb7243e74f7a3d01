"""How long a config will take on this machine.

Where runs of the scale have been made, their records tell; for studies without any, the costs of a
device that is known (`costs`) are taken times its speed against this one, by an update of training.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch
from torch.nn import functional

from advprune.by_epoch.spec import BY_EPOCH_FILES
from advprune.data.examples import Examples
from advprune.machine.stopwatch import clock
from advprune.paths import RESULT_FILES, VARIANT
from advprune.plan.blocks import block_of_start, run_blocks, start_of, starts_of
from advprune.plan.config import Config, study_of, under_autoattack, variant_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import is_same_run, start_spec, training_spec
from advprune.preflight.costs import Assumed, DeviceCosts, Seconds, network_key, stage_seconds
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run, Start
from advprune.spec.specification import TrainingSpec
from advprune.storage.files import has_files
from advprune.storage.records import read_record
from advprune.training.attacks import Threat, rs_fgsm
from advprune.training.state import build_optimiser, start

# On a CPU time grows with the batch, so a part of one is timed; a GPU is given the whole.
CPU_BATCH = 16


@dataclass(frozen=True)
class Work:
    """All that a config asks for on one data set.

    Attributes:
        runs: those that are made.
        starts: the starts that they go on from, or whose scores are shown.
        by_epoch: those of the runs that are trained once more and attacked after every epoch.
        jobs: how many jobs make them.
    """

    runs: list[Run]
    starts: list[Start]
    by_epoch: list[Run]
    jobs: int


def all_work(config: Config, scale: Path) -> Iterator[tuple[str, Work, Config, Path]]:
    """The work on each data set, and on those of variants, with its config and results' folder."""
    yield from ((name, work, config, scale) for name, work in work_by_dataset(config).items())
    for variant in config["variants"]:
        varied, place = variant_config(variant, config), scale / VARIANT.format(variant=variant)
        for name, work in work_by_dataset(varied, config).items():
            yield f"{name}, {variant}", work, varied, place


def work_by_dataset(config: Config, varied_from: Config | None = None) -> dict[str, Work]:
    """What a config asks for, of the data sets that it has runs or scores on.

    Args:
        config: what is asked for.
        varied_from: if it is a variant's, the config without it, whose runs the variant does not
            make again where its switch has no effect on them.
    """
    wanted = runs_of("all", config)
    if varied_from:
        wanted = [run for run in wanted if not is_same_run(run, config, varied_from)]
    found = {}
    for dataset in (study["dataset"] for study in config["studies"].values()):
        runs = [run for run in wanted if run.dataset == dataset]
        starts = [start for start in starts_of(runs, config) if start.dataset == dataset]
        if not runs and not starts:
            continue
        blocks = [block for block in run_blocks(config).values() if not {*block}.isdisjoint(runs)]
        by_epoch = [run for run in runs_of("by_epoch", config) if run in runs]
        jobs = 2 * len(blocks)  # a block of runs is trained, and evaluated
        jobs += sum(not {*block}.isdisjoint(by_epoch) for block in blocks)
        jobs += len({block_of_start(start, config) for start in starts})
        found[dataset] = Work(runs, starts, by_epoch, jobs)
    return found


def from_records(work: Work, config: Config, scale: Path) -> float | None:
    """Seconds of all the work, by the records of what has been made; None if there is not enough.

    Without what the jobs take to start, which no record says.

    Args:
        work: what is asked for.
        config: by which it is.
        scale: the folder of the scale's results.
    """
    by_attack: dict[bool, list[float | None]] = {True: [], False: []}
    for run in work.runs:
        # Apart: AutoAttack takes long, and the runs that have been made may be those under it.
        attacked = under_autoattack(run.seed, study_of(run.dataset, config)["evaluation"])
        by_attack[attacked].append(_recorded_seconds(run, config, scale))
    starts = [_recorded_start(scale / "starts" / start.folder) for start in work.starts]
    by_epoch = [_recorded_by_epoch(scale / "runs" / run.folder) for run in work.by_epoch]
    total = 0.0
    for found in (*by_attack.values(), starts, by_epoch):
        known = [seconds for seconds in found if seconds is not None]
        if found and not known:
            return None
        total += len(found) * sum(known) / max(len(known), 1)
    return total


def _recorded_seconds(run: Run, config: Config, scale: Path) -> float | None:
    """Of a run's training, after its start, and evaluation."""
    folder = scale / "runs" / run.folder
    if not has_files(folder, RESULT_FILES):
        return None
    trained, evaluated = (read_record(folder / f"{name}.json") for name in ("run", "evaluation"))
    seconds = sum(trained["seconds"].values()) + sum(evaluated["seconds"].values())
    start = start_of(run, config)
    begun = scale / "starts" / start.folder / "start.json" if start else None
    if begun and begun.exists():
        record = read_record(begun)
        seconds -= sum(record["seconds"].values())
        if METHODS[run.method].proxy:
            taken = trained["spec"]["pruning"]["taken"]
            seconds -= record["scoring_seconds"].get(f"{METHODS[run.method].proxy} {taken}", 0.0)
    return seconds


def _recorded_start(folder: Path) -> float | None:
    if not (folder / "start.json").exists():
        return None
    record = read_record(folder / "start.json")
    return sum(record["seconds"].values()) + sum(record["scoring_seconds"].values())


def _recorded_by_epoch(folder: Path) -> float | None:
    if not has_files(folder, BY_EPOCH_FILES):
        return None
    made = read_record(folder / BY_EPOCH_FILES[-1])["provenance"]
    ended, started = (datetime.fromisoformat(made[key]) for key in ("ended", "started"))
    return (ended - started).total_seconds()


def seconds_here(
    work: Work, config: Config, device: torch.device, known: DeviceCosts, assumed: Assumed
) -> Seconds:
    """Seconds of all the work on a data set by stage, as if it were done on this machine.

    A network whose costs are not known is taken for that whose update takes about as long.

    Args:
        work: what is asked for.
        config: by which it is.
        device: where it would be done; a few updates are timed there.
        known: what work costs on another device of its kind.
        assumed: what is assumed of every run.
    """
    if work.runs:
        spec = training_spec(work.runs[0], config)
    else:
        spec = start_spec(work.starts[0], config).training
    images = timed_images(spec.batch_size, device)
    measured = update_seconds(spec, images, device)
    costs = known.networks.get(network_key(spec.network, spec.width))
    costs = costs or known.nearest(measured, images)
    slower = measured / costs.update.of(images, images)
    stages = stage_seconds(spec.run.dataset, config, known, assumed, costs, runs=work.runs)
    return {stage: slower * seconds for stage, seconds in stages.items()}


def update_seconds(spec: TrainingSpec, count: int, device: torch.device) -> float:
    """Of an update of adversarial training on so many random images."""
    shape = DATASETS[spec.run.dataset].shape
    nothing = Examples(torch.zeros(2, *shape, dtype=torch.uint8, device=device), torch.zeros(2))
    classifier = start(spec, nothing).classifier
    optimiser = build_optimiser(spec, classifier.parameters())
    images = torch.rand(count, *shape, device=device)
    labels = torch.zeros(count, dtype=torch.int64, device=device)
    generator = torch.Generator(device)

    def update() -> None:
        threat = Threat(1.0, 1.0)
        attacked = rs_fgsm(classifier, images, labels, threat=threat, generator=generator)
        optimiser.zero_grad()
        functional.cross_entropy(classifier(attacked), labels).backward()
        optimiser.step()

    return fastest(update, device)


def timed_images(count: int, device: torch.device) -> int:
    """How many images of a batch of ``count`` are enough to time."""
    return count if device.type == "cuda" else min(count, CPU_BATCH)


def fastest(work: Callable[[], None], device: torch.device) -> float:
    """Seconds of the fastest of several calls within a second; the first of all is not timed."""
    work()
    least, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < 1:
        started = clock(device)
        work()
        least = min(least, clock(device) - started)
    return least

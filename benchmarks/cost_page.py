#!/usr/bin/env python3
"""Write docs/cost.md, from the cost model, its costs and what `make bench` measured.

And into docs/findings.md, between its comments that mark it, what the rest of the paper costs.

    python benchmarks/cost_page.py

Nothing on the page depends on the machine that writes it.
"""

import copy
import csv
import re
from pathlib import Path

import numpy as np
from tabulate import tabulate

import measuring
from advprune.plan.config import Config, load_config
from advprune.plan.exhibits import runs_of
from advprune.plan.specify import evaluation_spec, training_spec
from advprune.preflight.costs import (
    STAGES,
    DeviceCosts,
    Seconds,
    evaluation_seconds,
    exhibit_seconds,
    read_costs,
    stage_seconds,
    training_seconds,
)
from advprune.spec.runs import Run

PAGE = measuring.PROJECT / "docs/cost.md"
FINDINGS = measuring.PROJECT / "docs/findings.md"
OF_PAPER = re.compile(r"(<!-- cost of the paper -->\n).*?(<!-- end of cost -->)", re.DOTALL)
MEASURED = Path(__file__).with_name("measured.csv")
SCALES = {"config": "the paper", "laptop": "laptop", "quick": "quick"}
SHARES = ("0.1", "0.3", "0.6", "1.0")
SEEDS = (3, 8, 30, 120)
IMAGES = (25, 50, 100, 200, 500, 1_000, 2_000, 10_000)
ENOUGH = 1.05  # of the error that the most images leave
LARGE = (1_000, 4_000)  # seeds and images, to know the world's variances by

Rows = list[tuple[str, ...]]
DEVICES, ASSUMED = read_costs()


def config_of(scale: str) -> Config:
    """A scale's config."""
    return load_config(measuring.PROJECT / f"config/{scale}.yaml")


def hours(seconds: float) -> str:
    """In hours, two digits."""
    return f"{float(f'{seconds / 3600:.2g}'):,g}"


def table(rows: Rows, headers: list[str]) -> str:
    """As Markdown, left as they are."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def with_images(config: Config, images: int) -> Config:
    """A config whose runs are attacked on so many images, in one batch."""
    changed = copy.deepcopy(config)
    for study in changed["studies"].values():
        study["evaluation"] |= dict.fromkeys(
            ("autoattack_examples", "single_attack_examples", "batch_size"), images
        )
    return changed


def stage_table(rows: list[tuple[tuple[str, ...], Seconds]], headers: list[str]) -> str:
    """Hours by stage, without the stages that nothing is spent on."""
    stages = [stage for stage in STAGES if any(seconds[stage] for _, seconds in rows)]
    lines = [
        (*names, *[hours(seconds[stage]) for stage in stages], hours(sum(seconds.values())))
        for names, seconds in rows
    ]
    return table(lines, [*headers, *stages, "hours"])


def by_data_set(device: DeviceCosts, configs: dict[str, Config]) -> str:
    """Hours of every config, by data set and stage."""
    rows = []
    for title, config in configs.items():
        for study in config["studies"].values():
            dataset = study["dataset"]
            runs = sum(run.dataset == dataset for run in runs_of("all", config))
            seconds = stage_seconds(dataset, config, device, ASSUMED)
            rows.append(((title, dataset, f"{runs:,}"), seconds))
    return stage_table(rows, ["scale", "data set", "runs"])


def by_item(config: Config) -> str:
    """What MNIST's part of the paper needs on a GPU, item by item."""
    rows = []
    for name in ("table1", "figure3"):
        runs = runs_of(name, config)
        seconds = stage_seconds("mnist", config, DEVICES["cuda"], ASSUMED, runs=runs)
        rows.append(((name, f"{len(runs):,}"), seconds))
    return stage_table(rows, ["table or figure", "runs"])


def of_paper() -> str:
    """Hours of the whole paper, on a core and on a GPU."""
    config, devices = config_of("config"), (DEVICES["cpu"], DEVICES["cuda"])
    parts = {
        "Table 1": ("mnist", runs_of("table1", config)),
        "Figure 3": ("mnist", runs_of("figure3", config)),
        "all of MNIST": ("mnist", None),
        "all of CIFAR10": ("cifar10", None),
    }
    rows = []
    for title, (dataset, runs) in parts.items():
        count = sum(run.dataset == dataset for run in runs or runs_of("all", config))
        seconds = [stage_seconds(dataset, config, each, ASSUMED, runs=runs) for each in devices]
        rows.append((title, f"{count:,}", *(hours(sum(each.values())) for each in seconds)))
    cpu, gpu = (device.title.split(",")[0] for device in devices)
    return table(rows, ["of the paper", "runs", f"hours of {cpu}", f"hours of {gpu}"])


def findings() -> str:
    """The page on what holds, as it is but for what the paper costs."""
    text = FINDINGS.read_text(encoding="utf-8")
    return OF_PAPER.sub(lambda found: f"{found[1]}{of_paper()}\n{found[2]}", text)


def by_share() -> str:
    """What a run of the paper on MNIST costs after its start, by p."""
    config, rows = config_of("config"), []
    costs = DEVICES["cpu"].networks["mnist_cnn 1"]
    for p in SHARES:
        spec = training_spec(Run("mnist", "low-loss", p, 1, 0), config)
        seconds = training_seconds(spec, costs, ASSUMED, begun=1)["training"]
        rows.append((p, f"{seconds:.0f}"))
    return table(rows, ["p", "CPU seconds of training"])


def by_images() -> str:
    """What an evaluation with AutoAttack costs, by the number of images."""
    config, rows = config_of("config"), []
    run = Run("mnist", "full", "1.0", 1, 0)
    for images in (100, 1_000, 10_000):
        row = [f"{images:,}"]
        for key in ("cpu", "cuda"):
            spec = evaluation_spec(run, config)
            size = spec.batch_size if key == "cpu" else images
            spec = type(spec)(spec.epsilon, images, 1, size, 0)
            costs = DEVICES[key].networks["mnist_cnn 1"]
            found = evaluation_seconds("mnist", spec, costs, ASSUMED)["AutoAttack"]
            row.append(f"{found:,.0f}")
        rows.append(tuple(row))
    return table(rows, ["images", "CPU seconds", "H100 seconds, one batch"])


def verdicts(seeds: int, images: int, random: np.random.Generator) -> np.ndarray:
    """(seeds, images) of 0 and 100: which networks withstand on which image, in a made-up world.

    One network in five has collapsed; the others withstand on three quarters of the images, which
    are of very unlike difficulty. Means and deviations are about those of Table 1.
    """
    strength = np.where(random.random(seeds) < 0.2, -8.0, random.normal(1.8, 0.8, seeds))
    difficulty = random.normal(0, 2.0, images)
    share = 1 / (1 + np.exp(difficulty[None] - strength[:, None]))
    return 100.0 * (random.random(share.shape) < share)


def components() -> tuple[float, float, float]:
    """Variances over seeds, over images, and of what both leave, of single verdicts."""
    values = verdicts(*LARGE, np.random.default_rng(0))
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    residual = (values - rows[:, None] - columns[None] + values.mean()).var()
    return rows.var() - residual / LARGE[1], columns.var() - residual / LARGE[0], residual


def two_way_curve() -> str:
    """Standard errors of a cell's mean, by seeds and images, and how many images are enough."""
    of_seeds, of_images, residual = components()
    rows: Rows = []
    for n in SEEDS:
        errors = [np.sqrt(of_seeds / n + of_images / m + residual / (n * m)) for m in IMAGES]
        enough = next(m for m, e in zip(IMAGES, errors, strict=True) if e <= ENOUGH * errors[-1])
        rows.append((f"{n}", *[f"{error:.1f}" for error in errors], f"{enough:,}"))
    return table(rows, ["seeds", *[f"{m:,} images" for m in IMAGES], "enough"])


def extrapolated() -> str:
    """Of each device what was not measured."""
    lines = []
    for device in DEVICES.values():
        for name, costs in device.networks.items():
            kinds = ", ".join(costs.extrapolated).replace("_", " ") or "nothing"
            lines.append(f"- {device.title}, `{name}`: {kinds}")
    return "\n".join(lines)


def measured() -> str:
    """What `make bench` wrote, less what only the model needs."""
    rows: Rows = []
    with open(MEASURED, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            spread = "" if row["rounds"] == "1" else f"{row['least']} to {row['most']}"
            if not row["way"].endswith("--help"):
                rows.append((row["quantity"], row["way"], row["median"], row["unit"], spread))
    return table(rows, ["what", "way", "median", "unit", "least to most"])


TEXT = """\
# What it costs

*Written by `make cost` from [config/costs.yaml](../config/costs.yaml) (seconds of each kind of
work on named devices) and [benchmarks/measured.csv](../benchmarks/measured.csv) (what `make
bench` measured); a test holds it to them. `make plan` uses the same model, times the speed of
your machine.*

## Every scale, on a CPU

Hours of {cpu}; divide by the cores that work side by side. Tables and figures take {exhibits:.1f}
minutes more at any scale.

{cpu_stages}

## The paper, on a GPU

Hours of {gpu}: **predictions**, since no run of this scale was made; MNIST's networks are taken
to be trained in blocks as one stack. The config runs AutoAttack on {autoattack:,} images and
APGD-CE 40×5 on all 10,000, in batches of {batch:,}; the rows of 1,000 images are for 1,000 under
both, in one batch, and so is the second table.

{gpu_stages}

{gpu_items}

## Extrapolated

Everything else was measured on the device named, but for the seconds that a job takes to start on
a GPU, which are assumed. All scales assume that {robust:.0%} of the
attacked images withstand all attacks and that an image takes {steps:g} steps in DeepFool:
training decides both.

{extrapolated}

## What it grows with

- **Seeds**: in proportion, apart from tables and figures. Runs that differ in method or p alone
  share their start, so twice as many p cost less than twice as much.
- **p**: what training after the start takes is in proportion to p (MNIST, low-loss, on a CPU):

{by_share}

- **Attacked images**: in proportion on a CPU. On a GPU a batch costs by its number of calls, not
  by its size, as long as the device is not full:

{by_images}

- **Epochs**: in proportion.

## How many images AutoAttack needs

All runs are attacked on the same images, so an interval has a part that more seeds do not shrink.
Standard error of a cell's mean robust accuracy, in points, by the formula of the tables
(`analysis/two_way.py`), for networks of which one in five has collapsed (made up, with the spread
of Table 1). The last column is the number of images from which on more of them gain less than 5%:

{two_way}

## Measured

By the programs of `make bench`, one by one, on {cpu_short}, beside much other work: CPU seconds
are higher then than on an idle core, and plain seconds say nothing. A ratio is of what was timed
in the same round, in turn.

{measured}
"""


def page() -> str:
    """The page."""
    cpu, gpu = DEVICES["cpu"], DEVICES["cuda"]
    paper = config_of("config")
    fewer = with_images(paper, 1_000)
    evaluation = paper["studies"]["mnist"]["evaluation"]
    return TEXT.format(
        autoattack=evaluation["autoattack_examples"],
        batch=evaluation["batch_size"],
        cpu=cpu.title,
        cpu_short=cpu.title.removesuffix(", CPU seconds"),
        gpu=gpu.title,
        exhibits=exhibit_seconds(cpu) / 60,
        cpu_stages=by_data_set(cpu, {title: config_of(name) for name, title in SCALES.items()}),
        gpu_stages=by_data_set(gpu, {"the paper": paper, "1,000 images": fewer}),
        gpu_items=by_item(fewer),
        robust=ASSUMED.robust,
        steps=ASSUMED.steps,
        extrapolated=extrapolated(),
        by_share=by_share(),
        by_images=by_images(),
        two_way=two_way_curve(),
        measured=measured(),
    )


if __name__ == "__main__":
    for path, text in ((PAGE, page()), (FINDINGS, findings())):
        path.write_text(text, encoding="utf-8")
        print(f"written: {path.relative_to(measuring.PROJECT)}")

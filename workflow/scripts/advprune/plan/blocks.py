"""Blocks: the runs that one job makes, of a cell or of a few, and the starts that they go on from.

A block is execution and nothing else. Results lie in a folder a run, and a job keeps those that are
there, so a scale may be made with blocks of another size from one call to the next.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from advprune.paths import RUN_BLOCK, START_BLOCK, seed_text
from advprune.plan.config import Config
from advprune.plan.exhibits import EXHIBITS, runs_of, scored
from advprune.plan.grid import starts_are_shared
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run, Start

Cell = tuple[str, str, str, int]  # data set, method, p, e

JOB_MEMORY_MB = 4000  # what a job that makes a block asks for


def seeds_beside(seed: int, size: int | str) -> str:
    """The seeds that stand together with one in blocks of a size, or of ``"all"``, as in paths.

    That is ``"000-029"``, or ``"all"``.
    """
    if size == "all":
        return size
    first = seed - seed % size
    return f"{seed_text(first)}-{seed_text(first + size - 1)}"


def block_of_start(start: Start, config: Config) -> str:
    """The block that a start is made in, as it stands in paths."""
    block = _seeds(start, config)
    return START_BLOCK.format(dataset=start.dataset, e=start.epoch, block=block)


def run_blocks(config: Config) -> dict[str, list[Run]]:
    """All runs that a config asks for, by block, which is named by the first of its cells."""
    runs = runs_of("all", config)
    first = _first_cells(runs, config["execution"]["cells_per_job"])
    found: dict[str, list[Run]] = {}
    for run in runs:
        dataset, method, p, e = first[_cell(run)]
        block = _seeds(run, config)
        name = RUN_BLOCK.format(dataset=dataset, method=method, p=p, e=e, block=block)
        found.setdefault(name, []).append(run)
    return found


def by_cell(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs, sorted, a list for each of their cells."""
    return [list(of_cell) for _, of_cell in groupby(runs, key=_cell)]


def _cell(run: Run) -> Cell:
    return run.dataset, run.method, run.p, run.e


def _first_cells(runs: Iterable[Run], size: int) -> dict[Cell, Cell]:
    """Each cell's leader: the first of the ``size`` cells of a data set that are made together."""
    found: dict[Cell, Cell] = {}
    for _, of_dataset in groupby(sorted({_cell(run) for run in runs}), key=itemgetter(0)):
        cells = list(of_dataset)
        found |= {cell: cells[place - place % size] for place, cell in enumerate(cells)}
    return found


def start_blocks(config: Config) -> dict[str, list[Start]]:
    """All starts that a config asks for, by block."""
    found: dict[str, list[Start]] = {}
    for start in starts_of(runs_of("all", config), config):
        found.setdefault(block_of_start(start, config), []).append(start)
    return found


def timed(config: Config) -> set[Run | Start]:
    """The runs whose training time a table or figure shows, and their starts, which count too."""
    exhibits = [each.name for each in EXHIBITS.values() if each.timed]
    runs = {run for name in exhibits for run in runs_of(name, config)}
    return runs | {start for run in runs if (start := start_of(run, config))}


def trained_alone(made: Iterable[Run | Start], shown: set[Run | Start], config: Config) -> int:
    """Of a block, seeds below this are trained by themselves, to be timed.

    A GPU trains the rest as one stack, whose seconds are no run's.

    Args:
        made: the block's runs, or starts.
        shown: all whose time is shown, as `timed` has them; for a block of others it is 0.
        config: says how many seeds.
    """
    return 0 if shown.isdisjoint(made) else config["execution"]["trained_alone"]


def starts_of(runs: Iterable[Run], config: Config) -> list[Start]:
    """The starts that runs go on from, and those whose scores figures and tables are made from."""
    found = {start_of(run, config) for run in runs} - {None}
    for exhibit in EXHIBITS.values():
        found |= {scored_start(*each, config) for each in scored(exhibit, config)}
    return sorted(found)


def start_of(run: Run, config: Config) -> Start | None:
    """The start that a run goes on from; None where it begins by itself."""
    if not starts_are_shared(config) or not METHODS[run.method].adversarial:
        return None
    return Start(run.dataset, run.e, run.seed)


def scored_start(study: str, seed: int, config: Config) -> Start:
    """The start whose scores a study shows of a seed."""
    settings = config["studies"][study]
    return Start(settings["dataset"], settings["scores"]["epoch"], seed)


def _seeds(made: Run | Start, config: Config) -> str:
    return seeds_beside(made.seed, config["execution"]["seeds_per_job"])

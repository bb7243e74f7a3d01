"""From the finished runs of a scale to packs, and back.

A pack holds all runs of a data set, or its scores, of thirty seeds: in one pack the labels that all
of them hold are once. A run that is packed counts as made: it stays as it is until the config asks
for another specification.
"""

import itertools
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from advprune.archive.packs import SUFFIX, Files, read_pack, write_pack
from advprune.archive.reduced import (
    PRUNING,
    PRUNING_OF_VARIANT,
    reduced_run,
    reduced_start,
)
from advprune.by_epoch.spec import BY_EPOCH_FILES
from advprune.errors import UserError
from advprune.paths import (
    BLOCKS,
    EVALUATED_FILES,
    PARTIAL,
    RESULT_FILES,
    RUNS,
    START_FILES,
    STARTS,
    TRAINED_FILES,
    VARIANT,
)
from advprune.plan.blocks import run_blocks, scored_start, seeds_beside, start_blocks
from advprune.plan.config import Config, variant_config
from advprune.plan.exhibits import EXHIBITS, runs_of, scored
from advprune.plan.specify import by_epoch_spec, evaluation_spec, start_spec, training_spec
from advprune.spec.runs import Run, Start
from advprune.storage.files import atomic_write, has_files
from advprune.storage.records import check_files, check_spec, read_record, write_block

log = logging.getLogger(__name__)

SEEDS = 30  # of a pack: more of them are smaller, and fewer are rewritten for less
# Figures that are made from images or networks, which are not packed: they come along as they are.
NOT_FROM_PACKS = [name for name, exhibit in EXHIBITS.items() if exhibit.images or exhibit.networks]
_WRITTEN = (
    *RESULT_FILES,
    *BY_EPOCH_FILES,
    *START_FILES,
)  # in this order: a folder without its record is made again


def pack(
    scale: Path, config: Config, published: Path, *, pruning: Sequence[str] = PRUNING
) -> list[Path]:
    """Pack what is finished of a scale, beside what is packed already.

    Figures that cannot be made from what is packed are put beside it.

    Args:
        scale: the folder of its results.
        config: that they were made with.
        published: the folder of the packs.
        pruning: the tensors that are left of each run's pruning.

    Returns:
        the packs that were written.

    Raises:
        UserError: a result is damaged, or was made with another specification.
    """
    written = []
    followed = {*runs_of("by_epoch", config)}
    units = sorted(_finished(scale, config), key=lambda unit: _pack_of(unit, published))
    for path, units_of_pack in itertools.groupby(units, lambda unit: _pack_of(unit, published)):
        content = read_pack(path) if path.exists() else {}
        for unit in units_of_pack:
            name = str(unit.folder.relative_to(unit.dataset))
            if not _is_packed(unit, content.get(name), config):
                content[name] = _reduced(unit, scale, config, pruning)
            if unit in followed:
                content[name] = {**content[name], **_by_epoch(unit, scale, config)}
        if write_pack(path, content):
            written.append(path)
            log.info("%s: %d folders, %d bytes", path, len(content), path.stat().st_size)
    for name in config["variants"]:
        place = VARIANT.format(variant=name)
        varied = variant_config(name, config)
        written += pack(scale / place, varied, published / place, pruning=PRUNING_OF_VARIANT)
    for name in NOT_FROM_PACKS:
        _copy_figure(name, scale / PARTIAL, published)
    return written


def unpack(published: Path, scale: Path, config: Config) -> int:
    """Put packed runs and scores into the folder of a scale, where the workflow finds them made.

    What is there already is kept.

    Args:
        published: the folder of the packs.
        scale: the folder of the scale's results.
        config: says which of them a job makes together.

    Returns:
        how many runs and starts were put there.

    Raises:
        UserError: there is no pack, one is damaged, or the folder cannot be written.
    """
    if not (found := sorted(published.rglob(f"*{SUFFIX}"))):
        raise UserError(
            f"{published} holds no pack ({SUFFIX}): name the folder that `make publish` has filled"
        )
    count = 0
    for path in found:
        folder = scale / path.relative_to(published).parent
        for name, files in read_pack(path).items():
            if unknown := files.keys() - set(_WRITTEN):
                raise UserError(
                    f"{path} holds {min(unknown)}, which is no file of a run or a start"
                )
            if has_files(folder / name, files):
                continue
            for file in sorted(files, key=_WRITTEN.index):
                with atomic_write(folder / name / file) as temporary:
                    temporary.write_bytes(files[file])
            count += 1
    _note_blocks(scale, config)
    for name in config["variants"]:
        _note_blocks(scale / VARIANT.format(variant=name), variant_config(name, config))
    for name in NOT_FROM_PACKS:
        _copy_figure(name, published, scale / PARTIAL)
    return count


def _copy_figure(name: str, source: Path, target: Path) -> None:
    """Copy all files of a figure that are there."""
    for path in (source / EXHIBITS[name].folder).glob(f"{name}.*"):
        with atomic_write(target / EXHIBITS[name].folder / path.name) as temporary:
            temporary.write_bytes(path.read_bytes())


def _finished(scale: Path, config: Config) -> Iterator[Run | Start]:
    """What is there of the runs that a config asks for, and of the starts whose scores it shows."""
    shown = {
        scored_start(*each, config)
        for exhibit in EXHIBITS.values()
        for each in scored(exhibit, config)
    }
    for folder, files, units in (
        (RUNS, RESULT_FILES, runs_of("all", config)),
        (STARTS, START_FILES, shown),
    ):
        yield from (unit for unit in units if has_files(scale / folder / unit.folder, files))


def _pack_of(unit: Run | Start, published: Path) -> Path:
    kind = RUNS if isinstance(unit, Run) else STARTS
    return published / kind / unit.dataset / f"{seeds_beside(unit.seed, SEEDS)}{SUFFIX}"


def _is_packed(unit: Run | Start, files: Files | None, config: Config) -> bool:
    """Whether the files are of what the config asks for."""
    return files is not None and all(
        json.loads(files[name])["spec_digest"] == spec.digest
        for name, spec in _specs(unit, config).items()
    )


def _specs(unit: Run | Start, config: Config) -> dict:
    """The specification of each of a unit's records."""
    if isinstance(unit, Start):
        return {"start.json": start_spec(unit, config)}
    return {
        "run.json": training_spec(unit, config),
        "evaluation.json": evaluation_spec(unit, config),
    }


def _reduced(unit: Run | Start, scale: Path, config: Config, pruning: Sequence[str]) -> Files:
    is_run = isinstance(unit, Run)
    folder = scale / (RUNS if is_run else STARTS) / unit.folder
    for name, spec in _specs(unit, config).items():
        check_spec(folder / name, read_record(folder / name), spec.to_dict())
    if is_run:
        return reduced_run(folder, pruning)
    return reduced_start(folder, unit.dataset, config)


def _by_epoch(run: Run, scale: Path, config: Config) -> Files:
    """What attacks after every epoch of a run have found, if they were made."""
    folder = scale / RUNS / run.folder
    if not has_files(folder, BY_EPOCH_FILES):
        return {}
    record = folder / BY_EPOCH_FILES[-1]
    content = read_record(record)
    check_spec(record, content, by_epoch_spec(run, config).to_dict())
    check_files(record, content)
    return {name: (folder / name).read_bytes() for name in BY_EPOCH_FILES}


def _note_blocks(scale: Path, config: Config) -> None:
    """Note of each block whose results are all there that it is made, as its job does.

    In the order of the jobs: what is newer than its input is not made again.
    """
    of_runs = run_blocks(config)
    followed = {*runs_of("by_epoch", config)}
    by_epoch = {block: [run for run in runs if run in followed] for block, runs in of_runs.items()}
    for rule, folder, files, blocks in (
        ("start", STARTS, START_FILES, start_blocks(config)),
        ("train", RUNS, TRAINED_FILES, of_runs),
        ("evaluate", RUNS, EVALUATED_FILES, of_runs),
        ("by_epoch", RUNS, BY_EPOCH_FILES, by_epoch),
    ):
        for block, units in blocks.items():
            output = scale / BLOCKS / rule / f"{block}.json"
            places = [scale / folder / unit.folder for unit in units]
            if units and not output.exists() and all(has_files(place, files) for place in places):
                write_block(output, [place / files[-1] for place in places])

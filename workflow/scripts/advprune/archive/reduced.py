"""A run, or a start, less what no table, figure or claim is made from.

What is left out are networks and the scores that figures do not show, nine tenths of the bytes. The
record has the hashes of what is left, and keeps those of what there was.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import load_file, save_file

from advprune.archive.packs import Files
from advprune.paths import EVALUATED_FILES, START_FILES, TRAINED_FILES
from advprune.plan.config import Config, study_of
from advprune.storage.records import REDUCED_FROM, check_files, read_record, write_record

# Of float32's 23 bits after the point: what is left of a score is its value to within 0.012%, and
# takes 6 tenths of the bytes.
BITS_LEFT_OUT = 11
# Of the tensors in pruning.safetensors: no table is made of what a variant's runs have kept.
PRUNING, PRUNING_OF_VARIANT = ("kept", "label"), ("label",)


def reduced_run(folder: Path, pruning: Sequence[str] = PRUNING) -> Files:
    """The files of a run that is trained and evaluated.

    Args:
        folder: of the run.
        pruning: the tensors that are left of its pruning.

    Raises:
        UserError: one is missing or damaged.
    """
    record = folder / "evaluation.json"
    check_files(record, read_record(record))
    evaluated = {name: (folder / name).read_bytes() for name in EVALUATED_FILES}
    return _reduced(folder, TRAINED_FILES, "pruning.safetensors", pruning) | evaluated


def reduced_start(folder: Path, dataset: str, config: Config) -> Files:
    """The files of a start, with those scores alone that figures show, rounded.

    Args:
        folder: of the start.
        dataset: that it is trained on.
        config: says in which way the scores that are shown were taken.

    Raises:
        UserError: one is missing or damaged.
    """
    settings = study_of(dataset, config)["scores"]
    way = settings["deepfool_taken"]
    distances = [f"{name}.{way}" for name in ("distance", "converged", "iterations")]
    shown = ("label", f"loss.{settings['loss_taken']}", *distances)
    return _reduced(folder, START_FILES, "scores.safetensors", shown)


def rounded(values: np.ndarray) -> np.ndarray:
    """Float32 rounded to 12 bits after the point; of other types the values as they are."""
    if values.dtype != np.float32:
        return values
    bits = values.view(np.uint32).astype(np.uint64) + (1 << (BITS_LEFT_OUT - 1))
    left = (bits >> BITS_LEFT_OUT << BITS_LEFT_OUT).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(values), left, values)


def _reduced(
    folder: Path, names: Sequence[str], reduced: str, tensors: Sequence[str]
) -> dict[str, bytes]:
    """The files of these names, the record last; of the one that is reduced some tensors alone."""
    *others, name = names
    record = read_record(folder / name)
    check_files(folder / name, record)
    if REDUCED_FROM in record:
        return {each: (folder / each).read_bytes() for each in names}
    with TemporaryDirectory() as temporary:
        paths = [Path(temporary) / each for each in others]
        for path in paths:
            path.write_bytes((folder / path.name).read_bytes())
        found = load_file(folder / reduced)
        left = {each: np.ascontiguousarray(rounded(found[each])) for each in tensors}
        save_file(left, Path(temporary) / reduced)
        place = Path(temporary) / name
        write_record(place, record | {REDUCED_FROM: record["files"]}, paths)
        return {path.name: path.read_bytes() for path in (*paths, place)}

"""What a data set's loader returns, held against what its entry says of it.

A data set of one's own is wrong more often than not at first, and mostly in ways that training does
not notice: images in [0, 1] train too, only to nothing.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from advprune.data.sources import Arrays
from advprune.errors import UserError
from advprune.spec.datasets import DATASETS, Dataset, wrong_in_entry

ENTRIES = "workflow/scripts/advprune/spec/datasets.py"
PARTS = ("train", "test")
LARGEST_DIFFERENCE = 0.02  # of mean and deviation, from what the entry says: 5 of 255 values
PIECES = 100  # of the images, whose values are counted piece by piece to save memory


def load_arrays(name: str, root: Path | None) -> Arrays:
    """Call a data set's loader, and lay what it returns out as it is to be stored.

    Args:
        name: of an entry in `DATASETS`.
        root: the folder that holds data sets, or None.

    Raises:
        UserError: the entry is wrong, its loader is not there, or it returned something else than
            the entry says.
    """
    entry = DATASETS[name]
    remedy = f"mend the function or the entry {name!r} in {ENTRIES}, and run again"
    if wrong := wrong_in_entry(name):
        raise UserError(f"the entry {name!r} in {ENTRIES} is wrong: {wrong}")
    try:
        load = pkgutil.resolve_name(entry.load)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{entry.load} cannot be imported ({error}): {remedy}") from error
    arrays = load(root)
    for complaint in _complaints(arrays, entry):
        raise UserError(f"{entry.load} returned {complaint}: {remedy}")
    labels_fit = np.uint8 if entry.classes <= 256 else np.int64
    stored = {}
    for part in PARTS:
        stored[f"{part}_images"] = np.ascontiguousarray(arrays[f"{part}_images"])
        stored[f"{part}_labels"] = np.ascontiguousarray(arrays[f"{part}_labels"], dtype=labels_fit)
    return stored


def _complaints(arrays: Any, entry: Dataset) -> Iterator[str]:
    """What is wrong; after a complaint nothing more may be asked for."""
    wanted = [f"{part}_{kind}" for part in PARTS for kind in ("images", "labels")]
    if not isinstance(arrays, Mapping):
        yield f"{type(arrays).__name__}, but must return a dictionary with {', '.join(wanted)}"
    for name in wanted:
        if name not in arrays:
            yield f"no {name}, but {', '.join(map(str, arrays)) or 'nothing'}"
        if not isinstance(arrays[name], np.ndarray):
            yield f"{name} as {type(arrays[name]).__name__}, but it must be a NumPy array"
    for part, count in zip(PARTS, entry.examples, strict=True):
        yield from _about_images(f"{part}_images", arrays[f"{part}_images"], count, entry)
        yield from _about_labels(f"{part}_labels", arrays[f"{part}_labels"], count, entry)
    yield from _about_brightness(arrays["train_images"], entry)


def _about_images(name: str, images: np.ndarray, count: int, entry: Dataset) -> Iterator[str]:
    if images.dtype != np.uint8:
        yield (
            f"{name} of type {images.dtype}, but they must be uint8, from 0 to 255 (of values in "
            "[0, 1]: np.rint(images * 255).astype(np.uint8))"
        )
    if images.shape != (count, *entry.shape):
        yield (
            f"{name} of shape {images.shape}, where the entry's examples and shape say "
            f"{(count, *entry.shape)}, that is (images, channels, height, width)"
        )
    if images.max() <= 1:
        yield f"{name} whose largest value is {images.max()}, but white must be 255"


def _about_labels(name: str, labels: np.ndarray, count: int, entry: Dataset) -> Iterator[str]:
    if labels.shape != (count,):
        yield (
            f"{name} of shape {labels.shape}, where the entry's examples say {(count,)}: a class "
            "for every image"
        )
    if labels.dtype.kind not in "iu":
        yield f"{name} of type {labels.dtype}, but they must be whole numbers, such as uint8"
    if labels.min() < 0 or labels.max() >= entry.classes:
        yield (
            f"{name} from {labels.min()} to {labels.max()}, but those of the entry's "
            f"{entry.classes} classes are 0 to {entry.classes - 1}"
        )


def _about_brightness(images: np.ndarray, entry: Dataset) -> Iterator[str]:
    """Channels in another order, or values on another scale, show in means and deviations."""
    values = np.arange(256) / 255
    for channel in range(images.shape[1]):
        pieces = np.array_split(images[:, channel], PIECES)
        counts = sum(np.bincount(piece.ravel(), minlength=256) for piece in pieces)
        mean = counts @ values / counts.sum()
        deviation = np.sqrt(counts @ (values - mean) ** 2 / counts.sum())
        for what, found, said in (
            ("mean", mean, entry.mean[channel]),
            ("standard_deviation", deviation, entry.standard_deviation[channel]),
        ):
            if abs(found - said) > LARGEST_DIFFERENCE:
                yield (
                    f"train_images whose {what} in channel {channel} is {found:.4f} (white is 1), "
                    f"where the entry says {said}"
                )

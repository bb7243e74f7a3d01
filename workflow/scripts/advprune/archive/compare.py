"""Whether results that were made again are those that were published.

Text must be the same. Numbers may differ in their last digits: processors round differently.
"""

import csv
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path

from advprune.errors import UserError
from advprune.storage.files import atomic_write

# Everything else is drawn from these.
COMPARED = ("config.json", "*.csv", "claims.md", "tables/*.csv", "tables/*.md", "figures/*.csv")
TOLERANCE = 1e-6  # relative
FINE = 5  # decimals, from which on a table's number may be rounded the other way
NOT_PUBLISHED = ("logs",)  # in a folder of results
LARGEST = 400_000  # bytes of a .csv that is published
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)", re.ASCII)
MOST_SHOWN = 5  # of the differences of one file


def compared_files(folder: Path) -> set[str]:
    """The files of a folder of results that are compared, by their paths in it."""
    found = {path.relative_to(folder) for name in COMPARED for path in folder.glob(name)}
    # Of those that were too large to be published there are the hashes.
    found |= {path.relative_to(folder).with_suffix("") for path in folder.glob("figures/*.sha256")}
    return {path.as_posix() for path in found}


def differences(made: Path, published: Path) -> list[str]:
    """What differs between results that were made again and those that were published.

    Args:
        made: a folder of results.
        published: another.

    Returns:
        a line for each difference; where a file has many, the first of them and their number.

    Raises:
        UserError: neither has a file that is compared.
    """
    here, there = compared_files(made), compared_files(published)
    if not here | there:
        raise UserError(
            f"neither {made} nor {published} has anything to compare, such as claims.md or "
            "tables/*.csv: name two folders of results"
        )
    found = [f"{name} was published and is not made any more" for name in sorted(there - here)]
    found += [f"{name} is made and was not published" for name in sorted(here - there)]
    for name in sorted(here & there):
        if not (published / name).exists():
            of_file = _large_table_differences
        else:
            of_file = _table_differences if name.endswith(".csv") else _text_differences
        lines = list(of_file(made / name, published / name))
        found += [f"{name}: {line}" for line in lines[:MOST_SHOWN]]
        if len(lines) > MOST_SHOWN:
            found.append(f"{name}: and {len(lines) - MOST_SHOWN} more differences")
    return found


def take_over(made: Path, published: Path) -> None:
    """Put results that were made into the folder of those that are published.

    What is published and was not made stays. Of tables of hundreds of kilobytes, with a row an
    example, the hashes alone come along; figures come as .pdf, which is small, and not as .png.
    """
    for path in sorted(made.rglob("*")):
        place = path.relative_to(made)
        if not path.is_file() or place.parts[0] in NOT_PUBLISHED or path.suffix == ".png":
            continue
        if path.suffix == ".csv" and path.stat().st_size > LARGEST:
            (published / place).unlink(missing_ok=True)
            continue
        with atomic_write(published / place) as temporary:
            temporary.write_bytes(path.read_bytes())


def _large_table_differences(made: Path, published: Path) -> Iterator[str]:
    """Of a table that was too large to be published: by its hash."""
    hashes = (Path(f"{path}.sha256").read_text(encoding="utf-8") for path in (made, published))
    new, old = (text.splitlines()[0] for text in hashes)
    if new != old:
        yield "it has another SHA-256 than that which was published"


def _table_differences(made: Path, published: Path) -> Iterator[str]:
    """Cell by cell, each named by its row's first cell and its column."""
    ours, theirs = (
        list(csv.reader(path.open(encoding="utf-8"))) or [[]] for path in (made, published)
    )
    if ours[:1] != theirs[:1]:
        yield f"its columns are {', '.join(ours[0])}, and were {', '.join(theirs[0])}"
        return
    if len(ours) != len(theirs):
        yield f"it has {len(ours) - 1} rows, and had {len(theirs) - 1}"
        return
    header = ours[0]
    for number, rows in enumerate(zip(ours[1:], theirs[1:], strict=True), 1):
        where = f"row {number} ({''.join(rows[1][:1])})"
        if {*map(len, rows)} != {len(header)}:
            new, old = map(len, rows)
            yield f"{where}: {new} cells, was {old}, under {len(header)} columns"
            continue
        for column, new, old in zip(header, *rows, strict=True):
            if not _same(new, old):
                yield f"{where}, {column}: {new or 'empty'}, was {old or 'empty'}"


def _text_differences(made: Path, published: Path) -> Iterator[str]:
    """Line by line."""
    lines = (path.read_text(encoding="utf-8").splitlines() for path in (made, published))
    for number, (new, old) in enumerate(itertools.zip_longest(*lines, fillvalue=""), 1):
        same_words = NUMBER.sub("0", new) == NUMBER.sub("0", old)
        pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=False)
        if not same_words or not all(_same_printed(*pair) for pair in pairs):
            yield f"line {number}: {new.strip()[:200]!r}, was {old.strip()[:200]!r}"


def _same(new: str, old: str) -> bool:
    """Whether two cells are equal, as text or as numbers but for their last digits."""
    if new == old:
        return True
    decimals = max(_decimals(new), _decimals(old))
    last = 1.5 * 10**-decimals if decimals >= FINE else 0.0
    try:
        return math.isclose(float(new), float(old), rel_tol=TOLERANCE, abs_tol=max(TOLERANCE, last))
    except ValueError:
        return False


def _same_printed(new: str, old: str) -> bool:
    """The same of rounded numbers, of which the last digit may be the next one."""
    decimals = _decimals(old)
    if _same(new, old) or not decimals or decimals != _decimals(new):
        return _same(new, old)
    return abs(float(new) - float(old)) < 1.5 * 10**-decimals


def _decimals(text: str) -> int:
    """How many decimals a number shows; of one with an exponent, and of other text, none."""
    return 0 if "e" in text else len(text.partition(".")[2])

"""The tables and figures of the report, in the paper's order, read from a folder of results."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from advprune.catalogue import Item
from advprune.errors import UserError
from advprune.records import check_hash
from advprune.report.claim_rows import ClaimRow
from advprune.tables import Table, read_back

CAPTIONS = Path(__file__).parents[4] / "report"
# Twice the pixels of a screen that shows a figure at full width: sharp, and a tenth of the bytes.
WIDEST_PIXELS = 1600
WEBP_QUALITY = 85


@dataclass(frozen=True)
class Picture:
    """A picture that is part of the page: a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A table or figure as the page shows it; neither picture nor table where it is missing.

    Attributes:
        item: which it is.
        caption: what is to be seen; empty where a table's title says it.
        claims: what the paper says of it.
        links: label and address, relative to the page, of its files.
        picture: of a figure.
        table: of a table.
    """

    item: Item
    caption: str
    claims: Sequence[ClaimRow]
    links: Sequence[tuple[str, str]]
    picture: Picture | None = None
    table: Table | None = None


def read_section(item: Item, results: Path, claims: Sequence[ClaimRow]) -> Section:
    """Read one table or figure, as far as it has been made.

    Args:
        item: which one.
        results: the folder that holds ``tables`` and ``figures``.
        claims: all of the paper's.

    Raises:
        UserError: a file is there but damaged.
    """
    files = {suffix: f"{item.folder}/{item.name}.{suffix}" for suffix in ("csv", "pdf", "tex")}
    links = [(suffix.upper(), path) for suffix, path in files.items() if (results / path).exists()]
    caption = CAPTIONS / f"{item.name}.rst"
    shown = (results / item.folder / item.name).with_suffix(
        ".png" if item.folder == "figures" else ".md"
    )
    picture, table = None, None
    if shown.exists() and shown.suffix == ".png":
        check_hash(shown, made_with=shown.with_suffix(".csv"))
        picture = read_picture(shown)
    elif shown.exists():
        table = read_back(shown.with_suffix(".csv"))
    return Section(
        item=item,
        caption=" ".join(caption.read_text(encoding="utf-8").split()) if caption.exists() else "",
        claims=[c for c in claims if item.place and re.search(item.place, c.place)],
        links=links if picture or table else [],
        picture=picture,
        table=table,
    )


def read_picture(path: Path) -> Picture:
    """A figure as a data URI, no wider than a screen needs.

    Raises:
        UserError: the file is no picture.
    """
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except OSError as error:
        raise UserError(f"{path} is not a picture: delete it and run again") from error
    on_white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(on_white, image).convert("RGB")
    if image.width > WIDEST_PIXELS:
        height = round(image.height * WIDEST_PIXELS / image.width)
        image = image.resize((WIDEST_PIXELS, height), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "WEBP", quality=WEBP_QUALITY)
    text = base64.b64encode(encoded.getvalue()).decode("ascii")
    return Picture(f"data:image/webp;base64,{text}", *image.size)

"""The tables and figures of the report, in the paper's order, read from a folder of results."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from advprune.errors import UserError
from advprune.paths import CAPTIONS
from advprune.plan.exhibits import Exhibit
from advprune.report.claims import ClaimList
from advprune.storage.records import check_hash
from advprune.tables.table import ShownTable, read_shown

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
        exhibit: which it is.
        caption: what is to be seen.
        claims: what the paper says of it.
        links: label and address, relative to the page, of its files.
        picture: of a figure.
        table: of a table.
    """

    exhibit: Exhibit
    caption: str
    claims: Sequence[dict[str, str]]
    links: Sequence[tuple[str, str]]
    picture: Picture | None = None
    table: ShownTable | None = None


def read_section(exhibit: Exhibit, results: Path, claims: ClaimList | None) -> Section:
    """Read one table or figure, as far as it has been made.

    Args:
        exhibit: which one.
        results: the folder that holds ``tables`` and ``figures``.
        claims: all of the paper's; None where they have not been judged.

    Raises:
        UserError: a file is there but damaged.
    """
    place = results / exhibit.folder / exhibit.name
    links = [
        (suffix.upper(), f"{exhibit.folder}/{exhibit.name}.{suffix}")
        for suffix in ("csv", "pdf", "tex")
        if place.with_suffix(f".{suffix}").exists()
    ]
    picture, table = None, None
    if exhibit.folder == "figures" and place.with_suffix(".png").exists():
        check_hash(place.with_suffix(".png"), made_with=place.with_suffix(".csv"))
        picture = read_picture(place.with_suffix(".png"))
    if exhibit.folder == "tables" and place.with_suffix(".csv").exists():
        table = read_shown(place.with_suffix(".csv"))
    caption = (CAPTIONS / f"{exhibit.name}.rst").read_text(encoding="utf-8")
    return Section(
        exhibit=exhibit,
        caption=" ".join(caption.split()),
        claims=claims.shown_in(exhibit.name) if claims else [],
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

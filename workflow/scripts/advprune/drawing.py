"""How every figure looks, and how it is written: as PDF, as PNG and as the CSV it is drawn from."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.files import write_text, written_whole
from advprune.pruning import METHODS
from advprune.records import write_hashes

PAGE_WIDTH = 6.9  # inches
# Okabe and Ito's palette, told apart with any colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442")
CLASS_COLOURS = "tab10"
PROXIES = {"loss": "Loss", "deepfool": "DeepFool"}


@dataclass(frozen=True)
class Look:
    """How a method is drawn: colour tells its side, marker its proxy."""

    colour: str
    marker: str


def look_of(method: str) -> Look:
    """The look of a method, the same in every figure."""
    family = _family(method)
    if family in ("full", "standard"):
        colour = "#000000" if family == "full" else "#777777"
    else:
        families = list(dict.fromkeys(_family(name) for name, m in METHODS.items() if m.select))
        # Low distance, the paper's main method, comes first whatever the registry's order.
        families.sort(key=lambda name: name != "low")
        colour = PALETTE[families.index(family) % len(PALETTE)]
    return Look(colour, "s" if METHODS[method].proxy == "deepfool" else "o")


def _family(method: str) -> str:
    proxy = METHODS[method].proxy
    return method.removesuffix(f"-{proxy}") if proxy else method


def short_label(method: str) -> str:
    """A method's label without its proxy, for a panel whose title names the proxy."""
    return METHODS[method].label.split(" (")[0]


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = PAGE_WIDTH, height: float, **options: object
) -> tuple[Figure, object]:
    """A figure in the house style and its axes, always as an array of rows and columns."""
    mpl.use("agg")
    sns.set_theme(
        context="paper",
        style="ticks",
        font_scale=0.9,
        rc={
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "axes.spines.right": False,
            "axes.spines.top": False,
            "pdf.fonttype": 42,
            "legend.frameon": False,
            "lines.linewidth": 1.3,
        },
    )
    return plt.subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **options
    )


def inside_percentages(means: pd.Series, half_widths: pd.Series) -> list[pd.Series]:
    """Error bars cut off at 0% and 100%, beyond which no accuracy can be."""
    half_widths = half_widths.fillna(0)
    return [half_widths.clip(upper=means), half_widths.clip(upper=100 - means)]


def percentage_limits(values: pd.Series) -> tuple[float, float]:
    """An axis from a little below the lowest value to a little above the highest.

    Never narrower than ten points, so that noise does not fill a panel.
    """
    centre = (values.min() + values.max()) / 2
    half = max(0.65 * (values.max() - values.min()), 5)
    return max(centre - half, -3), min(centre + half, 103)


def share_legend(figure: Figure, axes: Iterable[Axes], title: str | None = None) -> None:
    """One legend for all panels, above them, where it hides no data.

    Panels differ in markers alone: the first one's are shown.
    """
    entries = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True)) | entries
    figure.legend(
        entries.values(), entries.keys(), loc="outside upper center", ncols=4, title=title
    )


def add_note(figure: Figure, note: str) -> None:
    """Small grey lines below everything: the data and the scale."""
    lines = [wrapped for line in note.split("\n") for wrapped in textwrap.wrap(line, 125)]
    figure.supxlabel("\n".join(lines), fontsize=6.5, color="#555555", x=0.01, ha="left")


def save_figure(figure: Figure, data: pd.DataFrame, path: str | Path) -> None:
    """Write ``data`` to ``path``, a .csv, the figure beside it as .pdf and .png, and their hashes.

    The same figure gives the same bytes: no date is put into the files.
    """
    path = Path(path)
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {"Software": None})):
        with written_whole(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, dpi=300, metadata=metadata)
    plt.close(figure)
    write_text(path, data.to_csv(index=False))
    write_hashes(path, path.with_suffix(".pdf"), path.with_suffix(".png"))

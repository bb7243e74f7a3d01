"""How every figure looks, and how it is written: as PDF, as PNG and as the CSV it is drawn from."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advprune.spec.methods import METHODS
from advprune.storage.files import atomic_write, write_text
from advprune.storage.records import write_hashes

PAGE_WIDTH = 6.9  # inches
# Okabe and Ito's palette, told apart with any colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442")
CLASS_COLOURS = "tab10"
TEXT, SMALL_TEXT = 8.6, 7.9  # points
LEGEND_WIDTH, MARKER_WIDTH = 115, 9  # characters of small text: on a page, and before each name
INK = "0.15"
STYLE = {
    "font.size": TEXT,
    **dict.fromkeys(["axes.labelsize", "axes.titlesize", "legend.title_fontsize"], TEXT),
    **dict.fromkeys(["xtick.labelsize", "ytick.labelsize", "legend.fontsize"], SMALL_TEXT),
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor"], INK),
    **dict.fromkeys(["xtick.color", "ytick.color"], INK),
    **dict.fromkeys(["axes.linewidth", "xtick.major.width", "ytick.major.width"], 1.0),
    **dict.fromkeys(["xtick.major.size", "ytick.major.size"], 4.8),
    "figure.constrained_layout.wspace": 0.05,  # of a panel: no label touches the panel beside it
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.8,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Look:
    """How a method is drawn: colour tells its side, marker its proxy."""

    colour: str
    marker: str


def look_of(method: str) -> Look:
    """The look of a method, the same in every figure."""
    known = METHODS[method]
    if known.select is None:
        colour = "#000000" if known.adversarial else "#777777"
    else:
        strategies = list(dict.fromkeys(each.strategy for each in METHODS.values() if each.select))
        # The paper's main method comes first, whatever the registry's order.
        strategies.sort(key=lambda strategy: strategy != METHODS["low-loss"].strategy)
        colour = PALETTE[strategies.index(known.strategy) % len(PALETTE)]
    return Look(colour, "s" if known.proxy == "deepfool" else "o")


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = PAGE_WIDTH, height: float, **options: object
) -> tuple[Figure, object]:
    """A figure in the house style and its axes, always as an array of rows and columns."""
    plt.rcParams.update(STYLE)
    return plt.subplots(
        rows, columns, figsize=(width, height), squeeze=False, layout="constrained", **options
    )


def inside_percentages(means: pd.Series, half_widths: pd.Series) -> list[pd.Series]:
    """Error bars cut off at 0% and 100%, beyond which no accuracy can be."""
    half_widths = half_widths.fillna(0)
    return [half_widths.clip(upper=means), half_widths.clip(upper=100 - means)]


def percentage_limits(values: pd.Series) -> tuple[float, float]:
    """An axis from a little below the lowest value to a little above the highest.

    Never narrower than ten points, so that noise does not fill a panel. Without any value: from
    0% to 100%.
    """
    if values.isna().all():
        values = pd.Series([0, 100])
    centre = (values.min() + values.max()) / 2
    half = max(0.65 * (values.max() - values.min()), 5)
    return max(centre - half, -3), min(centre + half, 103)


def axis_label(label: str) -> str:
    """An accuracy's name in two lines: in one it is longer than a low panel is high."""
    return label.replace(" accuracy", "\naccuracy")


def share_legend(figure: Figure, axes: Iterable[Axes], title: str | None = None) -> None:
    """One legend for all panels, above them, where it hides no data.

    Panels differ in markers alone: the first one's are shown.
    """
    entries = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True)) | entries
    longest = max(map(len, entries), default=0)
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside upper center",
        ncols=min(4, max(1, LEGEND_WIDTH // (longest + MARKER_WIDTH))),
        title=title,
    )


def add_note(figure: Figure, note: str) -> None:
    """Small grey lines below everything: the data and the scale."""
    lines = [wrapped for line in note.split("\n") for wrapped in textwrap.wrap(line, 125)]
    figure.supxlabel("\n".join(lines), fontsize=6.5, color="#555555", x=0.01, ha="left")


@dataclass(frozen=True)
class Drawing:
    """A figure ready to be written, and the data that it is drawn from."""

    figure: Figure
    data: pd.DataFrame

    def write(self, path: str | Path) -> None:
        """Write the data to ``path``, a .csv, the figure beside it as .pdf and .png, and hashes.

        The same figure gives the same bytes: no date is put into the files.
        """
        path = Path(path)
        for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {"Software": None})):
            with atomic_write(path.with_suffix(suffix)) as temporary:
                self.figure.savefig(temporary, dpi=300, metadata=metadata)
            self.figure.set_layout_engine("none")  # laid out once: it takes a fifth of the time
        plt.close(self.figure)
        write_text(path, self.data.to_csv(index=False))
        write_hashes(path, path.with_suffix(".pdf"), path.with_suffix(".png"))

"""A folder of results as the workflow leaves it, tiny, and what is on the page made of it."""

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from run_tables import table_of_runs
from workflow_tools import PROJECT

from advprune.analysis.run_table import write_runs
from advprune.claims.headline import headline
from advprune.plan.config import Config, load_config, write_config
from advprune.plan.exhibits import EXHIBITS, runs_of
from advprune.report.page import report_page
from advprune.report.sections import WIDEST_PIXELS
from advprune.storage.records import write_hashes, write_record
from advprune.tables.table import Table

SMOKE = load_config(PROJECT / "config/smoke.yaml")
HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\" 'text'"
PROVENANCE = {
    "python": "3.11.0",
    "packages": {"torch": "2.0", "numpy": "1.0"},
    "source": "0123456789abcdef",
    "commit": "c0ffee",
    "uncommitted_changes": True,
    "device": "cpu: x86_64",
    "threads": 1,
    "started": "2026-01-02T03:04:05+00:00",
    "ended": "2026-01-02T05:06:07+00:00",
}
NAMES = ("id", "place", "shown_in", "says", "printed", "value", "n", "verdict", "other_verdict")
CLAIMS = [
    ("first", "Table 1", "table1", "A first claim", -2, -1.5, "3, 3", "REPRODUCED", "DIFFERS"),
    ("second", "Figure 3", "figure3 standard_accuracy", "Second", 99, 10, "3", "DIFFERS", ""),
    ("third", "Section 1", "", HOSTILE, None, 4.25, "12", "UNDERPOWERED", "UNDERPOWERED"),
    ("fourth", "Section 4.1", "figure3", "Fourth", 7, None, "0", "NOT RUN", ""),
    ("fifth", "Figure 30", "", "Fifth", 10, 100, "3", "REPRODUCED", "REPRODUCED"),
]


def write_results(folder: Path, config: Config = SMOKE) -> Path:
    """Results as the workflow leaves them, every table and figure a tiny one of its kind.

    But for the records of the single runs, which `write_records` writes.
    """
    write_config(folder / "config.json", config)
    write_runs(folder / "runs.csv", timed(runs_of("all", config)))
    claims_table().write(folder / "claims.csv")
    cells = pd.DataFrame({"Method": ["None", "Low | high"], "p": ["1.0", "0.6"]})
    for exhibit in EXHIBITS.values():
        path = folder / exhibit.folder / f"{exhibit.name}.csv"
        if exhibit.folder == "tables":
            Table(exhibit.title, cells, cells, ["a note"]).write(path)
        else:
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (2 * WIDEST_PIXELS, 40), "orange").save(path.with_suffix(".png"))
            for empty in (path, path.with_suffix(".pdf")):
                empty.touch()
            write_hashes(path, *map(path.with_suffix, (".pdf", ".png")))
    return folder


def write_records(folder: Path, config: Config = SMOKE) -> None:
    """Two records of each run."""
    for run in runs_of("all", config):
        place = folder / "runs" / run.folder
        place.mkdir(parents=True)
        for name in ("run.json", "evaluation.json"):
            write_record(place / name, {"provenance": PROVENANCE}, [])


def timed(runs: Sequence, **columns: object) -> pd.DataFrame:
    """A table of runs that took a minute each to train and two to evaluate."""
    seconds = {
        "training_seconds": 60.0,
        "uncompared_seconds": 0.0,
        "scoring_seconds": 6.0,
        "evaluation_seconds": 120.0,
    }
    return table_of_runs(runs, **seconds, **columns)


def claims_table() -> Table:
    """The table of `CLAIMS`, with columns that `tables.claims` gives it."""
    numbers = pd.DataFrame(CLAIMS, columns=NAMES)
    judged = numbers["other_verdict"] != ""
    numbers = numbers.assign(
        other_value=np.where(judged, 8.5, np.nan),
        printed_shown=numbers["printed"].map(lambda value: f"{value:g}").replace("nan", "in words"),
        ours_shown=numbers["value"].map(lambda value: f"{value:g}").replace("nan", ""),
        other_shown=np.where(judged, "8.50 [8.00, 9.00]", ""),
        other_attack="APGD-CE 40×5",
        group=["effect", "number", "effect", "number", "no loss"],
        primary=[True, False, True, False, False],
        without_effect_is=["false", "true", "false", "", "true"],
        without_effect_percent=[3.0, 50.0, 2.0, np.nan, 100.0],
        reason=["", "outside", "", "no run", ""],
        note=["", "", "a|b", "", ""],
    )
    shown = numbers[["says", "verdict"]]
    counts = [group.line for group in headline(numbers.to_dict("records"))]
    return Table("The paper's claims", numbers, shown, [*counts, "how they are judged"])


class Page(HTMLParser):
    """What is on a page: its elements, its text, and the text of each section.

    Attributes:
        elements: tag and attributes of each.
        text: all that is to be read, in one line.
        sections: id of each section to its text, in the page's order.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements, self.sections = [], {}
        self._texts, self._section, self._hidden = [], None, False
        self.feed(html)
        self.text = " ".join(" ".join(self._texts).split())
        self.sections = {name: " ".join(text.split()) for name, text in self.sections.items()}

    @property
    def head(self) -> str:
        """What stands before the verdicts."""
        return self.text.partition("REPRODUCED")[0]

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._hidden = tag in ("script", "style")
        if tag == "section":
            self._section = dict(attrs)["id"]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._texts.append(data)
            if self._section:
                self.sections[self._section] = self.sections.get(self._section, "") + " " + data

    def all(self, attribute: str) -> list[str]:
        """Every value of an attribute."""
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]


def page_of(results: Path, config: Mapping = SMOKE) -> Page:
    """The page made of a folder of results."""
    return Page(report_page(results, config, results / "runs"))

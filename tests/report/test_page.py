"""The report: one page with every verdict, table and figure, and how they were made."""

import copy
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from advprune.catalogue import ITEMS
from browser import CHROMEDRIVER, started_browser
from builders import MADE_WITH
from PIL import Image
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import write_runs
from advprune.errors import UserError
from advprune.plan.config import load_config, write_config
from advprune.plan.exhibits import runs_of
from advprune.report.page import report_page
from advprune.report.sections import WIDEST_PIXELS
from advprune.storage.records import write_hashes, write_record
from advprune.tables.table import Table, write_table

SMOKE = load_config(PROJECT / "config/smoke.yaml")
HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\" 'text'"
# id, place, says, printed, ours, n, verdict, the same under the other attack, reason, note
CLAIMS = [
    ("first", "Table 1", "A first claim", "-2", "-1.5", "3, 3", "REPRODUCED", "DIFFERS", "", ""),
    ("second", "Figure 3, caption", "Second", "99", "10", "3", "DIFFERS", "", "outside", ""),
    ("third", "Section 1", HOSTILE, "", "4.25", "12", "UNDERPOWERED", "UNDERPOWERED", "", "a|b"),
    ("fourth", "Section 4.1; Figure 3", "Fourth", "7", "", "0", "NOT RUN", "", "no run", ""),
    ("fifth", "Figure 30", "Fifth", "10", "100", "3", "REPRODUCED", "REPRODUCED", "", ""),
]


def write_results(folder, config=SMOKE):
    """Results as the workflow leaves them, every table and figure a tiny one of its kind."""
    runs = runs_of("all", config)
    write_config(folder / "config.json", config)
    write_runs(folder / "runs.csv", pd.DataFrame([run_row(run) for run in runs]))
    for run in runs:
        place = folder / "runs" / run.folder
        place.mkdir(parents=True)
        for name in ("run.json", "evaluation.json"):
            write_record(place / name, {"provenance": PROVENANCE}, [])
    write_claims(folder)
    numbers = pd.DataFrame({"Method": ["None", "Low | high"], "p": ["1.0", "0.6"]})
    for item in ITEMS:
        path = folder / item.folder / item.name
        if item.folder == "tables":
            write_table(path.with_suffix(".csv"), Table(item.heading, numbers, numbers, ["a note"]))
        else:
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (2 * WIDEST_PIXELS, 40), "orange").save(path.with_suffix(".png"))
            path.with_suffix(".pdf").touch()
            path.with_suffix(".csv").touch()
            write_hashes(*map(path.with_suffix, (".csv", ".pdf", ".png")))
    return folder


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


def run_row(run):
    return {
        **{name: getattr(run, name) for name in ("dataset", "method", "p", "e", "seed")},
        **{"training_seconds": 60.0, "scoring_seconds": 6.0, "evaluation_seconds": 120.0},
        **MADE_WITH,
        **{"diverged_epoch": None, "source": "01234567"},
    }


def write_claims(folder, claims=CLAIMS):
    names = ["id", "place", "says", "printed", "value", "n", "verdict", "other_verdict"]
    numbers = pd.DataFrame(claims, columns=[*names, "reason", "note"])
    numbers["other_value"] = ["8.5" if verdict else "" for verdict in numbers["other_verdict"]]
    other = numbers["other_value"].where(numbers["other_value"] == "", "8.50 [8.00, 9.00] ")
    shown = pd.DataFrame(
        {
            "Printed": numbers["printed"].replace("", "in words"),
            "Ours": numbers["value"],
            "By APGD-CE 40×5": other + numbers["other_verdict"],
        }
    )
    notes = ["5 claims", "how they are judged"]
    write_table(folder / "claims.csv", Table("The paper's claims", numbers, shown, notes))


class Page(HTMLParser):
    """What is on a page: its elements, its text, and the text of each section.

    Attributes:
        elements: tag and attributes of each.
        text: all that is to be read, in one line.
        sections: id of each section to its text, in the page's order.
    """

    def __init__(self, html):
        super().__init__()
        self.elements, self.sections = [], {}
        self._texts, self._section, self._hidden = [], None, False
        self.feed(html)
        self.text = " ".join(" ".join(self._texts).split())
        self.sections = {name: " ".join(text.split()) for name, text in self.sections.items()}

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._hidden = tag in ("script", "style")
        if tag == "section":
            self._section = dict(attrs)["id"]

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self._texts.append(data)
            if self._section:
                self.sections[self._section] = self.sections.get(self._section, "") + " " + data

    def all(self, attribute):
        """Every value of an attribute."""
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]


@pytest.fixture
def results(tmp_path):
    return write_results(tmp_path)


def page_of(results, config=SMOKE):
    return Page(report_page(results, config, results / "runs"))


# What stands on its face.


def test_the_head_counts_the_verdicts(results):
    assert "2 REPRODUCED 1 DIFFERS 1 UNDERPOWERED 1 NOT RUN" in page_of(results).text


def test_the_head_counts_the_verdicts_that_the_other_attack_changes(results):
    assert "Judged by APGD-CE 40×5 instead, 1 of them would change." in page_of(results).text


def test_stand_ins_and_reduced_scales_are_said_at_the_top(results):
    head = page_of(results).text.partition("REPRODUCED")[0]
    for said in ("stand-in data", "MNIST training digits, a stand-in for MNIST", "scale: smoke"):
        assert said in head
    assert "not the paper's scale (mnist): dataset mnist5k instead of mnist" in head


def test_nothing_is_warned_of_when_the_paper_was_run_whole(tmp_path):
    page = page_of(write_results(tmp_path, load_config()), load_config())
    assert "Not the paper’s experiment" not in page.text
    assert "mnist : nothing cifar10 : nothing" in page.sections["origin"]


# Claims.


def test_every_claim_has_an_anchor_of_its_own(results):
    ids = page_of(results).all("id")
    assert [name for name in ids if name.startswith("claim-")] == [f"claim-{c[0]}" for c in CLAIMS]


def test_a_claim_is_shown_with_all_that_is_known_of_it(results):
    shown = page_of(results).sections["claims"]
    row = shown[shown.index("A first claim") : shown.index("Second")]
    wanted = "A first claim # Table 1 -2 -1.5 3, 3 REPRODUCED 8.50 [8.00, 9.00] DIFFERS"
    assert row.strip() == wanted


def test_what_is_shown_is_escaped(results):
    page = page_of(results)
    assert HOSTILE in page.text
    assert page.all("onerror") == []


def test_a_table_or_figure_stands_beside_the_claims_whose_place_names_it(results):
    sections = page_of(results).sections
    said = {
        name: [c[2] for c in CLAIMS if c[2] in sections[name]]
        for name in ("table1", "figure3", "standard_accuracy", "figure4")
    }
    assert said == {
        "table1": ["A first claim"],
        "figure3": ["Second", "Fourth"],
        "standard_accuracy": ["Second"],
        "figure4": [],
    }


# Tables and figures.


def test_tables_and_figures_stand_in_the_papers_order(results):
    wanted = ["claims", *(item.name for item in ITEMS), "origin"]
    assert list(page_of(results).sections) == wanted


def test_a_picture_is_part_of_the_page_and_no_wider_than_a_screen_needs(results):
    pictures = [attrs for tag, attrs in page_of(results).elements if tag == "img"]
    assert len(pictures) == sum(item.folder == "figures" for item in ITEMS)
    assert {attrs["src"].partition(",")[0] for attrs in pictures} == {"data:image/webp;base64"}
    assert {(attrs["width"], attrs["height"]) for attrs in pictures} == {(f"{WIDEST_PIXELS}", "20")}
    assert all(attrs["alt"] for attrs in pictures)


def test_a_table_is_shown_as_its_markdown_has_it(results):
    assert "Method p None 1.0 Low | high 0.6 a note" in page_of(results).sections["table1"]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_a_table_or_figure_that_is_missing_is_said_to_be(results, item):
    for path in (results / item.folder).glob(f"{item.name}.*"):
        path.unlink()
    sections = page_of(results).sections
    missing = [name for name, text in sections.items() if "Not there:" in text]
    assert missing == [item.name]


# How it was run.


def test_the_cost_of_all_runs_is_added_up(results):
    count = len(runs_of("all", SMOKE))
    assert count == 15
    origin = page_of(results).sections["origin"]
    assert "Training 15.0 minutes in all, 90 seconds of them DeepFool's" in origin
    assert "Evaluation 30.0 minutes in all" in origin


@pytest.mark.parametrize(
    "said",
    [
        "Commit c0ffee with uncommitted changes",
        "Software Python 3.11.0, torch 2.0, numpy 1.0",
        "Trained on cpu: x86_64",
        "Library’s source 01234567",
        "From, to 2026-01-02 03:04 to 2026-01-02 05:06 UTC",
        "Diverged 0 of 15 runs",
    ],
)
def test_what_the_runs_were_made_with_is_said(results, said):
    assert said in page_of(results).sections["origin"]


def test_what_no_record_says_is_said_to_be_unknown(results):
    shutil.rmtree(results / "runs")
    origin = page_of(results).sections["origin"]
    for name in ("Evaluated on", "Software", "Commit", "From, to"):
        assert f"{name} not known" in origin
    assert "Records 30 of 30" in origin


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("torch", "different versions of PyTorch, with how many runs: 2.0 (14), other (1)"),
        ("device", "different devices, with how many runs: cpu: x86_64 (14), other (1)"),
        (
            "source",
            "different states of the pipeline's code, with how many runs: 01234567 (14), other (1)",
        ),
    ],
)
def test_a_mixture_of_runs_is_warned_of_at_the_top(results, column, said):
    rows = [run_row(run) for run in runs_of("all", SMOKE)]
    rows[3][column] = "other"
    write_runs(results / "runs.csv", pd.DataFrame(rows))
    assert said in page_of(results).text.partition("REPRODUCED")[0]


def test_runs_that_are_missing_are_counted_and_named(results):
    runs = runs_of("all", SMOKE)
    rows = [run_row(run) for run in runs if run != runs[0]]
    write_runs(results / "runs.csv", pd.DataFrame(rows))
    page = page_of(results)
    assert "incomplete: 14 of 15 runs are done" in page.text.partition("REPRODUCED")[0]
    assert f"Missing runs: 1 {runs[0].folder.parent}: 1 of 2 runs" in page.sections["origin"]


def test_before_any_run_has_finished_the_page_says_so(tmp_path):
    page = page_of(tmp_path)
    assert "claims.csv is not there" in page.sections["claims"]
    assert "No run has finished yet." in page.sections["origin"]
    assert "incomplete: 0 of 15 runs are done" in page.text


def test_the_whole_config_is_shown_without_paths_of_the_machine(results):
    config = copy.deepcopy(SMOKE) | {"data_root": "/home/somebody/data"}
    html = report_page(results, config, results / "runs")
    assert '"max_iterations"' in Page(html).text
    assert "somebody" not in html


def test_the_page_has_no_path_of_the_machine(results):
    html = report_page(results, SMOKE, results / "runs")
    assert str(results) not in html
    assert str(PROJECT) not in html


# Links.


def test_every_link_leads_to_a_file_beside_the_page_or_a_place_on_it(results):
    page = page_of(results)
    links, ids = page.all("href"), page.all("id")
    files = [link for link in links if not link.startswith("#")]
    assert files
    assert [link for link in files if not (results / link).exists()] == []
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []


def test_an_id_names_one_element(results):
    ids = page_of(results).all("id")
    assert len(ids) == len(set(ids))


# Damage.


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("figures/figure3.png", "no picture", "figure3.png is not a picture: delete it"),
        ("tables/table1.md", "no table", "table1.md holds no table: delete it"),
        ("claims.md", "| Claim |\n|---|\n", "claims.csv and its .md are no table of claims"),
        ("runs.csv", "", "runs.csv is not a table of runs"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(results, name, content, said):
    (results / name).write_text(content)
    csv = (results / name).with_suffix(".csv")
    write_hashes(csv, results / name)
    assert said in refusal(results)


@pytest.mark.parametrize(
    "name",
    [
        *("runs.csv", "claims.csv", "claims.md", "tables/table1.csv", "tables/table1.md"),
        "figures/figure3.png",
    ],
)
def test_a_number_altered_in_what_the_page_shows_is_refused(results, name):
    alter(results / name)
    path = results / name
    assert refusal(results) == f"{path} is not what was written: delete {path} and run again"


@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_a_number_altered_in_a_record_is_refused(results, name):
    path = results / "runs" / runs_of("all", SMOKE)[-1].folder / name
    alter(path)
    assert refusal(results).startswith(f"{path} is damaged, or was edited: delete {path}")


def alter(path):
    content = path.read_bytes()
    digit = re.search(rb"\d", content).start()
    path.write_bytes(content[:digit] + bytes([content[digit] ^ 1]) + content[digit + 1 :])


def refusal(results):
    """The message with which the page is not made."""
    with pytest.raises(UserError) as raised:
        page_of(results)
    return str(raised.value)


def test_the_program_writes_the_page_into_the_folder_of_results(results):
    ended = run_program(
        *("report", "--config", results / "config.json", "--runs", results / "runs"),
        *("--output", results / "report.html"),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    html = report_page(results, SMOKE, results / "runs")
    assert (results / "report.html").read_text(encoding="utf-8") == html


# In a browser.


needs_browser = pytest.mark.skipif(
    CHROMEDRIVER is None,
    reason="no chromedriver on the PATH: Debian's chromium and chromium-driver bring one",
)
VISIBLE = (
    "return [...document.querySelectorAll('#claims-table tbody tr')]"
    ".filter(row => row.offsetHeight > 0).map(row => row.id.slice(6))"
)


@pytest.fixture(scope="module")
def browser():
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The page as a file, with a table too wide for a phone."""
    results = write_results(tmp_path_factory.mktemp("results"))
    wide = pd.DataFrame(np.full((3, 14), "a cell of words"), columns=[f"c{i}" for i in range(14)])
    write_table(results / "tables/comparisons.csv", Table("Wide", wide, wide, []))
    path = results / "report.html"
    path.write_text(report_page(results, SMOKE, results / "runs"), encoding="utf-8")
    return path


def press(browser, *words):
    for word in words:
        browser.run(
            "[...document.querySelectorAll('#claims button')]"
            f".find(button => button.textContent.startsWith({word!r})).click()"
        )


@needs_browser
@pytest.mark.parametrize("width", [390, 768, 1000, 1280])
def test_the_page_never_scrolls_sideways(browser, written, width):
    browser.open(written, width=width)
    shown, available = browser.run(
        "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    )
    assert shown <= available


@needs_browser
def test_the_page_asks_no_other_machine_and_raises_no_error(browser, written):
    browser.console()
    browser.open(written, width=1280)
    press(browser, "DIFFERS", "Ours")
    loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert browser.console() == []


@needs_browser
def test_every_picture_loads(browser, written):
    browser.open(written, width=1280)
    widths = browser.run("return [...document.images].map(image => image.naturalWidth)")
    assert widths == [WIDEST_PIXELS] * sum(item.folder == "figures" for item in ITEMS)


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    ("pressed", "shown"),
    [
        (["REPRODUCED"], ["first", "fifth"]),
        (["NOT RUN"], ["fourth"]),
        (["NOT RUN", "All"], ["first", "second", "third", "fourth", "fifth"]),
        (["Claim"], ["third", "first", "fifth", "fourth", "second"]),
        (["Printed"], ["first", "fourth", "fifth", "second", "third"]),
        (["Printed", "Printed"], ["second", "fifth", "fourth", "first", "third"]),
        (["Printed", "Printed", "Printed"], ["first", "second", "third", "fourth", "fifth"]),
        (["Ours"], ["first", "third", "second", "fifth", "fourth"]),
        (["Verdict"], ["first", "fifth", "second", "third", "fourth"]),
        (["REPRODUCED", "Ours", "Ours"], ["fifth", "first"]),
    ],
    ids=lambda words: ", ".join(words) if words[0][0].isupper() else "",
)
def test_claims_are_filtered_and_sorted(browser, written, width, pressed, shown):
    browser.open(written, width=width)
    press(browser, *pressed)
    assert browser.run(VISIBLE) == shown


@needs_browser
def test_what_the_table_is_sorted_and_filtered_by_is_told_to_a_screen_reader(browser, written):
    browser.open(written, width=1280)
    press(browser, "DIFFERS", "n", "n")
    told = browser.run(
        "return [[...document.querySelectorAll('#claims-table thead th')].map(th => th.ariaSort),"
        "document.querySelector('[aria-pressed=true]').textContent,"
        "document.querySelector('[role=status]').textContent]"
    )
    sorting = ["none"] * 8
    sorting[4] = "descending"
    assert told == [sorting, "DIFFERS (1)", "1 of 5 claims shown"]


@needs_browser
def test_a_link_to_a_claim_that_is_filtered_out_shows_it(browser, written):
    browser.open(written, width=1280)
    press(browser, "DIFFERS")
    browser.run("document.querySelector('aside a[href=\"#claim-first\"]').click()")
    browser.run("return new Promise(done => setTimeout(done, 100))")
    assert "first" in browser.run(VISIBLE)


@needs_browser
def test_on_paper_there_are_no_buttons_and_every_column_has_its_name(browser, written):
    browser.open(written, width=1280)
    browser.command("Emulation.setEmulatedMedia", media="print")
    buttons, names = browser.run(
        "return [[...document.querySelectorAll('button')].filter(b => b.offsetHeight > 0).length,"
        "[...document.querySelectorAll('#claims-table thead th')].map(th => th.innerText.trim())]"
    )
    browser.command("Emulation.setEmulatedMedia", media="")
    other = "By APGD-CE 40×5"
    assert buttons == 0
    assert names == ["Claim", "Place", "Printed", "Ours", "n", "Verdict", other, "Why"]

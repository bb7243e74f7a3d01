"""The report as a browser shows it: page.html, page.css and page.js."""

import numpy as np
import pandas as pd
import pytest
from browser import CHROMEDRIVER, started_browser
from report_tools import SMOKE, write_results

from advprune.plan.exhibits import EXHIBITS
from advprune.report.page import report_page
from advprune.report.sections import WIDEST_PIXELS
from advprune.tables.table import Table

pytestmark = pytest.mark.skipif(
    CHROMEDRIVER is None,
    reason="no chromedriver on the PATH: Debian's chromium and chromium-driver bring one",
)
VISIBLE = (
    "return [...document.querySelectorAll('#claims-table tbody tr')]"
    ".filter(row => row.offsetHeight > 0).map(row => row.id.slice(6))"
)
# The primary claims, the others, those that were not run.
AS_OPENED = ["first", "third", "second", "fifth", "fourth"]


@pytest.fixture(scope="module")
def browser():
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The page as a file, with a table too wide for a phone."""
    results = write_results(tmp_path_factory.mktemp("results"))
    wide = pd.DataFrame(np.full((3, 14), "a cell of words"), columns=[f"c{i}" for i in range(14)])
    Table("Wide", wide, wide, []).write(results / "tables/comparisons.csv")
    path = results / "report.html"
    path.write_text(report_page(results, SMOKE, results / "runs"), encoding="utf-8")
    return path


def press(browser, *words):
    for word in words:
        browser.run(
            "[...document.querySelectorAll('#claims button')]"
            f".find(button => button.textContent.startsWith({word!r})).click()"
        )


@pytest.mark.parametrize("width", [390, 768, 1000, 1280])
def test_the_page_never_scrolls_sideways(browser, written, width):
    browser.open(written, width=width)
    shown, available = browser.run(
        "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    )
    assert shown <= available


def test_the_page_asks_no_other_machine_and_raises_no_error(browser, written):
    browser.console()
    browser.open(written, width=1280)
    press(browser, "DIFFERS", "Ours")
    loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert browser.console() == []


def test_every_picture_loads(browser, written):
    browser.open(written, width=1280)
    widths = browser.run("return [...document.images].map(image => image.naturalWidth)")
    assert widths == [WIDEST_PIXELS] * sum(
        exhibit.folder == "figures" for exhibit in EXHIBITS.values()
    )


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    ("pressed", "shown"),
    [
        (["REPRODUCED"], ["first", "fifth"]),
        (["NOT RUN"], ["fourth"]),
        ([], AS_OPENED),
        (["NOT RUN", "All"], AS_OPENED),
        (["Claim"], ["third", "first", "fifth", "fourth", "second"]),
        (["Printed"], ["first", "fourth", "fifth", "second", "third"]),
        (["Printed", "Printed"], ["second", "fifth", "fourth", "first", "third"]),
        (["Printed", "Printed", "Printed"], AS_OPENED),
        (["Ours"], ["first", "third", "second", "fifth", "fourth"]),
        (["Verdict"], ["first", "fifth", "second", "third", "fourth"]),
        (["REPRODUCED", "Ours", "Ours"], ["fifth", "first"]),
    ],
    ids=lambda words: "" if words and words[0].islower() else ", ".join(words) or "as opened",
)
def test_claims_are_filtered_and_sorted(browser, written, width, pressed, shown):
    browser.open(written, width=width)
    press(browser, *pressed)
    assert browser.run(VISIBLE) == shown


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


def test_a_link_to_a_claim_that_is_filtered_out_shows_it(browser, written):
    browser.open(written, width=1280)
    press(browser, "DIFFERS")
    browser.run("document.querySelector('aside a[href=\"#claim-first\"]').click()")
    browser.run("return new Promise(done => setTimeout(done, 100))")
    assert "first" in browser.run(VISIBLE)


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

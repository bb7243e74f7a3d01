"""The paper's claims in the report."""

from report_tools import HOSTILE, page_of


def test_what_is_shown_is_escaped(results):
    page = page_of(results)
    assert HOSTILE in page.text
    assert page.all("onerror") == []

"""The paper's claims in the report."""

from report_tools import CLAIMS, HOSTILE, page_of


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

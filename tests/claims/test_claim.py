"""Reading a file of claims, and what one may not say."""

import pytest
from claim_tools import content_of_claim as claim
from claim_tools import pair, read_one, write_claims

from advprune.claims.claim import read_claims
from advprune.errors import UserError


def test_a_text_over_several_lines_is_read_as_one_line(tmp_path):
    read = read_one(tmp_path, says="a sentence\nof two lines\n", place="Section 1;\nFigure 2")
    assert (read.says, read.place) == ("a sentence of two lines", "Section 1; Figure 2")


def test_a_ratio_of_two_printed_numbers_is_a_percentage(tmp_path):
    read = read_one(tmp_path, printed={"value": 4.67, "percent_of": 6.61})
    assert read.printed.value == pytest.approx(70.65, abs=0.01)


CLAIM = claim()
GREATER = {"by": "greater", "effect": 1}


def without(field):
    return {name: value for name, value in CLAIM.items() if name != field}


def quantity(**changes):
    return claim(quantity=CLAIM["quantity"] | changes)


WRONG = [
    (quantity(kind="median"), "'median' is unknown", "mean"),
    (quantity(metric="accuracy"), "'accuracy' is unknown", "robust_accuracy"),
    (quantity(first={"method": "low", "p": 0.5}), "'low' is unknown", "low-loss"),
    (
        claim(quantity={"kind": "slope", "metric": "natural_accuracy", "method": "x"}),
        "'x' is unknown",
        "low-loss",
    ),
    (claim(quantity={"kind": "mean", "metric": "natural_accuracy"}), "'mean' takes metric, first"),
    (quantity(threshold=3), "'mean' takes metric, first"),
    (
        quantity(first={"method": "random", "p": 1.5}),
        "[a-claim].quantity.first.p is 1.5",
        'or "below 1"',
    ),
    (
        claim(quantity={"kind": "toy", "of": "x"}, studies=[]),
        "no quantity 'x'",
        "fragile_standard",
    ),
    (
        claim(quantity=pair("p_value"), judge={"by": "at_most", "bound": 0.05}),
        "it is judged by 'greater'",
    ),
    (without("says"), "[a-claim].says is missing"),
    (without("printed"), "[a-claim].printed is missing"),
    (claim(judge={"by": "overlap"}), "[a-claim].printed.half_width is missing"),
    (claim(judge={"by": "within"}), "[a-claim].judge.margin is missing"),
    (claim(judge={"by": "at_least"}), "[a-claim].judge.bound is missing"),
    (claim(judge={"by": "greater"}), "[a-claim].judge.effect is missing"),
    (
        claim(judge={"by": "within", "margin": 1, "bound": 2}),
        "[a-claim].judge.bound is no key",
        "by, margin",
    ),
    (claim(judge={"by": "equals"}), "[a-claim].judge.by is 'equals'", "at_least"),
    (claim(judge={"margin": 3}), "[a-claim].judge.by is missing"),
    (claim(judge="within"), "[a-claim].judge is 'within'"),
    (claim(judge=GREATER), "'greater' tests two groups, which the quantity 'mean'"),
    (claim(judge={"by": "within", "margin": -1}), "[a-claim].judge.margin is -1", "above 0"),
    (claim(judge=GREATER | {"alpha": 1.5}), "[a-claim].judge.alpha is 1.5", "below 1"),
    (
        claim(printed={"value": 1, "percent_of": 2, "half_width": 3}),
        "a ratio has no half_width",
    ),
    (claim(shown_in=["table1", "tabel2"]), "shown_in names 'tabel2'"),
    (claim(studies=["mnits"]), "[a-claim].studies[0] is 'mnits'", "mnist"),
    (claim(studies=[]), "is about 1 of the studies, not []"),
    (
        claim(studies=["mnist"], quantity={"kind": "correlation_difference"}),
        "is about 2 of the studies",
    ),
    (claim(id="a-claim!"), "id is 'a-claim!'", "lower-case"),
    (claim(saiys="x"), "[a-claim].saiys is no key", "'says'"),
]


@pytest.mark.parametrize(
    ("content", "told"),
    [pytest.param(content, told, id=told[0]) for content, *told in WRONG],
)
def test_a_wrong_claim_is_refused_in_one_message(tmp_path, content, told):
    with pytest.raises(UserError) as caught:
        read_claims(write_claims(tmp_path / "claims.yaml", content))
    message = str(caught.value)
    assert [part for part in ("a-claim", *told) if part not in message] == [], message
    assert message.startswith("claims: ")
    assert "\n" not in message


def test_an_id_is_given_once(tmp_path):
    with pytest.raises(UserError, match="the id 'a-claim' is given to 2 claims"):
        read_claims(write_claims(tmp_path / "claims.yaml", CLAIM, CLAIM))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "the file is None", id="empty"),
        pytest.param("claims: []", "at least one claim", id="no claims"),
        pytest.param("claims: [", "cannot be read", id="no YAML"),
        pytest.param("claims: [a]", r"claims\[0\] is 'a'", id="word for a claim"),
    ],
)
def test_a_file_without_claims_is_refused(tmp_path, text, told):
    (tmp_path / "claims.yaml").write_text(text)
    with pytest.raises(UserError, match=told):
        read_claims(tmp_path / "claims.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml cannot be read"):
        read_claims(tmp_path / "none.yaml")

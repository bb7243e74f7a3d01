"""Verdicts: a hand-worked case for each rule and verdict, and what a file of claims may not say."""

import copy
import json
import math

import pandas as pd
import pytest
from builders import write_hashed
from claim_tools import (
    DEFAULT,
    content_of_claim,
    evidence,
    pair,
    read_one,
    runs_of_cell,
    write_claims,
)
from scipy import stats
from workflow_tools import PROJECT, run_program

from advprune.analysis.run_table import write_runs
from advprune.claims.claim import read_claims
from advprune.claims.table import claims_table
from advprune.claims.verdicts import Verdict, judge
from advprune.errors import UserError
from advprune.spec.datasets import DATASETS

# Four values around a mean. Their variance is 20 / 3, so the standard error of the mean is
# sqrt(5 / 3) = 1.291, and with t(0.975, 3) = 3.182 the 95% interval reaches 4.108 to both sides.
# The difference of two such means has the standard error sqrt(10 / 3) = 1.826; with t(0.975, 6) =
# 2.447 its interval reaches 4.468 to both sides.
AROUND = (-3, -1, 1, 3)


def four(middle):
    return [middle + value for value in AROUND]


RUNS = [
    runs_of_cell("random", "0.5", natural_accuracy=four(50)),
    runs_of_cell("low-loss", "0.5", natural_accuracy=four(40)),
    runs_of_cell("high-loss", "0.5", natural_accuracy=four(60)),
    runs_of_cell("lowhigh-loss", "0.5", natural_accuracy=four(50)),
    runs_of_cell("low-deepfool", "0.5", natural_accuracy=[50]),
]


def mean_of(method="random"):
    cell = {"method": method, "p": 0.5}
    return {"kind": "mean", "metric": "natural_accuracy", "first": cell}


def than(method, first="random"):
    return pair("difference", (first, 0.5), (method, 0.5), "natural_accuracy")


ONE, MISSING = mean_of("low-deepfool"), mean_of("high-deepfool")


def printed(value, half_width=None):
    return {"value": value} | ({"half_width": half_width} if half_width else {})


# What the rule takes, what is printed, what is measured, the verdict. Neighbouring lines differ
# in one number.
CASES = {
    # Ours is [45.89, 54.11].
    "overlap": [
        ({}, printed(55, 2.1), mean_of(), "REPRODUCED"),
        ({}, printed(57, 2.1), mean_of(), "DIFFERS"),
        ({}, printed(43, 2.1), mean_of(), "DIFFERS"),
        ({}, printed(55, 2.0), mean_of(), "UNDERPOWERED"),  # ours is 2.05 times as wide
        ({}, printed(55, 2.1), ONE, "UNDERPOWERED"),
        ({}, printed(55, 2.1), MISSING, "NOT RUN"),
    ],
    "within": [
        ({"margin": 5}, printed(50), mean_of(), "REPRODUCED"),
        ({"margin": 4}, printed(50), mean_of(), "UNDERPOWERED"),
        ({"margin": 5}, printed(60), mean_of(), "DIFFERS"),
        ({"margin": 5}, printed(40), mean_of(), "DIFFERS"),
        ({"margin": 5}, printed(50), ONE, "UNDERPOWERED"),
        ({"margin": 5}, printed(50), MISSING, "NOT RUN"),
    ],
    "at_least": [
        ({"bound": 45}, None, mean_of(), "REPRODUCED"),
        ({"bound": 46}, None, mean_of(), "UNDERPOWERED"),
        ({"bound": 54}, None, mean_of(), "UNDERPOWERED"),
        ({"bound": 55}, None, mean_of(), "DIFFERS"),
        ({"bound": 45}, None, ONE, "UNDERPOWERED"),
        ({"bound": 45}, None, MISSING, "NOT RUN"),
    ],
    "at_most": [
        ({"bound": 55}, None, mean_of(), "REPRODUCED"),
        ({"bound": 54}, None, mean_of(), "UNDERPOWERED"),
        ({"bound": 46}, None, mean_of(), "UNDERPOWERED"),
        ({"bound": 45}, None, mean_of(), "DIFFERS"),
        ({"bound": 55}, None, ONE, "UNDERPOWERED"),
        ({"bound": 55}, None, MISSING, "NOT RUN"),
    ],
    "greater": [
        # 10 / 1.826 = 5.48: p = 0.0008.
        ({"effect": 5}, None, than("low-loss"), "REPRODUCED"),
        ({"effect": 5, "alpha": 0.0005}, None, than("low-loss"), "UNDERPOWERED"),
        ({"effect": 5}, None, than("high-loss"), "DIFFERS"),
        # [5.53, 14.47]
        ({"effect": 14}, None, than("low-loss"), "REPRODUCED"),
        ({"effect": 15}, None, than("low-loss"), "DIFFERS"),
        # 0 ± 4.468: p = 0.5.
        ({"effect": 5}, None, than("lowhigh-loss"), "DIFFERS"),
        ({"effect": 4}, None, than("lowhigh-loss"), "UNDERPOWERED"),
        ({"effect": 5}, None, than("low-deepfool"), "UNDERPOWERED"),
        ({"effect": 5}, None, than("high-deepfool"), "NOT RUN"),
    ],
}
CLAIMS = {
    f"{rule.replace('_', '-')}-{place}": (
        {"judge": {"by": rule, **fields}, "quantity": quantity, "printed": paper},
        Verdict(verdict),
    )
    for rule, cases in CASES.items()
    for place, (fields, paper, quantity, verdict) in enumerate(cases)
}


def as_written(name):
    content = content_of_claim(id=name, **CLAIMS[name][0])
    return content if content["printed"] else {k: v for k, v in content.items() if k != "printed"}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_verdict_is_as_worked_by_hand(tmp_path, name):
    (claim,) = read_claims(write_claims(tmp_path / "claims.yaml", as_written(name)))
    found = judge(claim, evidence(*RUNS))
    assert found.verdict is CLAIMS[name][1], found.reason


def judged_by_the_program(folder, *claims, config=DEFAULT):
    """The table that the program writes, by claim."""
    folder.mkdir(exist_ok=True)
    write_hashed(folder / "config.json", json.dumps(config))
    write_runs(folder / "runs.csv", pd.concat(RUNS))
    ended = run_program(
        *("claims", "--runs", folder / "runs.csv", "--config", folder / "config.json"),
        *("--claims", write_claims(folder / "claims.yaml", *claims)),
        *("--output", folder / "out.csv"),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    return pd.read_csv(folder / "out.csv").set_index("id"), folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_by_the_program(tmp_path_factory.mktemp("claims"), *map(as_written, CLAIMS))


@pytest.mark.parametrize(
    ("chosen", "by_it", "by_the_other"),
    [("autoattack", 50, 60), ("apgd_ce_40x5", 60, 50)],  # the usual accuracies
)
def test_the_config_says_which_attack_the_program_judges_by(tmp_path, chosen, by_it, by_the_other):
    content = content_of_claim(quantity=mean_of() | {"metric": "robust_accuracy"})
    config = DEFAULT | {"robust_accuracy": chosen}
    table, _ = judged_by_the_program(tmp_path / "claims", content, config=config)
    assert table.loc["a-claim", ["value", "other_value"]].tolist() == [by_it, by_the_other]


@pytest.mark.parametrize("name", CLAIMS)
def test_the_program_gives_the_same_verdict(judged, name):
    table, _ = judged
    assert table.loc[name, "verdict"] == CLAIMS[name][1]


def test_a_claim_that_is_edited_is_judged_anew(tmp_path):
    edited = as_written("within-0")
    edited["judge"]["margin"] = 4
    table, _ = judged_by_the_program(tmp_path / "edited", edited)
    assert table["verdict"].to_list() == ["UNDERPOWERED"]


def test_a_text_over_several_lines_is_one_line_of_the_table(tmp_path):
    claim = read_one(tmp_path, says="a sentence\nof two lines\n", place="Section 1;\nFigure 2")
    assert (claim.says, claim.place) == ("a sentence of two lines", "Section 1; Figure 2")


def test_an_interval_without_end_is_shown_as_such(tmp_path):
    claim = read_one(
        tmp_path, quantity=pair("spread_percent_of"), judge={"by": "at_most", "bound": 100}
    )
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[10, 20, 30]),
        runs_of_cell("full", "1.0", autoattack_accuracy=[10, 10, 40]),
    ]
    found = evidence(*cells)
    assert claims_table([claim], found, found).shown.loc[0, "Ours"].endswith("∞]")


def test_a_partial_table_says_for_each_claim_that_runs_are_missing(tmp_path):
    found = evidence(*RUNS, config=DEFAULT | {"partial": True})
    numbers = claims_table([read_one(tmp_path)], found, found).numbers
    assert numbers.loc[0, "departures"] == "only the runs that exist of those planned"
    assert not numbers.loc[0, "paper_scale"]


def test_settings_of_the_toy_model_are_departures_of_its_claims_alone(tmp_path):
    config = DEFAULT | {"appendix_c": DEFAULT["appendix_c"] | {"robust_share": 0.5}}
    toy = pd.DataFrame(
        [{"quantity": "robust_share", "simulated_mean": 50, "simulated_half_width": 1, "seeds": 2}]
    )
    found = evidence(*RUNS, config=config, toy=toy)
    rule = {"by": "at_least", "bound": 0}
    claims = [
        read_one(tmp_path, quantity={"kind": "toy", "of": "robust_share"}, studies=[], judge=rule),
        read_one(tmp_path),
    ]
    told = claims_table(claims, found, found).numbers["departures"]
    assert list(told) == ["appendix_c.robust_share 0.5 instead of 0.8", ""]


def test_the_table_counts_the_verdicts(judged):
    _, folder = judged
    counts = pd.Series([verdict for _, verdict in CLAIMS.values()]).value_counts()
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    assert f"- {len(CLAIMS)} claims: {counted}\n" in (folder / "out.md").read_text()


def test_the_table_shows_what_was_measured_beside_what_is_printed(judged):
    table, _ = judged
    row = table.loc["overlap-0"]
    assert row[["printed", "printed_half_width", "value"]].to_list() == [55, 2.1, 50]
    assert row[["low", "high"]].to_list() == pytest.approx([45.892, 54.108], abs=1e-3)
    assert row["n"] == "4"


# What a reason says.


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("overlap-3", "2.1 times as wide"),
        ("overlap-4", "n = 1 gives no interval"),
        ("overlap-5", "there is no run of high-deepfool at p = 0.5"),
        ("greater-0", "p = 0.000"),
        ("greater-2", "the difference points the other way"),
        ("greater-5", "[-4.47, 4.47], lies below 5"),
        ("greater-7", "too few runs for a test"),
    ],
)
def test_a_reason_names_the_figures_that_decided(judged, name, part):
    assert part in judged[0].loc[name, "reason"]


def test_an_undecided_test_says_what_power_it_had(judged):
    # Four runs a group, six degrees of freedom, an effect of 4 points of 2.582 each.
    power = stats.nct.sf(stats.t.isf(0.05, 6), 6, 4 / math.sqrt(20 / 3) * math.sqrt(4 / 2))
    told = f"a difference of 4 would be seen with a power of {100 * power:.0f}%"
    assert told in judged[0].loc["greater-6", "reason"]


def test_an_undecided_test_says_how_many_runs_would_decide_it(judged):
    # An effect of 4 is 4 / sqrt(20 / 3) = 1.549 standard deviations: six runs a group by any table.
    assert judged[0].loc["greater-6", "reason"].endswith("and with 80% from 6 runs a group")


# Where nothing may be said.


STAND_INS = [name for name, dataset in DATASETS.items() if dataset.stands_in_for]


@pytest.mark.parametrize("dataset", [*STAND_INS, "cifar10"])
def test_other_data_than_the_papers_give_no_verdict(tmp_path, dataset):
    config = copy.deepcopy(DEFAULT)
    config["studies"]["mnist"]["dataset"] = dataset
    runs = runs_of_cell("random", "0.5", dataset=dataset, natural_accuracy=four(50))
    found = judge(read_one(tmp_path), evidence(runs, config=config))
    assert found.verdict is Verdict.NOT_RUN
    assert found.reason.startswith(f"the data are {DATASETS[dataset].title}")


def test_runs_of_the_other_study_are_not_taken(tmp_path):
    runs = runs_of_cell("random", "0.5", dataset="cifar10", natural_accuracy=four(50))
    assert judge(read_one(tmp_path), evidence(runs)).verdict is Verdict.NOT_RUN


@pytest.mark.parametrize("collapsed", [[0, 0, 0], [0, 0.5, 0.9]], ids=["all 0", "nearly"])
def test_where_every_run_collapsed_nothing_was_kept(tmp_path, collapsed):
    claim = read_one(tmp_path, quantity=pair("difference"), judge={"by": "at_least", "bound": -5})
    cells = [
        runs_of_cell(method, p, autoattack_accuracy=collapsed)
        for method, p in (("random", "0.5"), ("full", "1.0"))
    ]
    found = judge(claim, evidence(*cells))
    assert (found.verdict, "every run collapsed" in found.reason) == (Verdict.DIFFERS, True)


@pytest.mark.parametrize(
    ("first", "verdict"), [(70, Verdict.REPRODUCED), (54, Verdict.DIFFERS), (50, Verdict.DIFFERS)]
)
def test_groups_without_any_spread_are_compared_as_they_are(tmp_path, first, verdict):
    claim = read_one(tmp_path, quantity=pair("difference"), judge={"by": "greater", "effect": 5})
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[first] * 3),
        runs_of_cell("full", "1.0", autoattack_accuracy=[50] * 3),
    ]
    assert judge(claim, evidence(*cells)).verdict is verdict


def test_an_opposite_effect_takes_the_usual_level_to_be_found(tmp_path):
    # p = 0.897: at a level of 0.15 the opposite would be found, at 0.05 it is not.
    rule = {"by": "greater", "effect": 5, "alpha": 0.15}
    claim = read_one(tmp_path, quantity=pair("difference"), judge=rule)
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[0, 50, 60]),
        runs_of_cell("full", "1.0", autoattack_accuracy=[50, 70, 95]),
    ]
    assert judge(claim, evidence(*cells)).verdict is Verdict.UNDERPOWERED


def test_runs_that_all_collapse_are_not_reliable_for_want_of_spread(tmp_path):
    rule = {"by": "at_most", "bound": 100}
    claim = read_one(tmp_path, quantity=pair("spread_percent_of"), judge=rule)
    cells = [
        runs_of_cell("random", "0.5", autoattack_accuracy=[0] * 10),
        runs_of_cell("full", "1.0", autoattack_accuracy=[0, 90] * 5),
    ]
    found = judge(claim, evidence(*cells))
    assert (found.verdict, "every run collapsed" in found.reason) == (Verdict.DIFFERS, True)


def test_where_some_runs_collapsed_the_rest_count(tmp_path):
    claim = read_one(tmp_path, quantity=pair("difference"), judge={"by": "at_least", "bound": -5})
    cells = [
        runs_of_cell(method, p, autoattack_accuracy=[0, 0, 1])
        for method, p in (("random", "0.5"), ("full", "1.0"))
    ]
    assert judge(claim, evidence(*cells)).verdict is Verdict.REPRODUCED


# What a file of claims may not say.


def without(content, *path):
    """The content less the field that the path leads to."""
    content = copy.deepcopy(content)
    place = content
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return content


CLAIM = content_of_claim()
GREATER = {"by": "greater", "effect": 1}


def quantity(**changes):
    return content_of_claim(quantity=CLAIM["quantity"] | changes)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            quantity(kind="median"), ["a-claim", "'median' is unknown", "mean"], id="quantity"
        ),
        pytest.param(
            quantity(metric="accuracy"),
            ["a-claim", "'accuracy' is unknown", "robust_accuracy"],
            id="metric",
        ),
        pytest.param(
            quantity(first={"method": "low", "p": 0.5}),
            ["a-claim", "'low' is unknown", "low-loss"],
            id="method",
        ),
        pytest.param(
            content_of_claim(
                quantity={"kind": "slope", "metric": "natural_accuracy", "method": "x"}
            ),
            ["a-claim", "'x' is unknown", "low-loss"],
            id="method of a line",
        ),
        pytest.param(
            without(CLAIM, "quantity", "first"),
            ["a-claim", "'mean' takes metric, first"],
            id="missing field of a quantity",
        ),
        pytest.param(
            quantity(threshold=3),
            ["a-claim", "'mean' takes metric, first"],
            id="field that a quantity does not have",
        ),
        pytest.param(
            quantity(first={"method": "random", "p": 1.5}),
            ["[a-claim].quantity.first.p is 1.5", 'or "below 1"'],
            id="p over 1",
        ),
        pytest.param(
            content_of_claim(quantity={"kind": "toy", "of": "x"}, studies=[]),
            ["a-claim", "no quantity 'x'", "fragile_standard"],
            id="quantity of the toy model",
        ),
        pytest.param(
            content_of_claim(quantity=pair("p_value"), judge={"by": "at_most", "bound": 0.05}),
            ["a-claim", "it is judged by 'greater'"],
            id="p value by another rule",
        ),
        pytest.param(without(CLAIM, "says"), ["[a-claim].says is missing"], id="missing field"),
        pytest.param(
            without(CLAIM, "printed"), ["[a-claim].printed is missing"], id="nothing printed"
        ),
        pytest.param(
            content_of_claim(judge={"by": "overlap"}),
            ["[a-claim].printed.half_width is missing"],
            id="overlap without a printed interval",
        ),
        pytest.param(
            content_of_claim(judge={"by": "within"}),
            ["[a-claim].judge.margin is missing"],
            id="within without its margin",
        ),
        pytest.param(
            content_of_claim(judge={"by": "at_least"}),
            ["[a-claim].judge.bound is missing"],
            id="at_least without its bound",
        ),
        pytest.param(
            content_of_claim(judge={"by": "greater"}),
            ["[a-claim].judge.effect is missing"],
            id="greater without its effect",
        ),
        pytest.param(
            content_of_claim(judge={"by": "within", "margin": 1, "bound": 2}),
            ["[a-claim].judge.bound is no key", "by, margin"],
            id="field that a rule does not use",
        ),
        pytest.param(
            content_of_claim(judge={"by": "equals"}),
            ["[a-claim].judge.by is 'equals'", "at_least"],
            id="unknown rule",
        ),
        pytest.param(
            content_of_claim(judge={"margin": 3}), ["[a-claim].judge.by is missing"], id="no rule"
        ),
        pytest.param(
            content_of_claim(judge="within"), ["[a-claim].judge is 'within'"], id="rule as a word"
        ),
        pytest.param(
            content_of_claim(judge=GREATER),
            ["a-claim", "'greater' tests two groups, which the quantity 'mean'"],
            id="test of one group",
        ),
        pytest.param(
            content_of_claim(judge={"by": "within", "margin": -1}),
            ["[a-claim].judge.margin is -1", "above 0"],
            id="negative margin",
        ),
        pytest.param(
            content_of_claim(judge=GREATER | {"alpha": 1.5}),
            ["[a-claim].judge.alpha is 1.5", "below 1"],
            id="level over 1",
        ),
        pytest.param(
            content_of_claim(printed={"value": 1, "percent_of": 2, "half_width": 3}),
            ["a-claim", "a ratio has no half_width"],
            id="interval of a ratio",
        ),
        pytest.param(
            content_of_claim(studies=["mnits"]),
            ["[a-claim].studies[0] is 'mnits'", "mnist"],
            id="unknown study",
        ),
        pytest.param(
            content_of_claim(studies=[]),
            ["a-claim", "is about 1 of the studies, not []"],
            id="no study",
        ),
        pytest.param(
            content_of_claim(studies=["mnist"], quantity={"kind": "correlation_difference"}),
            ["a-claim", "is about 2 of the studies"],
            id="one study of two",
        ),
        pytest.param(
            content_of_claim(id="A claim"), ["id is 'A claim'", "lower-case"], id="id with a space"
        ),
        pytest.param(
            content_of_claim(saiys="x"), ["[a-claim].saiys is no key", "'says'"], id="misspelt"
        ),
    ],
)
def test_a_wrong_claim_is_refused_in_one_message(tmp_path, content, told):
    with pytest.raises(UserError) as caught:
        read_claims(write_claims(tmp_path / "claims.yaml", content))
    message = str(caught.value)
    assert [part for part in told if part not in message] == [], message
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


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        pytest.param("--claims", "wrong.yaml", "error: claims: ", id="wrong claim"),
        pytest.param("--runs", "none.csv", "none.csv does not exist", id="no runs"),
        pytest.param("--scores", "none.csv", "none.csv does not exist", id="no scores"),
        pytest.param("--toy", "empty.csv", "empty.csv is not the table", id="empty table"),
    ],
)
def test_the_program_says_what_is_wrong_without_a_traceback(judged, tmp_path, option, value, told):
    _, folder = judged
    write_claims(tmp_path / "wrong.yaml", quantity(kind="median"))
    write_hashed(tmp_path / "empty.csv", "")
    options = {
        "--runs": folder / "runs.csv",
        "--config": folder / "config.json",
        "--claims": folder / "claims.yaml",
        "--output": tmp_path / "out.csv",
        option: tmp_path / value,
    }
    arguments = [part for option in options.items() for part in option]
    ended = run_program("claims", *arguments, cwd=PROJECT)
    assert (ended.status, told in ended.printed) == (1, True), ended.printed
    assert "Traceback" not in ended.printed
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("option", ["--runs", "--config", "--scores", "--embedding", "--toy"])
def test_the_program_refuses_what_was_altered_since_it_was_written(judged, tmp_path, option):
    _, folder = judged
    altered = write_hashed(tmp_path / "altered", "r\n0.5\n")
    altered.write_text("r\n0.9\n")
    options = {
        "--runs": folder / "runs.csv",
        "--config": folder / "config.json",
        "--claims": folder / "claims.yaml",
        "--output": tmp_path / "out.csv",
        option: altered,
    }
    arguments = [part for option in options.items() for part in option]
    ended = run_program("claims", *arguments, cwd=PROJECT)
    assert ended.status == 1
    assert f"{altered} is not what was written: delete {altered} and run again" in ended.printed
    assert "Traceback" not in ended.printed

"""Verdicts: a case worked by hand for each rule and verdict."""

import copy
import math

import pytest
from claim_tools import (
    DEFAULT,
    content_of_claim,
    evidence,
    four,
    pair,
    read_one,
    write_claims,
)
from run_tables import runs_of_cell
from scipy import stats

from advprune.claims.claim import read_claims
from advprune.claims.verdicts import Verdict, judge
from advprune.spec.datasets import DATASETS

# The difference of the means of two such fours has the standard error sqrt(10 / 3) = 1.826,
# and with t(0.975, 6) = 2.447 its interval reaches 4.468 to both sides.
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


def judged(folder, name):
    (claim,) = read_claims(write_claims(folder / "claims.yaml", as_written(name)))
    return judge(claim, evidence(*RUNS))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_verdict_is_as_worked_by_hand(tmp_path, name):
    found = judged(tmp_path, name)
    assert found.verdict is CLAIMS[name][1], found.reason


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
def test_a_reason_names_the_figures_that_decided(tmp_path, name, part):
    assert part in judged(tmp_path, name).reason


def test_an_undecided_test_says_what_power_it_had(tmp_path):
    # Four runs a group, six degrees of freedom, an effect of 4 points of 2.582 each.
    power = stats.nct.sf(stats.t.isf(0.05, 6), 6, 4 / math.sqrt(20 / 3) * math.sqrt(4 / 2))
    told = f"a difference of 4 would be seen with a power of {100 * power:.0f}%"
    assert told in judged(tmp_path, "greater-6").reason


def test_an_undecided_test_says_how_many_runs_would_decide_it(tmp_path):
    # An effect of 4 is 4 / sqrt(20 / 3) = 1.549 standard deviations: six runs a group by any table.
    assert judged(tmp_path, "greater-6").reason.endswith("and with 80% from 6 runs a group")


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

"""The paper's claims, judged on runs like the paper's, on runs without effects, on stand-ins."""

import copy
import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest
from advprune.claims.table import claims_table
from claim_tools import DEFAULT, evidence
from hypothesis import given
from hypothesis import strategies as st
from paper_numbers import TABLE_1, spread_out, table_1
from run_tables import runs_of_cell, table_of_runs
from workflow_tools import PROJECT

from advprune.analysis.metrics import RELEASED_AUTOATTACK
from advprune.claims.claim import read_claims
from advprune.claims.evidence import GAP, ROBUST
from advprune.claims.quantities import Toy
from advprune.claims.verdicts import Verdict, judge
from advprune.spec.datasets import DATASETS
from advprune.spec.methods import METHODS
from advprune.spec.runs import Run
from advprune.toy.features import ToyModel, simulation_frame

CLAIMS = {claim.id: claim for claim in read_claims(PROJECT / "config/paper_claims.yaml")}
SHARES = ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
PRUNING = [name for name, method in METHODS.items() if method.select]
FIGURE_8 = ("figure8-test1-deepfool", "figure8-test1-loss", "figure8-test2-loss")
STAND_INS = [name for name, dataset in DATASETS.items() if dataset.stands_in_for]


# Runs as the paper describes them, where it does so in words.

MNIST_NATURAL = {"low-loss": 97.45, "low-deepfool": 97.5}
MNIST_ROBUST = {"random": 60, "low-loss": 66, "low-deepfool": 62, "lowhigh": 60, "high": 40}
CIFAR10_NATURAL = {"random": -4.6, "low-loss": -15, "low-deepfool": -4.8}
CIFAR10_ROBUST = {"random": -2, "low-loss": -10}


def of_method(values, method, otherwise):
    return values.get(method, values.get(method.split("-")[0], otherwise))


def mnist_cell(method, p):
    """30 runs. Robust accuracy by loss rises as more is dropped."""
    if p == "0.6" and method in TABLE_1["natural_accuracy"]:
        return []
    robust = of_method(MNIST_ROBUST, method, None)
    robust += 20 * (0.5 - float(p)) if method == "low-loss" else 0
    seconds = 39.09 - (39.09 - 29.91) / 0.4 * (1 - float(p))
    cell = runs_of_cell(
        method,
        p,
        natural_accuracy=spread_out(MNIST_NATURAL.get(method, 98.4), 0.2, 30),
        autoattack_accuracy=spread_out(robust, 5, 30),
        training_seconds=spread_out(seconds, 0.2, 30),
    )
    return [cell]


def cifar10_cell(method, p):
    """Five runs, less accurate than those on all data."""
    natural = of_method(CIFAR10_NATURAL, method, -3)
    if method == "low-deepfool" and p != "0.5":
        natural = -10
    return runs_of_cell(
        method,
        p,
        dataset="cifar10",
        natural_accuracy=spread_out(80 + natural, 0.1, 5),
        autoattack_accuracy=spread_out(42 + of_method(CIFAR10_ROBUST, method, -4), 0.1, 5),
        training_seconds=spread_out(95 - 75 * (1 - float(p)), 0.1, 5),
    )


def correlated(study, r, count=2000, iterations=2):
    """Figure 6's examples with exactly this correlation."""
    random = np.random.default_rng(0)
    x, noise = np.linalg.qr(random.normal(size=(count, 3)) - [0, 0, 0])[0].T[:2]
    x, noise = x - x.mean(), noise - noise.mean()
    noise -= x * (noise @ x) / (x @ x)
    y = r * x / np.linalg.norm(x) + np.sqrt(1 - r**2) * noise / np.linalg.norm(noise)
    steps = {"converged": 1, "iterations": iterations}
    return pd.DataFrame({"study": study, "inverse_distance": x, "loss": y, **steps})


def embedded():
    """Two classes in the plane: what is kept is apart, what is dropped lies between."""
    random = np.random.default_rng(0)
    parts = []
    for label, apart in ((0, -1), (1, 1)):
        for kept, count, centre in ((True, 300, 5 * apart), (False, 200, 0)):
            x, y = random.normal(size=(2, count))
            parts.append(pd.DataFrame({"label": label, "x": x + centre, "y": y, "kept": kept}))
    return pd.concat(parts, ignore_index=True)


@functools.cache
def toy():
    settings = DEFAULT["appendix_c"]
    model = ToyModel(
        settings["fragile_features"],
        settings["robust_share"],
        settings["p_robust"],
        settings["p_fragile"],
    )
    return simulation_frame(model, count=20_000, seeds=10)


@functools.cache
def like_the_paper():
    cells = [cell for method in PRUNING for p in SHARES for cell in mnist_cell(method, p)]
    cells += [cifar10_cell(method, p) for method in PRUNING for p in SHARES]
    full = {"natural_accuracy": 80, "autoattack_accuracy": 42, "training_seconds": 95}
    cells += [
        runs_of_cell(
            "full",
            "1.0",
            dataset="cifar10",
            **{metric: spread_out(value, 0.1, 5) for metric, value in full.items()},
        ),
        runs_of_cell("standard", "1.0", natural_accuracy=spread_out(99, 0.1, 5)),
        runs_of_cell("standard", "1.0", dataset="cifar10", natural_accuracy=spread_out(91, 0.1, 5)),
    ]
    scores = pd.concat([correlated("mnist", 0.68), correlated("cifar10", 0.12)])
    return evidence(*table_1(), *cells, scores=scores, embedding=embedded(), toy=toy())


# The printed formula swaps two probabilities.
WRONG_IN_THE_PAPER = {"appendix-c-robust-formula"}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_reproduced_by_runs_as_the_paper_describes_them(name):
    found = judge(CLAIMS[name], like_the_paper())
    wanted = Verdict.DIFFERS if name in WRONG_IN_THE_PAPER else Verdict.REPRODUCED
    assert found.verdict is wanted, f"{found.reason}: {found.measured}"


@functools.cache
def without_effects():
    """All methods are alike at every p, on both data sets, and so are classes and losses."""
    cells = [
        runs_of_cell(
            method,
            p,
            dataset=dataset,
            natural_accuracy=spread_out(90, 0.2, 30),
            autoattack_accuracy=spread_out(30, 0.2, 30),
            training_seconds=spread_out(50, 0.2, 30),
        )
        for dataset in ("mnist", "cifar10")
        for method, p in [
            *((method, p) for method in PRUNING for p in SHARES),
            *((method, "1.0") for method in ("full", "standard")),
        ]
    ]
    scores = pd.concat([correlated(study, 0, iterations=50) for study in ("mnist", "cifar10")])
    mixed = embedded().assign(kept=np.arange(1000) % 2 == 0)
    return evidence(*cells, scores=scores, embedding=mixed, toy=toy())


# What still holds: no more than a small drop, proxies that are alike, no gain over random pruning,
# time that is linear in p (it is constant).
HOLDS_WITHOUT_EFFECTS = (
    "section41-mnist-maintained",
    "section41-cifar10-half",
    "section41-cifar10-seventy",
    "section41-cifar10-random-strong",
    "section41-proxies-alike-mnist",
    "figure5-linear",
)


@pytest.mark.parametrize(
    "name", [name for name, claim in CLAIMS.items() if not isinstance(claim.quantity, Toy)]
)
def test_a_claim_of_an_effect_is_not_reproduced_by_runs_without_any(name):
    found = judge(CLAIMS[name], without_effects())
    held = name.startswith(HOLDS_WITHOUT_EFFECTS)
    assert (found.verdict is Verdict.REPRODUCED) == held, f"{found.reason}: {found.measured}"


# Numbers.


@pytest.mark.parametrize("metric", TABLE_1)
@pytest.mark.parametrize("method", TABLE_1["natural_accuracy"])
def test_a_claim_of_table_1_has_the_papers_number_and_measures_it(metric, method):
    short = {"autoattack_accuracy": "robust"}.get(metric, metric.split("_")[0])
    claim = CLAIMS[f"table1-{method}-{short.replace('training', 'time')}"]
    mean, half_width = TABLE_1[metric][method]
    measured = judge(claim, like_the_paper()).measured.interval
    if metric == "training_seconds" and method != "full":
        percent = 100 * mean / TABLE_1[metric]["full"][0]
        assert claim.printed.value == pytest.approx(percent)
        assert measured.value == pytest.approx(percent, rel=1e-3)  # of geometric means
    else:
        assert (claim.printed.value, claim.printed.half_width) == (mean, half_width)
        assert measured.value == pytest.approx(mean)
        assert measured.high - measured.value == pytest.approx(half_width)


@pytest.mark.parametrize("name", FIGURE_8)
def test_a_p_value_of_figure_8_is_about_the_one_that_table_1s_rounded_figures_give(name):
    found = judge(CLAIMS[name], like_the_paper()).measured.interval.value
    assert found == pytest.approx(CLAIMS[name].printed.value, rel=0.02)


def test_the_papers_own_level_of_one_test_is_missed_by_its_own_rounded_numbers():
    # Why that claim is judged at 0.0015: at the paper's 0.001 data like the paper's are not enough.
    claim = CLAIMS["figure8-test1-loss"]
    strict = dataclasses.replace(claim, rule=dataclasses.replace(claim.rule, alpha=0.001))
    assert judge(strict, like_the_paper()).verdict is Verdict.UNDERPOWERED


@pytest.mark.parametrize(
    "name",
    [
        *(*FIGURE_8, "abstract-better-and-faster-robust", "section41-loss-beats-random"),
    ],
)
def test_an_effect_is_the_difference_in_table_1(name):
    claim = CLAIMS[name]
    first, second = judge(claim, like_the_paper()).measured.groups
    assert claim.rule.effect == pytest.approx(first.mean() - second.mean())


# The table.


def test_each_claim_is_a_row_with_a_verdict_by_both_attacks():
    main = like_the_paper()
    other = dataclasses.replace(main, robust_metric=RELEASED_AUTOATTACK)
    table = claims_table(list(CLAIMS.values()), main, other)
    numbers = table.numbers.set_index("id")
    about_robustness = [
        name
        for name, claim in CLAIMS.items()
        if getattr(claim.quantity, "metric", None) in (ROBUST, GAP)
    ]
    assert list(numbers.index) == list(CLAIMS)
    assert list(numbers.index[numbers["other_verdict"] != ""]) == about_robustness
    # Under APGD-CE every run has the same accuracy here.
    assert numbers.loc["table1-full-robust", "other_verdict"] == "DIFFERS"


def test_what_was_run_as_in_the_paper_departs_from_it_in_nothing():
    main = like_the_paper()
    numbers = claims_table(list(CLAIMS.values()), main, main).numbers
    assert (numbers["paper_scale"].all(), set(numbers["departures"])) == (True, {""})


# Stand-ins.

percentage = st.floats(0, 100)


@pytest.mark.parametrize("stand_in", STAND_INS)
@given(
    accuracies=st.lists(st.tuples(percentage, percentage), min_size=1, max_size=4),
    r=st.floats(-0.9, 0.9),
)
def test_no_claim_about_data_is_judged_by_a_stand_in_whatever_the_runs_say(stand_in, accuracies, r):
    config = copy.deepcopy(DEFAULT)
    for study in config["studies"].values():
        study["dataset"] = stand_in
    cells = [(name, p) for name in (*PRUNING, "full", "standard") for p in ("0.5", "0.6", "1.0")]
    runs = [Run(stand_in, *cell, 1, seed) for cell in cells for seed in range(len(accuracies))]
    natural, robust = (list(values) * len(cells) for values in zip(*accuracies, strict=True))
    found = evidence(
        table_of_runs(runs, natural_accuracy=natural, autoattack_accuracy=robust),
        config=config,
        scores=pd.concat([correlated(study, r, 20) for study in ("mnist", "cifar10")]),
        embedding=embedded(),
    )
    verdicts = {judge(claim, found).verdict for claim in CLAIMS.values() if claim.studies}
    assert verdicts == {Verdict.NOT_RUN}

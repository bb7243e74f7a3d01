"""Worlds are what they say, the rules meet their bars in them, and a wrong rule is seen."""

import numpy as np
import pytest

from advprune.claims import error_rates, worlds
from advprune.claims.error_rates import Case
from advprune.claims.rules import Decision
from advprune.claims.worlds import Bell, Experiment, Mixture

COLUMNS = [
    *("world", "rule", "n", "repetitions"),
    *("reproduced_percent", "differs_percent", "underpowered_percent", "claim_is", "bar_met"),
]


@pytest.fixture(scope="module")
def rates():
    return error_rates.error_rates(repetitions=400)


def experiment(n=120, repetitions=2000):
    return Experiment(n, repetitions, np.random.default_rng(0))


# Worlds


@pytest.mark.parametrize(
    ("method", "mean", "deviation"),
    [
        ("full", 51.39, 36.6),
        ("random", 56.66, 32.6),
        ("low-deepfool", 56.62, 28.4),
        ("low-loss", 64.17, 25.8),
    ],
)
def test_robust_accuracies_have_the_mean_and_deviation_of_table_1(method, mean, deviation):
    population = worlds.robust_as_printed(method)
    (runs,) = experiment().runs(population)
    assert population.mean == pytest.approx(mean)
    assert runs.mean() == pytest.approx(mean, abs=0.3)
    assert runs.std() == pytest.approx(deviation, abs=0.2)
    assert runs.min() >= 0
    assert runs.max() <= 100


def test_the_share_of_collapsed_runs_is_the_one_that_was_asked_for():
    (runs,) = experiment().runs(Mixture(0.2, 70))
    assert (runs < 1).mean() == pytest.approx(0.2, abs=0.005)
    assert runs[runs >= 1].mean() == pytest.approx(70, abs=0.2)
    assert runs[runs >= 1].std() == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(("tailed", "skewness"), [(False, 0), (True, -1)])
def test_natural_accuracies_have_the_mean_deviation_and_skewness_asked_for(tailed, skewness):
    (runs,) = experiment().runs(Bell(98, 0.5, tailed))
    assert runs.mean() == pytest.approx(98, abs=0.01)
    assert runs.std() == pytest.approx(0.5, abs=0.01)
    assert ((runs - 98) ** 3).mean() / 0.5**3 == pytest.approx(skewness, abs=0.1)


def test_seeds_are_correlated_between_methods_only_if_asked_for():
    for correlation in (0.0, 0.6):
        first, second = experiment().runs(Bell(0, 1), Bell(0, 1), correlation=correlation)
        found = np.corrcoef(first.ravel(), second.ravel())[0, 1]
        assert found == pytest.approx(correlation, abs=0.01)


def test_the_printed_interval_covers_the_truth_in_95_percent():
    printed = experiment(repetitions=20000).printed(worlds.robust_as_printed("full"))
    covers = (printed.low(0.025) < 51.39) & (printed.high(0.025) > 51.39)
    assert covers.mean() == pytest.approx(0.95, abs=0.01)


def test_rarely_collapsing_accuracies_have_the_mean_asked_for():
    assert error_rates.rarely_collapsing(60).mean == pytest.approx(60)


# The table of error rates


def test_the_table_has_a_row_for_each_rule_world_and_number_of_runs(rates):
    assert list(rates.columns) == COLUMNS
    assert len(rates) == 4 * len(list(error_rates.cases()))
    assert not rates.duplicated(["world", "rule", "n"]).any()
    assert set(rates["claim_is"]) == {"true", "false"}


def test_the_three_verdicts_are_all_there_are(rates):
    parts = rates[["reproduced_percent", "differs_percent", "underpowered_percent"]]
    assert np.allclose(parts.sum(axis=1), 100)
    assert (parts >= 0).all(axis=None)


def test_every_rule_stays_within_its_bar_in_every_world(rates):
    assert rates.loc[~rates["bar_met"], ["rule", "world", "n"]].to_numpy().tolist() == []


def test_a_mean_of_fewer_than_20_accuracies_that_may_collapse_gets_no_verdict(rates):
    means = rates["rule"].str.contains("robust|greater|spread")
    few = rates[means & (rates["n"] < 20)]
    assert len(few) > 50
    assert (few["underpowered_percent"] == 100).all()


def test_a_mean_of_fewer_than_10_other_numbers_gets_no_verdict(rates):
    few = rates[~rates["rule"].str.contains("share") & (rates["n"] < 10)]
    assert (few["underpowered_percent"] == 100).all()


def test_where_every_run_collapses_nothing_is_reproduced(rates):
    lost = rates[rates["world"].str.contains("collapses$")]
    assert len(lost) >= 20
    assert (lost["reproduced_percent"] == 0).all()


@pytest.mark.parametrize(
    ("rule", "world"),
    [
        ("greater, paired", "the paper is right"),
        ("greater, unpaired", "the paper is right"),
        ("spread, paired, correlated", "the paper is right"),
        ("no loss, robust, 6.39", "the paper is right (a gain)"),
        ("number, robust, ± 12.78", "the paper is right (low-loss)"),
        ("number, natural, ± 0.5", "the paper is right (full)"),
    ],
)
def test_120_runs_bear_out_most_of_what_is_true(rates, rule, world):
    row = rates[(rates["rule"] == rule) & (rates["world"] == world) & (rates["n"] == 120)]
    assert row["reproduced_percent"].item() > 80


def test_more_runs_never_make_a_false_number_easier_to_reproduce_beyond_the_bar(rates):
    wrong = rates[rates["world"].str.startswith("wrong by the paper's effect")]
    assert len(wrong) == 20
    assert (wrong["reproduced_percent"] < 8).all()


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    tables = [error_rates.error_rates(repetitions=20, runs=(30,), seed=seed) for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def verdicts(reproduced, differs, repetitions=1000):
    """A rule that says each so many times."""
    order = np.arange(repetitions)
    said = order < reproduced, (order >= reproduced) & (order < reproduced + differs)
    return lambda drawn: Decision(*said, 0.0, 0.0, "", "")


@pytest.mark.parametrize(
    ("reproduced", "differs", "holds", "met"),
    [
        (0, 1000, False, True),
        (1000, 0, True, True),
        (50, 0, False, True),
        (73, 0, False, True),  # P(X >= 73) = 0.00101 if the rate is 5%
        (74, 0, False, False),  # 0.00065
        (0, 74, True, False),
        (0, 73, True, True),
    ],
)
def test_a_rule_that_errs_too_often_misses_its_bar(monkeypatch, reproduced, differs, holds, met):
    case = Case("a rule", "a world", holds, verdicts(reproduced, differs))
    monkeypatch.setattr(error_rates, "cases", lambda: iter([case]))
    table = error_rates.error_rates(repetitions=1000, runs=(8,))
    assert table["bar_met"].tolist() == [met]
    assert table["reproduced_percent"].item() == reproduced / 10


class Turning(Experiment):
    """One experiment whose first 30 runs say the opposite of all its runs."""

    def runs(self, *populations, correlation=0.0):
        gain = np.where(np.arange(self.n) < 30, 40.0, -40.0) + np.arange(self.n) % 7
        return [(50 + gain)[None], np.full((1, self.n), 50.0)]


@pytest.mark.parametrize(("n", "reproduced", "differs"), [(120, True, False), (30, True, False)])
def test_the_first_verdict_is_kept_whatever_later_runs_say(n, reproduced, differs):
    first = error_rates._first_verdict(worlds.robust_as_printed("low-loss"))
    found = first(Turning(n, 1, np.random.default_rng(0)))
    assert (found.reproduced.item(), found.differs.item()) == (reproduced, differs)


def test_a_verdict_that_all_runs_give_first_is_theirs():
    class Late(Turning):
        def runs(self, *populations, correlation=0.0):
            first, second = super().runs()
            first[:, :30] = 50 + np.arange(30) % 2 - 0.5
            return [first, second]

    found = error_rates._first_verdict(worlds.robust_as_printed("low-loss"))(Late(120, 1, None))
    assert (found.reproduced.item(), found.differs.item()) == (False, True)

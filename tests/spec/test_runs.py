"""A run's name and its place on disk."""

import pytest

from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.spec.runs import Run, share_text, training_seconds

RUNS = runs_of("all", load_config())


@pytest.mark.parametrize(
    ("run", "folder"),
    [
        pytest.param(
            Run("mnist", "low-deepfool", "0.6", 1, 7),
            "mnist/low-deepfool/p0.6/e1/seed007",
            id="short seed",
        ),
        pytest.param(
            Run("cifar10", "full", "1.0", 1, 1234), "cifar10/full/p1.0/e1/seed1234", id="long seed"
        ),
        pytest.param(
            Run("mnist5k", "random", "0.05", 12, 0),
            "mnist5k/random/p0.05/e12/seed000",
            id="two decimals",
        ),
    ],
)
def test_a_run_lies_in_the_folder_that_its_name_says(run, folder):
    assert str(run.folder) == folder == str(run)


def test_every_run_of_the_default_config_is_read_back_from_its_folder():
    for run in RUNS:
        dataset, method, p, e, seed = run.folder.parts
        parts = {"p": p.removeprefix("p"), "e": e.removeprefix("e"), "seed": seed[len("seed") :]}
        assert Run.from_wildcards(dataset=dataset, method=method, **parts) == run


def test_no_two_runs_share_a_folder():
    assert len({run.folder for run in RUNS}) == len(set(RUNS)) == len(RUNS)


@pytest.mark.parametrize(
    ("share", "text"), [(1, "1.0"), (0.6, "0.6"), (0.05, "0.05"), (1e-4, "0.0001")]
)
def test_a_share_is_written_as_a_decimal(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize(("timed", "expected"), [(False, 12.5), (True, 20.5)])
def test_training_time_counts_validation_only_if_it_is_timed(timed, expected):
    seconds = {"training": 10.0, "scoring": 2.0, "pruning": 0.5, "validation": 8.0}
    assert training_seconds(seconds, with_validation=timed) == expected

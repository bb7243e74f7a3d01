"""Blocks: which runs one job makes, and which starts they go on from."""

import copy

import pytest
from workflow_tools import PROJECT

from advprune.plan.blocks import (
    by_cell,
    run_blocks,
    start_blocks,
    start_of,
    starts_of,
    timed,
    trained_alone,
)
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.spec.runs import Run, Start

PAPER = load_config()


def sized(size, overlay=None):
    config = copy.deepcopy(load_config(PROJECT / f"config/{overlay}.yaml") if overlay else PAPER)
    config["execution"]["seeds_per_job"] = size
    return config


@pytest.mark.parametrize("size", [1, 7, 30, "all"])
def test_every_run_is_in_one_block(size):
    blocks = run_blocks(sized(size))
    assert sorted(run for block in blocks.values() for run in block) == runs_of("all", PAPER)


@pytest.mark.parametrize("size", [1, 7, 30, "all"])
def test_the_runs_of_a_block_differ_in_the_seed_alone(size):
    for block in run_blocks(sized(size)).values():
        cells = {(run.dataset, run.method, run.p, run.e) for run in block}
        assert len(cells) == 1
        assert size == "all" or len(block) <= size


def test_a_block_has_seeds_beside_each_other_and_is_named_by_them():
    blocks = run_blocks(sized(30))
    found = blocks["mnist/low-loss/p0.6/e1/090-119"]
    assert found == [Run("mnist", "low-loss", "0.6", 1, seed) for seed in range(90, 120)]


@pytest.mark.parametrize("size", [2, 5, 1000])
def test_cells_that_are_made_together_are_whole_of_one_data_set_and_no_more_than_asked_for(size):
    config = sized(30)
    config["execution"]["cells_per_job"] = size
    blocks = run_blocks(config)
    assert sorted(run for block in blocks.values() for run in block) == runs_of("all", PAPER)
    for block in blocks.values():
        assert len({run.dataset for run in block}) == 1
        assert len(by_cell(block)) <= size


def test_a_block_of_several_cells_is_named_by_the_first_of_them():
    config = sized("all")
    config["execution"]["cells_per_job"] = 2
    blocks = run_blocks(config)
    cells = [(run.method, run.p) for run, *_ in by_cell(blocks["mnist/full/p1.0/e1/all"])]
    assert cells == [("full", "1.0"), ("high-deepfool", "0.1")]
    assert "mnist/high-deepfool/p0.1/e1/all" not in blocks


def test_more_seeds_leave_the_blocks_that_are_full_as_they_are():
    config = sized(30)
    before = run_blocks(config)
    config["studies"]["mnist"]["experiments"]["table1"]["seeds"] = 130
    after = run_blocks(config)
    assert {name: after[name] for name in before} == before
    assert len(after["mnist/full/p1.0/e1/120-149"]) == 10


def test_blocks_make_the_papers_jobs_few():
    assert len(run_blocks(PAPER)) + len(start_blocks(PAPER)) < 200


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(Run("mnist", "random", "0.6", 1, 50), 3, id="of table 1"),
        pytest.param(Run("mnist", "low-loss", "0.1", 1, 50), 0, id="a seed that no figure shows"),
        pytest.param(Run("mnist", "low-loss", "0.1", 1, 0), 3, id="of figure 5"),
        pytest.param(Run("mnist", "high-loss", "0.1", 1, 0), 0, id="of figure 3 alone"),
    ],
)
def test_runs_are_trained_by_themselves_where_their_time_is_shown(run, expected):
    assert PAPER["execution"]["trained_alone"] == 3
    assert trained_alone([run], timed(PAPER), PAPER) == expected


def test_starts_are_trained_by_themselves_where_runs_that_are_timed_go_on_from_them():
    assert trained_alone([Start("mnist", 1, 7)], timed(PAPER), PAPER) == 3
    assert trained_alone([Start("mnist", 5, 0)], timed(PAPER), PAPER) == 0


def test_each_run_has_a_start_in_a_block():
    starts = {start for block in start_blocks(PAPER).values() for start in block}
    for run in runs_of("all", PAPER):
        assert start_of(run, PAPER) in starts | {None}


def test_a_start_is_of_the_pruning_epoch():
    assert start_of(Run("mnist", "random", "0.3", 4, 2), PAPER) == Start("mnist", 4, 2)


def test_a_run_without_an_adversary_begins_by_itself():
    assert start_of(Run("mnist", "standard", "1.0", 1, 2), PAPER) is None


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [(None, "paired_seeds", False), ("pruning", "when", "before_epoch")],
)
def test_runs_that_share_no_beginning_have_starts_for_the_figures_alone(section, key, value):
    config = copy.deepcopy(PAPER)
    (config[section] if section else config)[key] = value
    wanted = [Start(name, 1, seed) for name in ("cifar10", "mnist") for seed in range(10)]
    assert starts_of(runs_of("all", config), config) == wanted

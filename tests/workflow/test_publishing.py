"""Published runs count as made, and give the same tables."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tiny_workflow import COMMAND, TARGETS
from workflow_tools import job_counts, run_program, run_snakemake

from advprune.archive.compare import differences

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

CONFIG = ("--config", "config/tiny.yaml")


@pytest.fixture(scope="module")
def unpacked(uninterrupted, fresh, tmp_path_factory):
    """A copy of the project in which nothing was made, and published runs were put."""
    project = fresh(tmp_path_factory.mktemp("published"))
    there = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(uninterrupted, there, symlinks=True)
    packed = run_program("pack", project / "published", *CONFIG, cwd=there)
    assert packed.status == 0, packed.printed
    put = run_program("unpack", "published", *CONFIG, cwd=project)
    assert put.status == 0, put.printed
    return project


def plan(project, *overlays):
    planned = run_snakemake("-n", *COMMAND, *overlays, "--", *TARGETS, cwd=project)
    assert planned.status == 0, planned.printed[-3000:]
    return job_counts(planned.printed)


def test_what_is_published_is_not_made_again(unpacked):
    assert plan(unpacked) == {"write_config": 1, "table1": 1, "figure6": 1, "total": 3}


def test_the_data_sets_of_all_runs_can_be_made_before_anything_else(unpacked):
    planned = run_snakemake("-n", "--forceall", *COMMAND, "--", "datasets", cwd=unpacked)
    assert job_counts(planned.printed) == {"dataset": 2, "datasets": 1, "total": 3}


def test_of_more_seeds_those_are_made_that_are_missing(unpacked, tmp_path):
    (tmp_path / "more.yaml").write_text("studies: {mnist: {experiments: {table1: {seeds: 3}}}}")
    planned = plan(unpacked, tmp_path / "more.yaml")
    assert {name: planned[name] for name in ("start", "train", "evaluate")} == {
        **{"start": 1, "train": 2, "evaluate": 2},
    }


def test_tables_and_figures_come_out_the_same(unpacked, uninterrupted, tmp_path):
    project = shutil.copytree(unpacked, tmp_path / "project", symlinks=True)
    ended = run_snakemake(*COMMAND, "--", *TARGETS, cwd=project)
    assert ended.status == 0, ended.printed[-3000:]
    again, before = project / "results/tiny", uninterrupted / "results/tiny"
    # Figure 6 shows scores, which are published rounded.
    found = differences(again, before)
    assert [each for each in found if not each.startswith("figures/figure6")] == []
    scores = [
        pd.read_csv(each / "figures/figure6.csv").select_dtypes("number")
        for each in (again, before)
    ]
    assert not scores[0].empty
    np.testing.assert_allclose(*scores, rtol=2**-12)

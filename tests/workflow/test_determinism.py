"""The same configuration gives the same bits, whatever else the machine does."""

import pytest
from tiny_workflow import differences
from workflow_tools import run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

# The last of Table 1's runs, with another p beside it that the other project never makes.
CHOSEN, OTHER = (f"mnist5k/{method}/p0.5/e1/seed001" for method in ("low-loss", "random"))


@pytest.fixture(scope="module")
def in_another_order(fresh, tmp_path_factory):
    """A project in which one core made the chosen run first, alone, and then another."""
    project = fresh(tmp_path_factory.mktemp("another_order"))
    (project / "more.yaml").write_text(
        "studies: {mnist: {experiments: {table1: {methods: [low-loss, random]}}}}"
    )
    for method in ("low-loss", "random"):
        target = f"results/tiny/blocks/evaluate/mnist5k/{method}/p0.5/e1/001-001.json"
        ended = run_snakemake(
            *("--cores", "1", "--configfile", "config/tiny.yaml", "more.yaml", "--", target),
            cwd=project,
        )
        assert ended.status == 0, ended.printed[-3000:]
    return project


def test_a_run_has_the_same_files_alone_or_beside_others_on_one_core_or_two(
    in_another_order, uninterrupted
):
    alone, beside = (
        project / "results/tiny/runs" / CHOSEN for project in (in_another_order, uninterrupted)
    )
    assert (alone / "model.safetensors").exists()
    assert differences(alone, beside) == set()


def test_another_method_of_the_same_seed_is_another_run(in_another_order):
    runs = in_another_order / "results/tiny/runs"
    assert {"model.safetensors", "verdicts.csv"} & differences(runs / CHOSEN, runs / OTHER)

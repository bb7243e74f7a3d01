"""The workflow in conda's environments, every rule of it run once with `--use-conda`."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from environments import FILES, read_rules
from workflow_tools import (
    SMOKE,
    USE_CONDA,
    copy_project,
    job_counts,
    needs_conda,
    programs_seen,
    put_witness_into,
    run_snakemake,
)

from advprune.analysis.notes import ALIKE

pytestmark = [pytest.mark.workflow, pytest.mark.slow, *needs_conda]

# Fewer runs than the smoke scale has, by every rule.
FEWER = """
studies:
  mnist:
    experiments:
      accuracy: {methods: [low-loss], p: [0.5]}
      table1: {seeds: 1}
      pruning_epoch: {e: [1]}
  cifar10:
    experiments:
      accuracy: {methods: [low-loss], p: [0.5]}
"""
RUN = ["dataset", "method", "p", "e", "seed"]
# A build of PyTorch, as far as it says what it computes with.
BUILD = "import torch; print(torch.__version__, torch.version.git_version, torch.__config__.show())"


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory, conda_environments):
    """A project in which the workflow has run with conda, its end, and what ran it."""
    folder = tmp_path_factory.mktemp("with_conda")
    for environment in conda_environments.values():
        packages = put_witness_into(environment)
        # What a user may have in ~/.local, and no program may find.
        own = folder / packages.relative_to(environment)
        own.mkdir(parents=True, exist_ok=True)
        (own / "numpy.py").write_text("raise ImportError('of the user')")
    witness = folder / "witness.jsonl"
    project = copy_project(folder / "project")
    (project / "fewer.yaml").write_text(FEWER)
    variables = {"PYTHONUSERBASE": str(folder), "WITNESS": str(witness)}
    ended = run_snakemake(*SMOKE, "fewer.yaml", *USE_CONDA, cwd=project, variables=variables)
    return project, ended, programs_seen(witness)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_environment_is_made(conda_environments, path):
    assert (conda_environments[path.name] / "bin/python3").exists()


def test_the_workflow_ends_well_with_conda(witnessed):
    _, ended, _ = witnessed
    assert ended.status == 0, ended.printed[-4000:]


def test_every_program_runs_under_the_python_of_its_rules_environment(
    witnessed, conda_environments, tmp_path
):
    _, _, ran = witnessed
    assert ran == {
        (rule.program, conda_environments[f"{rule.environment}.yaml"].resolve())
        for rule in read_rules(tmp_path / "project")
    }


def test_the_same_numbers_come_out_with_and_without_conda(witnessed, finished, conda_environments):
    build = pytorch_build(conda_environments["torch.yaml"] / "bin/python3")
    if build != pytorch_build(sys.executable):
        pytest.skip("conda's PyTorch is another build, whose last bits may differ")
    with_conda, without = (
        pd.read_csv(project / "results/smoke/runs.csv", dtype={"p": str}).set_index(RUN)
        for project in (witnessed[0], finished[0])
    )
    assert len(with_conda) > 0
    without = without.loc[with_conda.index]
    pd.testing.assert_frame_equal(reproducible(with_conda), reproducible(without))


def reproducible(runs: pd.DataFrame) -> pd.DataFrame:
    """What of a table of runs does not say where and how fast it was made."""
    seconds = [name for name in runs if name.endswith("_seconds")]
    return runs.drop(columns=[*seconds, *ALIKE])


def pytorch_build(python: str | Path) -> str:
    return subprocess.run([python, "-c", BUILD], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("device", "environment"),
    [("auto", "torch.yaml"), ("cpu", "torch.yaml"), ("cuda", "torch-gpu.yaml")],
)
def test_the_device_in_the_config_chooses_the_environment(
    conda_environments, tmp_path, device, environment
):
    project = copy_project(tmp_path / "project")
    (tmp_path / "overlay.yaml").write_text(f"execution: {{device: {device}}}")
    listed = run_snakemake(
        *(*SMOKE, tmp_path / "overlay.yaml", *USE_CONDA, "--list-conda-envs"), cwd=project
    )
    named = {line.split("\t")[0] for line in listed.printed.splitlines() if "\t" in line}
    assert named - {"environment"} == {"envs/analysis.yaml", f"envs/{environment}"}


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_results_made_without_conda_are_not_made_again_with_it(finished, tmp_path, device):
    (tmp_path / "overlay.yaml").write_text(f"execution: {{device: {device}}}")
    planned = run_snakemake("-n", *SMOKE, tmp_path / "overlay.yaml", *USE_CONDA, cwd=finished[0])
    assert planned.status == 0, planned.printed[-3000:]
    assert "train" not in job_counts(planned.printed)

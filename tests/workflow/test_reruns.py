"""What is made again when something was edited: what depends on it, and nothing else."""

import shutil

import pytest
from tiny_workflow import COMMAND, TARGETS
from workflow_tools import job_counts, run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture
def project(uninterrupted, tmp_path):
    """A copy of the project in which all is made."""
    return shutil.copytree(uninterrupted, tmp_path / "project", symlinks=True)


def plan(project, *overlays):
    planned = run_snakemake("-n", *COMMAND, *overlays, "--", *TARGETS, cwd=project)
    assert planned.status == 0, planned.printed[-3000:]
    return planned.printed


def test_an_edited_comment_or_docstring_starts_nothing(project):
    sources = [project / "Snakefile", *project.glob("rules/*.smk")]
    sources += project.glob("workflow/scripts/**/*.py")
    for path in sources:
        text = path.read_text().replace('"""\n', ' And more."""\n', 1)
        path.write_text(f"# A new comment.\n{text}\n# Another one.\n")
    assert len(sources) > 50
    assert "Nothing to be done" in plan(project)


@pytest.mark.parametrize(
    ("overlay", "jobs"),
    [
        pytest.param(
            "studies: {mnist: {training: {epochs: 31}}}",
            {"start": 2, "train": 4, "evaluate": 4, "table1": 1, "figure6": 1},
            id="a hyperparameter of one study",
        ),
        pytest.param(
            "studies: {cifar10: {training: {epochs: 5}}}",
            {"start": 1, "table1": 1, "figure6": 1},
            id="a hyperparameter of the study that has scores alone",
        ),
        pytest.param(
            "studies: {mnist: {evaluation: {seed: 1}}}",
            {"evaluate": 4, "table1": 1, "figure6": 1},
            id="of the evaluation",
        ),
        pytest.param(
            "deepfool: {max_iterations: 5}",
            # The starts are others; the jobs that go on from them keep their runs.
            {"start": 3, "train": 4, "evaluate": 4, "table1": 1, "figure6": 1},
            id="of DeepFool, by which no run of table 1 is pruned",
        ),
    ],
)
def test_a_changed_hyperparameter_makes_again_what_depends_on_it(project, tmp_path, overlay, jobs):
    (tmp_path / "overlay.yaml").write_text(overlay)
    planned = job_counts(plan(project, tmp_path / "overlay.yaml"))
    # All tables and figures name the config on their face.
    assert planned == jobs | {"write_config": 1, "total": sum(jobs.values()) + 1}

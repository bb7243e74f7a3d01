"""The recipes of docs/extending.md, taken out of the document, applied to a copy and run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from safetensors.numpy import load_file
from workflow_tools import PROJECT, copy_project, run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

TEXT = (PROJECT / "docs/extending.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
# Such as: Put into `config/digits.yaml`: Or: Add to the end of `_ALL` in `…/exhibits.py`:
BLOCK = re.compile(
    r"(?:put\s+into|add\s+to\s+the\s+(end)\s+of(?:\s+`(\w+)`\s+in)?)\s+`([^`]+)`[^`]*?:\n\n"
    r"```\w+\n(.*?)^```",
    re.M | re.S | re.I,
)
COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.M | re.S)


def followed(recipe, folder):
    """A copy of the project to which a recipe's blocks have been applied, in its order."""
    project = copy_project(folder / "project")
    blocks = BLOCK.findall(RECIPES[recipe])
    assert len(blocks) + len(COMMANDS.findall(RECIPES[recipe])) == RECIPES[recipe].count("```") / 2
    for at_the_end, variable, name, content in blocks:
        path = project / name
        assert path.exists() == bool(at_the_end)
        before = path.read_text(encoding="utf-8") if at_the_end else ""
        if variable:  # a tuple, whose end is the next line that is a bracket alone
            end = re.search(rf"^{variable} = \((.*?)^\)", before, re.M | re.S).end(1)
            path.write_text(f"{before[:end]}{content.rstrip()},\n{before[end:]}", encoding="utf-8")
        else:
            path.write_text(f"{before}\n\n{content}".lstrip(), encoding="utf-8")
    return project


def run(recipe, folder):
    """The copy after the recipe's commands, as they stand, have been run in it."""
    project = followed(recipe, folder)
    (commands,) = COMMANDS.findall(RECIPES[recipe])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = subprocess.run(
        ["bash", "-euc", commands],
        cwd=project,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
    return project


def table(path):
    return pd.read_csv(path, dtype={"p": str})


@pytest.mark.parametrize(
    ("recipe", "overlay", "named"),
    [
        ("Another data set", "digits", "results/digits/runs/digits/"),
        ("Another network", "linear", '"network": "linear"'),
        ("Another pruning method", "even", "results/even/runs/mnist5k/even-loss/"),
        ("Another attack", "pgd", '"pgd_20": {"steps": 20}'),
        ("Another table or figure", "tradeoff", "results/tradeoff/figures/tradeoff.png"),
    ],
)
def test_everything_can_be_planned_with_a_recipe(tmp_path, recipe, overlay, named):
    planned = run_snakemake(
        *("-n", "-p", "--cores", "1"),
        *("--configfile", "config/smoke.yaml", f"config/{overlay}.yaml"),
        cwd=followed(recipe, tmp_path),
    )
    assert planned.status == 0, planned.printed[-3000:]
    assert named in planned.printed.replace("\\", "")


def test_a_new_data_set_is_trained_on_and_drawn(tmp_path):
    project = run("Another data set", tmp_path)
    points = table(project / "results/digits/figures/figure3.csv")
    assert points[["dataset", "method"]].to_numpy().tolist() == [
        ["digits", "full"],
        ["digits", "random"],
    ]


CHECK = """
import pkgutil
from advprune.spec.datasets import DATASETS
said = DATASETS["digits"]
arrays = pkgutil.resolve_name(said.load)(None)
images, test_images = arrays["train_images"], arrays["test_images"]
assert (images.shape[1:], (len(images), len(test_images))) == (said.shape, said.examples)
assert abs(images.mean() / 255 - said.mean[0]) < 5e-4
assert abs(images.std() / 255 - said.standard_deviation[0]) < 5e-4
"""


def test_what_is_said_of_the_new_data_set_is_so(tmp_path):
    scripts = followed("Another data set", tmp_path) / "workflow/scripts"
    said = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=scripts, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr


def test_a_new_network_is_trained_and_drawn(tmp_path):
    project = run("Another network", tmp_path)
    weights = load_file(
        project / "results/linear/runs/mnist5k/full/p1.0/e1/seed000/model.safetensors"
    )
    assert [array.shape for array in weights.values()] == [(10,), (10, 784)]
    assert len(table(project / "results/linear/figures/figure3.csv")) == 2


def test_a_new_pruning_method_is_trained_by_and_drawn(tmp_path):
    project = run("Another pruning method", tmp_path)
    points = table(project / "results/even/figures/figure3.csv")
    assert points["method"].to_list() == ["even-loss", "full", "random"]
    kept = load_file(
        project / "results/even/runs/mnist5k/even-loss/p0.5/e1/seed000/pruning.safetensors"
    )["kept"]
    assert (len(kept), kept.sum()) == (500, 250)


def test_a_new_attack_has_its_column_in_every_table_and_a_row_in_the_figure(tmp_path):
    project = run("Another attack", tmp_path)
    folder = project / "results/pgd"
    evaluated = folder / "runs/mnist5k/full/p1.0/e1/seed000"
    assert table(evaluated / "evaluation.csv")["pgd_20_accuracy"].between(0, 100).all()
    verdicts = table(evaluated / "verdicts.csv")
    right = verdicts["prediction"] == verdicts["label"]
    assert right[verdicts["pgd_20"] == 1].all()
    assert "pgd_20_accuracy_mean" in table(folder / "figures/figure3.csv")


def test_a_new_figure_is_drawn(tmp_path):
    project = run("Another table or figure", tmp_path)
    figures = project / "results/tradeoff/figures"
    assert (figures / "tradeoff.png").read_bytes().startswith(b"\x89PNG")
    assert table(figures / "tradeoff.csv")["method"].to_list() == ["full", "random"]


def test_weights_from_elsewhere_are_evaluated(tmp_path):
    row = table(run("A network that you trained elsewhere", tmp_path) / "evaluation.csv").iloc[0]
    assert (row["test_examples"], row["autoattack_examples"]) == (1000, 32)


def test_there_is_a_test_for_every_recipe():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [recipe for recipe in RECIPES if f'run("{recipe}"' not in text] == []

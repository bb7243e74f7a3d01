"""What figures and tables say about the data and the scale they were made at."""

import pkgutil
import re

import pytest
from run_tables import joined, runs_of_cell
from workflow_tools import PROJECT

from advprune.analysis.notes import (
    dataset_label,
    face_note,
    mixture_notes,
    network_label,
    seeds_note,
    time_note,
)
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, WITH_RUNS
from advprune.spec.datasets import DATASETS

DEFAULT = load_config()
SMOKE = load_config(PROJECT / "config/smoke.yaml")


@pytest.mark.parametrize("name", DATASETS)
def test_a_stand_in_says_what_it_stands_in_for_and_the_papers_own_data_are_not_called_one(name):
    original = DATASETS[name].stands_in_for
    assert dataset_label(name).endswith(f", a stand-in for {original}") == bool(original)


def test_the_papers_scale_is_noted_with_all_its_images():
    assert face_note(DEFAULT, ["mnist", "cifar10"]).split("\n") == [
        "MNIST: 60,000 training images, mnist_cnn, 10,000 test images attacked",
        "CIFAR10: 50,000 training images, preact_resnet18, 10,000 test images attacked",
        "scale: paper, protocol: paper",
    ]


def test_a_smaller_scale_is_noted_with_the_images_really_used():
    assert face_note(SMOKE, ["cifar10"]).split("\n") == [
        "Shapes10 (drawn by code), a stand-in for CIFAR10: 300 training images, "
        "preact_resnet18 at 0.0625 of its width, 2 test images attacked",
        "scale: smoke, protocol: paper",
    ]


def test_where_nothing_is_attacked_no_attack_is_noted():
    assert "attacked" not in face_note(SMOKE, ["mnist", "cifar10"], attacked=False)


@pytest.mark.parametrize(
    ("counts", "note"),
    [([30, 30], "n = 30 runs"), ([4, 2, 3], "n = 2 to 4 runs"), ([1, 1], "(n = 1), so no")],
)
def test_the_number_of_runs_a_point_is_noted(counts, note):
    assert note in seeds_note(counts, DEFAULT)


@pytest.mark.parametrize(
    ("width", "label"),
    [(1, "preact_resnet18"), (0.125, "preact_resnet18 at 0.125 of its width")],
)
def test_a_narrow_network_is_called_so(width, label):
    study = {"training": {"network": "preact_resnet18", "width": width}}
    assert network_label(study) == label


@pytest.mark.parametrize(
    ("overlay", "counted"),
    [
        ("early_stopping: {enabled: true, timed: true}", True),
        ("early_stopping: {enabled: true, timed: false}", False),
        ("early_stopping: {enabled: false, timed: true}", False),
    ],
)
def test_validation_is_named_where_training_time_counts_it(tmp_path, overlay, counted):
    (tmp_path / "overlay.yaml").write_text(overlay)
    note = time_note(load_config(tmp_path / "overlay.yaml"))
    assert ("early stopping" in note) == counted


# Runs that were not made alike are never mixed in silence.


def runs_made_with(**columns):
    return runs_of_cell("random", seed=range(3), **columns)


def test_runs_that_were_made_alike_need_no_note():
    assert mixture_notes(runs_made_with()) == []


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("source", ["abc", "def", "abc"], "states of the pipeline's code"),
        ("torch", ["2.1", "2.0", "2.1"], "versions of PyTorch"),
        ("device", ["cuda: H200", "cpu: x86_64", "cuda: H200"], "devices"),
        ("threads", [2, 1, 2], "numbers of CPU threads"),
        ("evaluation_source", ["abc", "def", "abc"], "code of the evaluation"),
        ("evaluation_torch", ["2.1", "2.0", "2.1"], "versions of PyTorch in the evaluation"),
        ("evaluation_device", ["cuda: H200", "cpu: x86_64", "cuda: H200"], "in the evaluation"),
    ],
)
def test_runs_that_were_not_made_alike_are_counted_by_what_they_were_made_with(
    column, values, told
):
    (note,) = mixture_notes(runs_made_with(**{column: values}))
    assert told in note
    assert f"{values[0]} (2)" in note
    assert f"{values[1]} (1)" in note


@pytest.fixture
def runs():
    """Runs of every kind, of which one was made by another PyTorch."""
    cells = [
        runs_of_cell(method, dataset="mnist5k", autoattack_accuracy=[40.0, 41])
        for method in ("full", "low-loss", "low-deepfool", "random")
    ]
    runs = joined(*cells, runs_of_cell("full", dataset="shapes10", autoattack_accuracy=[40.0]))
    runs.loc[0, "torch"] = "1.9"
    return runs


def face_of(exhibit, runs):
    """What is written below a table or figure."""
    if exhibit.name in ("figure3", "distribution"):
        runs = runs[runs["dataset"] == "mnist5k"]
    elif exhibit.name == "figure4":
        runs = runs.replace({"dataset": {"mnist5k": "shapes10"}})
    made = pkgutil.resolve_name(exhibit.code)(runs=runs, config=SMOKE)
    return "\n".join(made.notes) if exhibit.folder == "tables" else made.figure.get_supxlabel()


@pytest.mark.parametrize("name", WITH_RUNS)
def test_a_table_or_figure_made_from_a_mixture_says_so_and_no_other_does(name, runs):
    mixed, alike = (face_of(EXHIBITS[name], each) for each in (runs, runs.assign(torch="2.0")))
    assert re.search(r"different versions of PyTorch, with how many runs: 1\.9 \(1\), 2\.0", mixed)
    assert "different" not in alike

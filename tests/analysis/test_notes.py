"""What figures and tables say about the data and the scale they were made at."""

import copy
import pkgutil
import re

import numpy as np
import pytest
from figure_tools import face_of
from run_tables import runs_of_cell, table_of_runs, verdicts_of, write_by_epoch, write_run
from workflow_tools import PROJECT

from advprune.analysis.notes import (
    dataset_label,
    face_note,
    mixture_notes,
    network_label,
    seeds_note,
    time_note,
)
from advprune.figures.by_epoch import MEASURES
from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, WITH_RUNS, runs_of
from advprune.plan.specify import by_epoch_spec
from advprune.spec.datasets import DATASETS

DEFAULT = load_config()
SMOKE = load_config(PROJECT / "config/smoke.yaml")


@pytest.mark.parametrize("name", DATASETS)
def test_a_stand_in_says_what_it_stands_in_for_and_the_papers_own_data_are_not_called_one(name):
    original = DATASETS[name].stands_in_for
    assert dataset_label(name).endswith(f", a stand-in for {original}") == bool(original)


def test_the_papers_scale_is_noted_with_its_images():
    assert face_note(DEFAULT, ["mnist", "cifar10"]).split("\n") == [
        "MNIST: 60,000 training images, mnist_cnn, AutoAttack on 1,000 test images, "
        "APGD-CE 40×5 on 10,000",
        "CIFAR10: 50,000 training images, preact_resnet18, AutoAttack on 1,000 test images, "
        "APGD-CE 40×5 on 10,000",
        "scale: paper, protocol: paper",
    ]


def test_a_smaller_scale_is_noted_with_the_images_really_used():
    assert face_note(SMOKE, ["cifar10"]).split("\n") == [
        "Shapes10 (drawn by code), a stand-in for CIFAR10: 300 training images, "
        "preact_resnet18 at 0.0625 of its width, AutoAttack on 2 test images, APGD-CE 40×5 on 4",
        "scale: smoke, protocol: paper",
    ]


def test_as_many_images_for_both_attacks_are_noted_once():
    config = copy.deepcopy(SMOKE)
    config["studies"]["cifar10"]["evaluation"]["single_attack_examples"] = 2
    assert "of its width, 2 test images attacked\n" in face_note(config, ["cifar10"])


@pytest.mark.parametrize(
    ("arithmetic", "said"),
    [
        ({"precision": "bfloat16"}, ", in bfloat16"),
        ({"precision": "float16"}, ", in float16"),
        ({"tf32": True}, ", trained in TF32 on GPUs that have it"),
        (
            {"precision": "bfloat16", "tf32": True},
            ", in bfloat16, trained in TF32 on GPUs that have it",
        ),
    ],
)
def test_arithmetic_less_exact_than_float32_is_noted(arithmetic, said):
    config = DEFAULT | {"execution": DEFAULT["execution"] | arithmetic}
    (*_, last) = face_note(config, ["mnist"]).split("\n")
    assert last == f"scale: paper, protocol: paper{said}"


def test_where_nothing_is_attacked_no_attack_is_noted():
    note = face_note(SMOKE, ["mnist", "cifar10"], attacked=False)
    assert "test images" not in note


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
    note = time_note(
        load_config(tmp_path / "overlay.yaml"), runs_of_cell("full", natural_accuracy=[98.0])
    )
    assert ("early stopping" in note) == counted


def test_a_run_whose_time_was_taken_on_another_machine_is_named():
    runs = runs_of_cell("full", natural_accuracy=[98.0] * 3, training_seconds=[1.0, 2.0, np.nan])
    assert "runs left out, as another machine than most trained them: 1" in time_note(DEFAULT, runs)
    assert "another machine" not in time_note(DEFAULT, runs[:2])


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
        ("processor", ["AVX2", "AVX512", "AVX2"], "processors or instruction sets"),
        ("threads", [2, 1, 2], "numbers of CPU threads"),
        ("evaluation_source", ["abc", "def", "abc"], "code of the evaluation"),
        ("evaluation_torch", ["2.1", "2.0", "2.1"], "versions of PyTorch in the evaluation"),
        ("evaluation_device", ["cuda: H200", "cpu: x86_64", "cuda: H200"], "in the evaluation"),
        (
            *("evaluation_processor", ["AVX2", "AVX512", "AVX2"]),
            "processors or instruction sets in the evaluation",
        ),
    ],
)
def test_runs_that_were_not_made_alike_are_counted_by_what_they_were_made_with(
    column, values, told
):
    (note,) = mixture_notes(runs_made_with(**{column: values}))
    assert told in note
    assert f"{values[0]} (2)" in note
    assert f"{values[1]} (1)" in note


def test_runs_that_were_attacked_with_what_trained_them_are_counted_once():
    processors = ["AVX2", "AVX512", "AVX2"]
    mixed = runs_made_with(processor=processors, evaluation_processor=processors)
    (note,) = mixture_notes(mixed)
    assert "instruction sets, each attacked with the same, with how many runs: AVX2 (2)" in note
    elsewhere = mixed.assign(evaluation_processor=["AVX2", "AVX512", "AVX512"])
    assert len(mixture_notes(elsewhere)) == 2


@pytest.mark.parametrize("column", ["torch", "processor", "evaluation_processor"])
def test_where_pairs_are_compared_a_mixture_is_a_warning(column):
    mixed = runs_made_with(**{column: ["one", "one", "other"]})
    doubt = "WARNING, pairs differ in more than the method. "
    (alone,), (of_pairs,) = mixture_notes(mixed), mixture_notes(mixed, paired=True)
    assert of_pairs == doubt + alone
    assert mixture_notes(runs_made_with(), paired=True) == []


def made_from(exhibit, runs, folder):
    """What is written on a table or figure, in one line."""
    inputs = {"verdicts": verdicts_of(runs)} if exhibit.verdicts else {}
    if exhibit.run_files:
        inputs["folder"] = folder
    made = pkgutil.resolve_name(exhibit.code)(runs=runs, config=SMOKE, **inputs)
    return " ".join(made.notes) if exhibit.folder == "tables" else face_of(made.figure)


CURVE = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "validation_accuracy": None}
ATTACKED = dict.fromkeys(MEASURES, 50.0)
PRUNED = {"kept": np.array([1, 1, 0, 0], np.uint8), "label": np.array([0, 1, 0, 1], np.uint8)}


@pytest.mark.parametrize("name", WITH_RUNS)
def test_a_table_or_figure_made_from_a_mixture_says_so_and_no_other_does(name, tmp_path):
    needed = runs_of(name, SMOKE)
    alike = table_of_runs(needed)
    if EXHIBITS[name].variants:
        alike["variant"] = ""
    for run in needed:
        write_run(tmp_path, run, curve=[CURVE], **PRUNED)
        write_by_epoch(tmp_path, run, by_epoch_spec(run, SMOKE), [CURVE | ATTACKED])
    torch = np.where(alike.index == 0, "1.9", "2.0")
    told = made_from(EXHIBITS[name], alike.assign(torch=torch), tmp_path)
    assert re.search(r"different versions of PyTorch, with how many runs: 1\.9 \(1\), 2\.0", told)
    assert "different" not in made_from(EXHIBITS[name], alike, tmp_path)


@pytest.mark.parametrize("name", ["attacks", "standard_accuracy"])
def test_a_study_of_which_nothing_is_asked_for_is_on_no_face(name, tmp_path):
    config = copy.deepcopy(SMOKE)
    for experiment in config["studies"]["cifar10"]["experiments"].values():
        experiment["seeds"] = 0
    runs = table_of_runs(runs_of(name, config))
    made = pkgutil.resolve_name(EXHIBITS[name].code)(
        runs=runs, config=config, verdicts=verdicts_of(runs)
    )
    assert any("5,000 MNIST" in note for note in made.notes)
    assert not any("Shapes10" in note for note in made.notes)

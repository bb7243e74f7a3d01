"""The programs that evaluate, as they are called by hand: what they refuse, say and leave."""

import json
import runpy

import pandas as pd
import pytest
import torch
from builders import GREY, evaluation_spec, small_classifier, training_spec, write_dataset
from safetensors.torch import save_file
from workflow_tools import PROJECT, run_program

from advprune.spec.specification import AutoAttackSettings
from advprune.storage.records import read_record
from advprune.training.runs import train_runs

WIDTH = 0.25
OUTPUTS = {"accuracies.csv", "verdicts.csv", "record.json"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Noise as the file of MNIST."""
    return write_dataset(tmp_path_factory.mktemp("data") / "mnist.safetensors", test=6)


def save_network(path, factor=1.0):
    """Write the weights of an untrained network, multiplied by a number."""
    weights = small_classifier(shape=GREY, width=WIDTH).network.state_dict()
    save_file({name: factor * value for name, value in weights.items()}, path)
    return path


def evaluate_weights(folder, dataset, *more, model=None):
    folder.mkdir(exist_ok=True)
    return run_program(
        "evaluate_weights",
        *("--model", model or save_network(folder.with_suffix(".pth"))),
        *("--network", "mnist_cnn", "--width", str(WIDTH), "--epsilon", "0.9"),
        *("--dataset", dataset, "--dataset-name", "mnist", "--test-examples", "2"),
        *("--accuracies", folder / "accuracies.csv", "--verdicts", folder / "verdicts.csv"),
        *("--record", folder / "record.json", "--device", "cpu"),
        *more,
        cwd=PROJECT,
    )


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, dataset):
    """A folder with what an evaluation of a normalised network has written, and its end."""
    folder = tmp_path_factory.mktemp("evaluated") / "outputs"
    return folder, evaluate_weights(folder, dataset, "--normalise")


def test_the_record_says_which_network_it_was_and_on_which_data(evaluated):
    subject = read_record(evaluated[0] / "record.json")["subject"]
    assert subject == {
        "dataset": "mnist",
        "network": "mnist_cnn",
        "width": WIDTH,
        "normalise": True,
    }


def test_the_accuracies_are_printed(evaluated):
    folder, ended = evaluated
    row = pd.read_csv(folder / "accuracies.csv").iloc[0]
    natural = f"natural accuracy {row['natural_accuracy']:.2f}% of 6 images"
    assert f"{natural}, AutoAttack accuracy {row['autoattack_accuracy']:.2f}% of 2" in ended.printed


def test_nothing_is_left_but_the_outputs(evaluated):
    folder, ended = evaluated
    assert ended.status == 0, ended.printed
    assert {path.name for path in folder.iterdir()} == OUTPUTS


def test_logits_that_are_infinite_though_the_weights_are_not_are_said_in_words(tmp_path, dataset):
    model = save_network(tmp_path / "large.safetensors", 1e37)
    ended = evaluate_weights(tmp_path / "outputs", dataset, model=model)
    assert ended.status == 0, ended.printed
    told = "logits are NaN or infinite for all 6 test images"
    assert ended.printed.count(told) == 2  # in the log and below the accuracies
    assert told in json.loads((tmp_path / "outputs/record.json").read_text())["notes"][0]


def test_a_network_that_is_refused_leaves_nothing(tmp_path, dataset):
    model = tmp_path / "other.pth"
    torch.save({"model": {"x": torch.zeros(1)}}, model)
    ended = evaluate_weights(tmp_path / "outputs", dataset, model=model)
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert list((tmp_path / "outputs").iterdir()) == []


def test_more_images_than_there_are_cannot_be_attacked(tmp_path, dataset):
    ended = evaluate_weights(tmp_path / "outputs", dataset, "--test-examples", "10001")
    assert (ended.status, "Traceback" in ended.printed) == (1, False)
    assert "--test-examples is 10001, but mnist has 10000" in ended.printed


def test_a_run_that_is_evaluated_by_itself_leaves_nothing_hidden(tmp_path, dataset):
    training = training_spec(epochs=1)
    cpu = torch.device("cpu")
    settings = {"runs": tmp_path / "runs", "starts": None, "device": cpu, "made_by": {"threads": 1}}
    (trained,) = train_runs([training], dataset, **settings)
    attacks = AutoAttackSettings(attacks=["apgd-ce"])
    spec = evaluation_spec(0.3, examples=2, autoattack=attacks, attacks={})
    ended = run_program(
        "evaluate",
        *("--spec", json.dumps(spec.to_dict()), "--dataset", dataset, "--device", "cpu"),
        *("--block", tmp_path / "block.json", trained.parent),
        cwd=PROJECT,
    )
    assert ended.status == 0, ended.printed
    assert list(tmp_path.rglob(".*")) == []
    assert f"{trained.parent}: natural accuracy" in ended.printed


# Numbers that are out of range.


@pytest.fixture(scope="module")
def parse():
    """Parses options of evaluate_weights.py."""
    program = runpy.run_path(str(PROJECT / "workflow/scripts/evaluate_weights.py"))
    needed = ["model", "dataset", "accuracies", "verdicts", "record"]
    given = [word for name in needed for word in (f"--{name}", name)]
    given += ["--network", "mnist_cnn", "--dataset-name", "mnist", "--epsilon", "0.3"]
    return lambda *words: program["_parser"]().parse_args([*given, *words])


BETWEEN_0_AND_1 = "a number or fraction above 0 and below 1"
WRONG = {
    "--epsilon": (
        [
            "1/0",
            "0",
            "1",
            "300/255",
            "-0.1",
            "nan",
            "inf",
            "1e400",
            "1e999999999",
            "x",
            "",
            "1/2/3",
        ],
        BETWEEN_0_AND_1,
    ),
    "--width": (
        ["inf", "nan", "-inf", "0", "-1", "17", "1e400", "1/0", "wide"],
        "a number above 0 and at most 16",
    ),
    "--test-examples": (["0", "-3", "2.5", "nan", "1" * 30], "a whole number from 1 to 10000000"),
    "--batch-size": (["0", "-1", "1e3", "9" * 5000], "a whole number from 1 to 10000000"),
    "--seed": (["-1", "0.5", "1000000", "inf"], "a whole number from 0 to 999999"),
    "--threads": (["0", "-1", "100000", "nan"], "a whole number from 1 to 1024"),
    "--jobs-per-gpu": (["-1", "one"], "a whole number from 0 to 10000000"),
}


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        pytest.param(option, value, allowed, id=f"{option}={value[:12]}")
        for option, (values, allowed) in WRONG.items()
        for value in values
    ],
)
def test_a_number_out_of_range_is_refused_with_what_is_allowed(
    parse, capsys, option, value, allowed
):
    with pytest.raises(SystemExit):
        parse(f"{option}={value}")
    assert f"argument {option}: it is {value[:40]!r}, but must be {allowed}" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("option", "value", "read"),
    [
        ("epsilon", "8/255", 8 / 255),
        ("epsilon", "3e-1", 0.3),
        ("width", "16", 16),
        ("seed", "0", 0),
        ("jobs_per_gpu", "0", 0),
    ],
)
def test_a_number_within_range_is_read(parse, option, value, read):
    assert vars(parse(f"--{option.replace('_', '-')}={value}"))[option] == read

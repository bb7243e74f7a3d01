"""A run trained once more, and attacked after every epoch."""

import csv
import json

import pytest
import torch
from builders import EARLY_STOPPING, evaluation_spec, training_spec, write_dataset

from advprune.by_epoch.runs import attack_by_epoch, attack_runs_by_epoch
from advprune.by_epoch.spec import ByEpochSpec
from advprune.data.examples import load_examples
from advprune.data.subset import balanced_order
from advprune.errors import UserError
from advprune.evaluation.runs import evaluate_runs
from advprune.storage.records import read_record, write_record
from advprune.training.algorithm import train
from advprune.training.early_stopping import robust_share
from advprune.training.runs import train_runs
from advprune.training.state import generator_for

CPU = torch.device("cpu")
PRUNED = training_spec(method="low-loss", p="0.5", epochs=3)
SPEC = ByEpochSpec(evaluation_spec(0.1, 0, 8), steps=2)


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "data.safetensors")


@pytest.fixture
def spec():
    """Of the run."""
    return PRUNED


@pytest.fixture
def folder(tmp_path, dataset, spec):
    """A run that is trained."""
    train_runs([spec], dataset, runs=tmp_path, starts=None, device=CPU, made_by={"source": "0"})
    return tmp_path / spec.run.folder


@pytest.fixture
def attack(folder, dataset):
    """Attacks the run after every epoch; the record."""

    def run(spec=SPEC):
        (record,) = attack_runs_by_epoch(
            [folder], spec, dataset, device=CPU, made_by={"source": "0"}
        )
        return record

    return run


def rows_of(record):
    with record.with_suffix(".csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_there_is_a_row_for_every_epoch_and_none_for_pruning(attack):
    assert [row["epoch"] for row in rows_of(attack())] == ["1", "2", "3"]


def test_attacking_on_the_way_does_not_change_how_the_run_is_trained(attack, folder):
    record = attack()
    with (folder / "training.csv").open(encoding="utf-8") as file:
        losses = [row["loss"] for row in csv.DictReader(file)]
    assert [row["loss"] for row in rows_of(record)] == losses
    assert read_record(record)["as_trained"] is True


def test_a_run_that_comes_out_otherwise_says_so(attack, folder):
    curve = folder / "training.csv"
    header, first, *rest = curve.read_text(encoding="utf-8").splitlines()
    values = dict(zip(header.split(","), first.split(","), strict=True)) | {"loss": "1.5"}
    curve.write_text("\n".join([header, ",".join(values.values()), *rest]), encoding="utf-8")
    record = read_record(folder / "run.json")
    write_record(folder / "run.json", record, [folder / name for name in record["files"]])
    assert read_record(attack())["as_trained"] is False


@pytest.mark.parametrize("spec", [training_spec(optimiser="sgd", max_learning_rate=1e30)])
def test_a_run_that_diverges_again_comes_out_as_it_did(attack):
    record = attack()
    assert "nan" in [row["loss"] for row in rows_of(record)]
    assert read_record(record)["as_trained"] is True


def test_the_last_row_is_what_the_evaluation_of_the_run_finds(attack, folder, dataset):
    evaluate_runs([folder], SPEC.evaluation, dataset, device=CPU, made_by={"source": "0"})
    with (folder / "evaluation.csv").open(encoding="utf-8") as file:
        (evaluated,) = csv.DictReader(file)
    last = rows_of(attack())[-1]
    natural = float(evaluated["natural_accuracy_single_attack_examples"])
    assert float(last["natural_accuracy"]) == pytest.approx(natural)
    robust = float(evaluated["apgd_ce_40x5_accuracy"])
    assert float(last["apgd_ce_40x5_accuracy"]) == pytest.approx(robust)


def test_the_weak_attack_is_early_stoppings_on_the_images_that_all_attacks_have(dataset):
    test = load_examples(dataset, "mnist", "test")
    order = torch.from_numpy(balanced_order(test.labels.numpy(), SPEC.evaluation.seed))
    state = train(PRUNED, load_examples(dataset, "mnist", "train"))
    left = robust_share(
        state.classifier,
        test.take(order[:8]),
        epsilon=0.1,
        steps=2,
        generator=generator_for(PRUNED, "validation", 3, CPU),
    )
    last = attack_by_epoch(PRUNED, SPEC, dataset, CPU)[-1]
    assert last["pgd_accuracy"] == pytest.approx(100 * left)


def test_a_run_that_is_stopped_early_ends_there(dataset):
    stopped = training_spec(epochs=9, early_stopping=EARLY_STOPPING)
    rows = attack_by_epoch(stopped, SPEC, dataset, CPU)
    assert len(rows) < 9


def test_what_is_there_is_kept(attack):
    first = attack().stat().st_mtime_ns
    assert attack().stat().st_mtime_ns == first


@pytest.mark.parametrize("name", ["by_epoch.csv", "by_epoch.json"])
def test_what_is_damaged_is_made_again(attack, folder, name):
    first = attack().stat().st_mtime_ns
    with open(folder / name, "ab") as file:
        file.write(b" ")
    assert attack().stat().st_mtime_ns != first


def test_another_attack_makes_it_again(attack):
    attack()
    assert read_record(attack(ByEpochSpec(SPEC.evaluation, steps=3)))["spec"]["steps"] == 3


def test_a_run_that_is_not_trained_is_named(tmp_path, dataset):
    with pytest.raises(UserError, match=r"nowhere/run\.json does not exist"):
        attack_runs_by_epoch(
            [tmp_path / "nowhere"], SPEC, dataset, device=CPU, made_by={"source": "0"}
        )


def test_a_specification_comes_back_from_json_as_it_was():
    assert ByEpochSpec.from_json(json.dumps(SPEC.to_dict())) == SPEC


@pytest.mark.parametrize("steps", [0, "2", 1.5])
def test_a_number_of_steps_that_is_none_is_refused(steps):
    content = json.dumps(SPEC.to_dict() | {"steps": steps})
    with pytest.raises(UserError, match="steps is"):
        ByEpochSpec.from_json(content)

"""An evaluation job: what it goes on with, and what it writes."""

import dataclasses
import math

import pandas as pd
import pytest
import torch
from builders import GREY, evaluation_spec, small_classifier, write_dataset

from advprune.errors import UserError
from advprune.evaluation import job
from advprune.evaluation.job import Outputs, Subject, open_evaluation, run_evaluation
from advprune.machine.provenance import now
from advprune.networks.weights import save_weights
from advprune.spec.specification import AutoAttackSettings
from advprune.storage.records import check_files, read_record

APGD = AutoAttackSettings(attacks=["apgd-ce"])
SPEC = evaluation_spec(0.9, examples=2, autoattack=APGD, attacks={})
MADE_BY = {"source": "0123", "threads": 1}


@pytest.fixture
def subject(tmp_path):
    """A network of noise."""
    write_weights(tmp_path / "model.safetensors")
    dataset = write_dataset(tmp_path / "mnist")
    return Subject(tmp_path / "model.safetensors", "mnist_cnn", 0.25, False, dataset, "mnist")


def write_weights(path, seed=0):
    save_weights(path, small_classifier(shape=GREY, seed=seed))


@pytest.fixture
def evaluate(subject, tmp_path):
    """Evaluates as a job does that was started again, with the same record; gives the record."""

    def run(spec=SPEC, made_by=MADE_BY, **changes):
        of = dataclasses.replace(subject, **changes)
        outputs = Outputs(*(tmp_path / name for name in ("row.csv", "images.csv", "record.json")))
        cpu = torch.device("cpu")
        opened = open_evaluation(of, spec, outputs.record, device=cpu, made_by=made_by)
        run_evaluation(opened, spec, outputs, made_by=made_by, started=now())
        return outputs.record

    return run


def test_a_record_says_what_was_evaluated_and_how(evaluate):
    record = read_record(evaluate())
    assert record["spec"] == SPEC.to_dict()
    network = {"dataset": "mnist", "network": "mnist_cnn", "width": 0.25, "normalise": False}
    assert record["subject"] == network
    assert record["warnings"].keys() <= {"apgd-ce", "square after all others"}
    assert record["seconds"].keys() == {"natural", "apgd-ce"}
    assert record["provenance"]["source"] == "0123"


def test_there_is_a_row_of_accuracies_and_a_row_for_every_image(evaluate):
    record = evaluate()
    check_files(record, read_record(record))
    row, images = (pd.read_csv(record.with_name(name)) for name in ("row.csv", "images.csv"))
    assert row["autoattack_examples"].tolist() == [2]
    assert images["index"].tolist() == list(range(10))


class KilledError(Exception):
    """Stands for the end of a job that is killed."""


@pytest.fixture
def interrupt(evaluate, monkeypatch):
    """Evaluates until all is found, and no further."""

    def run():
        def killed(*_):
            raise KilledError

        with monkeypatch.context() as patched, pytest.raises(KilledError):
            patched.setattr(job, "write_csv", killed)
            evaluate()

    return run


def test_a_job_goes_on_with_what_one_that_was_killed_had_found(evaluate, interrupt, caplog):
    caplog.set_level("INFO")
    interrupt()
    evaluate()
    assert "natural was done before" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"spec": dataclasses.replace(SPEC, seed=1)}, id="another specification"),
        pytest.param({"made_by": MADE_BY | {"source": "4567"}}, id="other code"),
        pytest.param({"width": 0.2501}, id="another width, of as many filters"),
    ],
)
def test_a_job_starts_anew_under_other_settings(evaluate, interrupt, change, caplog):
    interrupt()
    evaluate(**change)
    assert "is not used: it belongs to another" in caplog.text


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda subject: write_weights(subject.model, seed=1), id="weights"),
        pytest.param(lambda subject: write_dataset(subject.dataset, seed=1), id="data"),
    ],
)
def test_a_job_starts_anew_with_other_files(evaluate, interrupt, subject, write, caplog):
    interrupt()
    write(subject)
    evaluate()
    assert "is not used: it belongs to another" in caplog.text


def test_nothing_is_left_but_what_was_asked_for(evaluate, interrupt, tmp_path):
    inputs = {path.name for path in tmp_path.iterdir()}
    interrupt()
    assert {path.name for path in tmp_path.iterdir()} > inputs
    evaluate()
    left = {path.name for path in tmp_path.iterdir()} - inputs
    assert left == {"row.csv", "images.csv", "record.json"}


def test_of_a_network_without_finite_logits_the_record_and_the_log_say_so(
    evaluate, subject, caplog
):
    classifier = small_classifier(shape=GREY)
    with torch.no_grad():
        classifier.network[-1].bias.fill_(math.nan)
    save_weights(subject.model, classifier)
    (note,) = read_record(evaluate(must_be_finite=False))["notes"]
    assert "logits are NaN or infinite for all 10 test images" in note
    assert note in caplog.text


def test_of_a_network_that_works_there_is_nothing_to_note(evaluate):
    assert read_record(evaluate())["notes"] == []


def test_a_network_with_weights_that_are_not_finite_is_refused_where_it_must_not_be(
    evaluate, subject
):
    classifier = small_classifier(shape=GREY)
    with torch.no_grad():
        classifier.network[0].weight.fill_(math.inf)
    save_weights(subject.model, classifier)
    with pytest.raises(UserError, match=r"NaN or infinite: 0\.weight"):
        evaluate()


def test_weights_of_another_network_are_refused(evaluate):
    with pytest.raises(UserError, match="cannot be used as weights of preact_resnet18"):
        evaluate(network="preact_resnet18")

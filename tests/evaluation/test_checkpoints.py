"""Going on with an evaluation that was interrupted."""

import pytest
import torch
from builders import evaluation_spec, linear_classifier, random_examples

from advprune.evaluation.checkpoints import restore_progress
from advprune.evaluation.outcome import accuracies, verdicts
from advprune.evaluation.phases import evaluate
from advprune.spec.attacks import STANDARD_ATTACKS

SPEC = evaluation_spec(0.05, examples=4, batch_size=3)
PHASES = ("natural", *STANDARD_ATTACKS, "apgd_ce_40x5 alone")
# Two of the four images that are attacked stand to the end, so that every attack has work to do.
MODEL = linear_classifier(torch.randn(10, 36, generator=torch.Generator().manual_seed(1)))
TEST = random_examples(12, shape=(1, 6, 6))


class JobEndedError(Exception):
    """Stands for whatever ends a job early."""


@pytest.fixture(scope="module")
def test_set():
    """Images of which the network classifies all rightly."""
    images, _ = TEST.batch(slice(None))
    labels = MODEL(images).argmax(dim=1)
    return type(TEST)(TEST.images, labels)


@pytest.fixture(scope="module")
def uninterrupted(test_set):
    found = evaluate(MODEL, test_set, SPEC)
    assert found.robust.any()
    return found


def interrupt(path, test_set, *, after):
    """Evaluate until a phase is saved, and no further."""
    progress = restore_progress(path, "key")
    save = progress.save
    progress.warnings["natural"] = ["a warning"]

    def save_and_fail():
        save()
        if after in progress.found:
            raise JobEndedError

    progress.save = save_and_fail
    with pytest.raises(JobEndedError):
        evaluate(MODEL, test_set, SPEC, progress)


@pytest.mark.parametrize("after", ["natural", "apgd-ce", "apgd-t", "square"])
def test_an_evaluation_that_was_resumed_ends_as_if_it_had_not_been_interrupted(
    after, test_set, uninterrupted, tmp_path
):
    path = tmp_path / "checkpoint.safetensors"
    interrupt(path, test_set, after=after)
    progress = restore_progress(path, "key")
    assert progress.warnings.pop("natural") == ["a warning"]
    assert set(progress.found) == set(PHASES[: PHASES.index(after) + 1])
    resumed = evaluate(MODEL, test_set, SPEC, progress)
    assert accuracies(resumed) == accuracies(uninterrupted)
    assert verdicts(resumed, test_set) == verdicts(uninterrupted, test_set)


def test_what_was_done_before_is_not_done_again(test_set, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    interrupt(path, test_set, after="apgd-ce")
    progress = restore_progress(path, "key")
    progress.found["apgd-ce"] = torch.zeros(4, dtype=torch.bool)  # nothing stands hereafter
    assert not evaluate(MODEL, test_set, SPEC, progress).robust.any()


def test_seconds_of_what_was_done_before_are_kept(test_set, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    interrupt(path, test_set, after="apgd-ce")
    progress = restore_progress(path, "key")
    progress.seconds["apgd-ce"] = 1_000.0
    progress.found["apgd-ce"] = torch.zeros(4, dtype=torch.bool)  # nothing stands hereafter
    seconds = evaluate(MODEL, test_set, SPEC, progress).seconds
    assert (list(seconds), seconds["apgd-ce"]) == (list(PHASES), 1_000.0)


def test_a_network_that_nothing_withstands_is_saved_too(test_set, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    evaluate(MODEL, test_set, evaluation_spec(1.0), restore_progress(path, "key"))
    assert set(restore_progress(path, "key").found) == set(PHASES)

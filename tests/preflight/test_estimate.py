"""How long work is expected to take, from seconds of single batches or from records."""

import pytest
from builders import PLAIN_DEEPFOOL, evaluation_spec, training_spec
from workflow_tools import PROJECT

from advprune.paths import RESULT_FILES
from advprune.plan.config import load_config
from advprune.preflight.estimate import (
    APGD_40X5_GRADIENTS,
    AUTOATTACK_FORWARDS,
    AUTOATTACK_GRADIENTS,
    DEEPFOOL_STEPS,
    BatchSeconds,
    evaluation_seconds,
    from_records,
    start_seconds,
    training_seconds,
    work_by_dataset,
    work_seconds,
)
from advprune.spec.specification import StartSpec
from advprune.storage.records import write_record

NOTHING = dict.fromkeys(
    ("start", "adversarial", "standard", "class_gradient", "forward", "gradient", "natural"), 0.0
)


def seconds(spec, **batch):
    return evaluation_seconds("mnist", spec, BatchSeconds(**NOTHING | batch), natural_batch=100)


def test_each_attack_is_counted_on_its_own_number_of_images():
    # Half of the images withstand: one batch of 500 for AutoAttack, three for APGD-CE alone.
    spec = evaluation_spec(0.3, 1000, 3000, batch_size=500)
    assert seconds(spec, gradient=1.0) == AUTOATTACK_GRADIENTS + 3 * APGD_40X5_GRADIENTS
    assert seconds(spec, forward=1.0) == AUTOATTACK_FORWARDS - AUTOATTACK_GRADIENTS


@pytest.mark.parametrize("attacked", [10, 10_000])
def test_natural_accuracy_is_over_the_whole_test_set(attacked):
    assert seconds(evaluation_spec(0.3, attacked), natural=1.0) == 100


def test_without_a_number_the_whole_test_set_is_attacked():
    all_of_them, by_number = evaluation_spec(0.3), evaluation_spec(0.3, 10_000)
    assert seconds(all_of_them, gradient=1.0) == seconds(by_number, gradient=1.0)


# Training: 60,000 images in batches of 100.


def trained(spec, *, begun=0, **batch):
    return training_seconds(spec, BatchSeconds(**NOTHING | batch), begun=begun)


def test_a_run_trains_on_all_data_up_to_the_pruning_epoch_and_on_the_share_p_after():
    spec = training_spec(method="random", p="0.5", e=2, epochs=10, batch_size=100)
    assert trained(spec, adversarial=1.0) == 2 * 600 + 8 * 300


def test_what_a_start_has_done_is_not_counted_again():
    spec = training_spec(method="low-deepfool", p="0.5", e=2, epochs=10, batch_size=100)
    assert trained(spec, begun=2, adversarial=1.0) == 8 * 300
    assert trained(spec, class_gradient=1.0) == 600 * 10 * DEEPFOOL_STEPS
    assert trained(spec, begun=2, class_gradient=1.0) == 0


def test_a_start_is_its_epochs_and_what_it_measures():
    full = training_spec(batch_size=100)
    spec = StartSpec(full, 2, ["after_pass", "in_pass"], ["after_pass"], PLAIN_DEEPFOOL)
    assert start_seconds(spec, BatchSeconds(**NOTHING | {"adversarial": 1.0})) == 3 * 600
    measured = start_seconds(spec, BatchSeconds(**NOTHING | {"class_gradient": 1.0}))
    assert measured == 600 * 10 * DEEPFOOL_STEPS


SMOKE = load_config(PROJECT / "config/smoke.yaml")


def test_all_work_has_each_epoch_that_runs_share_once():
    # 500 images in batches of 50. Two starts of epoch 1 and one of epoch 2, losses after the pass
    # at epoch 1; what is left of the runs: 2 all data and 7 halves at e = 1, none at e = 2.
    work = work_by_dataset(SMOKE)["mnist5k"]
    seconds = work_seconds(work, SMOKE, BatchSeconds(**NOTHING | {"adversarial": 1.0}))
    assert seconds == 2 * (10 + 10) + 20 + 2 * 10 + 7 * 5


def test_by_records_missing_runs_and_starts_take_as_long_as_those_that_are_there(tmp_path):
    work = work_by_dataset(SMOKE)["mnist5k"]
    assert from_records(work, SMOKE, tmp_path) is None
    run = next(run for run in work.runs if run.method == "low-deepfool")
    folder = tmp_path / "runs" / run.folder
    folder.mkdir(parents=True)
    for name in RESULT_FILES:
        (folder / name).touch()
    spec = {"pruning": {"taken": "after_pass"}}
    trained = {"spec": spec, "seconds": {"training": 30.0, "scoring": 8.0}}
    write_record(folder / "run.json", trained, [])
    write_record(folder / "evaluation.json", {"seconds": {"natural": 2.0}}, [])
    begun = tmp_path / "starts" / work.starts[0].folder
    begun.mkdir(parents=True)
    measured = {"seconds": {"training": 10.0}, "scoring_seconds": {"deepfool after_pass": 8.0}}
    write_record(begun / "start.json", measured, [])
    # A run: 30 + 8 + 2, less the 10 and 8 of its start; a start: 10 + 8.
    assert from_records(work, SMOKE, tmp_path) == 22 * len(work.runs) + 18 * len(work.starts)

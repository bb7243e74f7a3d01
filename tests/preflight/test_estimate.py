"""How long work is expected to take here, from costs elsewhere or from records."""

import copy
import time

import pytest
import torch
from workflow_tools import PROJECT

from advprune.paths import RESULT_FILES
from advprune.plan.config import load_config
from advprune.plan.exhibits import runs_of
from advprune.preflight import estimate
from advprune.preflight.costs import Assumed, Cost, DeviceCosts, NetworkCosts, stage_seconds
from advprune.preflight.estimate import all_work, from_records, seconds_here, work_by_dataset
from advprune.storage.records import write_record

SMOKE = load_config(PROJECT / "config/smoke.yaml")
WORK = work_by_dataset(SMOKE)["mnist5k"]
ASSUMED = Assumed(robust=0.5, steps=3, longest=4)
COSTS = NetworkCosts(*[Cost(0.0, 0.5)] * 9)


def seconds(monkeypatch, device, update):
    """As if an update took so long here."""
    monkeypatch.setattr(estimate, "update_seconds", lambda *_: update)
    return seconds_here(WORK, SMOKE, torch.device("cpu"), device, ASSUMED)


def test_all_stages_take_longer_by_as_much_as_an_update_does(monkeypatch):
    network = SMOKE["studies"]["mnist"]["training"]
    key = f"{network['network']} {network['width']:g}"
    device = DeviceCosts("a device", 1.0, 1.0, {key: COSTS})
    elsewhere = stage_seconds("mnist5k", SMOKE, device, ASSUMED)
    images = estimate.CPU_BATCH
    here = seconds(monkeypatch, device, update=3 * 0.5 * images)
    assert here == pytest.approx({stage: 3 * each for stage, each in elsewhere.items()})


def test_an_unknown_network_is_taken_for_one_that_trains_about_as_fast(monkeypatch):
    slow = NetworkCosts(*[Cost(0.0, 50.0)] * 9)
    device = DeviceCosts("a device", 0.0, 0.0, {"fast": COSTS, "slow": slow})
    here = seconds(monkeypatch, device, update=50.0 * estimate.CPU_BATCH)
    assert here == pytest.approx(stage_seconds("mnist5k", SMOKE, device, ASSUMED, slow))


@pytest.mark.parametrize("dataset", ["mnist5k", "shapes10"])
def test_an_update_can_be_timed(dataset, monkeypatch):
    monkeypatch.setattr(estimate, "fastest", lambda work, device: work() or 1.0)
    spec = estimate.training_spec(work_by_dataset(SMOKE)[dataset].runs[0], SMOKE)
    assert estimate.update_seconds(spec, 4, torch.device("cpu")) == 1.0


def test_waiting_for_others_is_no_work():
    assert estimate.fastest(lambda: time.sleep(0.3), torch.device("cpu")) < 0.1


def write_run(scale, run, *, training, evaluation):
    folder = scale / "runs" / run.folder
    folder.mkdir(parents=True)
    for name in RESULT_FILES:
        (folder / name).touch()
    trained = {"spec": {"pruning": {"taken": "after_pass"}}, "seconds": training}
    write_record(folder / "run.json", trained, [])
    write_record(folder / "evaluation.json", {"seconds": {"all": evaluation}}, [])


def test_by_records_what_is_missing_takes_as_long_as_its_like_that_is_there(tmp_path):
    assert from_records(WORK, SMOKE, tmp_path) is None
    run = next(run for run in WORK.runs if run.method == "low-deepfool")
    write_run(tmp_path, run, training={"training": 30.0, "scoring": 8.0}, evaluation=2.0)
    begun = tmp_path / "starts" / WORK.starts[0].folder
    begun.mkdir(parents=True)
    measured = {"seconds": {"training": 10.0}, "scoring_seconds": {"deepfool after_pass": 8.0}}
    write_record(begun / "start.json", measured, [])
    assert from_records(WORK, SMOKE, tmp_path) is None
    attacked = tmp_path / "runs" / runs_of("by_epoch", SMOKE)[0].folder
    attacked.mkdir(parents=True, exist_ok=True)
    (attacked / "by_epoch.csv").touch()
    times = {"started": "2026-01-01T23:59:00+00:00", "ended": "2026-01-02T00:01:00+00:00"}
    write_record(attacked / "by_epoch.json", {"provenance": times}, [])
    # A run: 30 + 8 + 2, less the 10 and 8 of its start; a start: 10 + 8; two by epoch.
    wanted = 22 * len(WORK.runs) + 18 * len(WORK.starts) + 2 * 120
    assert from_records(WORK, SMOKE, tmp_path) == wanted


def test_by_records_runs_under_autoattack_tell_nothing_of_those_that_are_not(tmp_path):
    config = copy.deepcopy(SMOKE)
    config["studies"]["mnist"]["evaluation"]["autoattack_seeds"] = [0]
    config["studies"]["mnist"]["experiments"]["by_epoch"]["seeds"] = 0
    work = work_by_dataset(config)["mnist5k"]
    for start in work.starts:
        folder = tmp_path / "starts" / start.folder
        folder.mkdir(parents=True)
        write_record(folder / "start.json", {"seconds": {}, "scoring_seconds": {}}, [])
    first, other = ([run for run in work.runs if run.seed == seed] for seed in (0, 1))
    write_run(tmp_path, first[0], training={}, evaluation=60.0)
    assert from_records(work, config, tmp_path) is None
    write_run(tmp_path, other[0], training={}, evaluation=10.0)
    assert from_records(work, config, tmp_path) == 60 * len(first) + 10 * len(other)


def test_of_a_variant_the_runs_are_planned_on_which_its_switch_has_an_effect(tmp_path):
    # What stopping early costs has no effect on any run while it is not enabled.
    (tmp_path / "varied.yaml").write_text(
        "variants: {after_the_pass: {pruning: {loss_taken: after_pass}}, "
        "unused: {early_stopping: {patience: 3}}}"
    )
    config = load_config(PROJECT / "config/smoke.yaml", tmp_path / "varied.yaml")
    counts = {title: (len(work.runs), work.jobs) for title, work, *_ in all_work(config, tmp_path)}
    del counts["mnist5k"], counts["shapes10"]
    # One run of low-loss, trained and evaluated, from its start; all data are the same run.
    assert counts == {"mnist5k, not_normalised": (2, 5), "mnist5k, after_the_pass": (1, 3)}


def test_scores_without_runs_are_work_too(monkeypatch):
    config = copy.deepcopy(SMOKE)
    for experiment in config["studies"]["cifar10"]["experiments"].values():
        experiment["seeds"] = 0
    work = work_by_dataset(config)["shapes10"]
    assert (len(work.runs), len(work.starts), work.jobs) == (0, 2, 1)
    device = DeviceCosts("a device", 0.0, 1.0, {"any": COSTS})
    monkeypatch.setattr(estimate, "update_seconds", lambda *_: 0.5 * estimate.CPU_BATCH)
    here = seconds_here(work, config, torch.device("cpu"), device, ASSUMED)
    assert here["training"] > 0
    assert here["AutoAttack"] == 0

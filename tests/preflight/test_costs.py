"""What a config costs by stage, from costs of kinds of work that are easy to count with."""

import dataclasses

import pytest
from builders import EARLY_STOPPING, PLAIN_DEEPFOOL, evaluation_spec, training_spec
from workflow_tools import PROJECT

from advprune.plan.config import load_config
from advprune.plan.exhibits import EXHIBITS, runs_of
from advprune.plan.specify import training_spec as spec_of_run
from advprune.preflight.costs import (
    STAGES,
    Assumed,
    Cost,
    DeviceCosts,
    NetworkCosts,
    by_epoch_seconds,
    evaluation_seconds,
    exhibit_seconds,
    network_key,
    read_costs,
    stage_seconds,
    start_seconds,
    training_seconds,
)
from advprune.spec.methods import METHODS
from advprune.spec.specification import StartSpec

FREE = Cost(0.0, 0.0)
KINDS = [
    *("update", "standard_update", "first_step", "further_step", "forward", "gradient"),
    *("apgd_ce_40x5", "autoattack_first", "autoattack_rest"),
]
HALF = Assumed(robust=0.5, steps=3, longest=4)


def network(**costs):
    """All is free but what is named, of which a number is what a batch costs."""
    named = {
        kind: cost if isinstance(cost, Cost) else Cost(cost, 0.0) for kind, cost in costs.items()
    }
    return NetworkCosts(**dict.fromkeys(KINDS, FREE) | named)


def test_a_batch_costs_something_and_each_of_its_images():
    assert Cost(batch=10, image=1).of(images=25, size=10) == 3 * 10 + 25


def test_no_images_cost_nothing():
    assert Cost(10, 1).of(0, 500) == 0


# Training: 60,000 images in batches of 100.


def test_a_run_trains_on_all_data_up_to_the_pruning_epoch_and_on_the_share_p_after():
    spec = training_spec(method="random", p="0.5", e=2, epochs=10, batch_size=100)
    found = training_seconds(spec, network(update=1), HALF)
    assert found["training"] == 2 * 600 + 8 * 300


def test_what_a_start_has_done_is_not_counted_again():
    spec = training_spec(method="low-deepfool", p="0.5", e=2, epochs=10, batch_size=100)
    costs = network(update=1, first_step=1)
    begun = training_seconds(spec, costs, HALF, begun=2)
    assert (begun["training"], begun["distances"]) == (8 * 300, 0)
    assert training_seconds(spec, costs, HALF)["distances"] > 0


def test_standard_training_costs_standard_updates():
    spec = training_spec(method="standard", epochs=10, batch_size=100)
    assert training_seconds(spec, network(update=1), HALF)["training"] == 0
    assert training_seconds(spec, network(standard_update=1), HALF)["training"] == 10 * 600


def test_networks_in_a_stack_share_what_a_batch_costs():
    spec = training_spec(epochs=1, batch_size=100)
    costs = network(update=1, stacked_update=Cost(4, 0.01))
    assert training_seconds(spec, costs, HALF)["training"] == 600
    shared = training_seconds(spec, costs, HALF, stacked=8)["training"]
    assert shared == pytest.approx(600 * 4 / 8 + 60_000 * 0.01)


def test_early_stopping_costs_gradients_after_every_epoch():
    stopped = dataclasses.replace(EARLY_STOPPING, examples=1000, steps=40)
    spec = training_spec(epochs=10, early_stopping=stopped)
    found = training_seconds(spec, network(gradient=Cost(0, 1)), HALF)
    assert found["early stopping"] == 10 * 40 * 1000


def test_a_start_is_its_epochs_and_what_it_measures():
    full = training_spec(batch_size=100)
    spec = StartSpec(full, 2, ["after_pass", "in_pass"], ["after_pass"], PLAIN_DEEPFOOL)
    assert start_seconds(spec, network(update=1), HALF)["training"] == pytest.approx(3 * 600)
    twice = dataclasses.replace(spec, distances=["after_pass", "in_pass"])
    costs = network(first_step=Cost(0, 1))
    once, both = (start_seconds(each, costs, HALF)["distances"] for each in (spec, twice))
    assert both == 2 * once > 0


def distances(settings, **costs):
    spec = training_spec(method="low-deepfool", p="0.5", epochs=1, deepfool=settings)
    return training_seconds(spec, network(**costs), HALF)["distances"]


def test_deepfool_finds_the_class_once_if_it_is_fixed_and_else_at_every_step():
    settings = dataclasses.replace(PLAIN_DEEPFOOL, max_iterations=50, fixed_target=True)
    costs = {"first_step": Cost(0, 10), "further_step": Cost(0, 1)}
    assert distances(settings, **costs) == 60_000 * (10 + 2 * 1)
    anew = dataclasses.replace(settings, fixed_target=False)
    assert distances(anew, **costs) == 60_000 * (10 + 2 * 10)


def test_a_batch_in_deepfool_lasts_until_its_last_image_is_done_and_no_longer_than_allowed():
    settings = dataclasses.replace(PLAIN_DEEPFOOL, max_iterations=50, fixed_target=True)
    assert distances(settings, first_step=10, further_step=1) == 120 * (10 + 3 * 1)
    shorter = dataclasses.replace(settings, max_iterations=2)
    assert distances(shorter, first_step=10, further_step=1) == 120 * (10 + 1 * 1)


# Evaluation


def evaluated(spec, **costs):
    return evaluation_seconds("mnist", spec, network(**costs), HALF)


def test_what_the_first_attack_breaks_costs_the_others_nothing():
    spec = evaluation_spec(0.3, 1000, 3000, batch_size=500)
    assert evaluated(spec, autoattack_first=Cost(0, 1))["AutoAttack"] == 1000
    assert evaluated(spec, autoattack_rest=Cost(0, 1))["AutoAttack"] == 500
    assert evaluated(spec, autoattack_rest=1)["AutoAttack"] == 1


def test_an_attack_alone_has_its_own_images_and_only_survivors_go_through_all_restarts():
    spec = evaluation_spec(0.3, 1000, 3000, batch_size=500)
    assert evaluated(spec, apgd_ce_40x5=Cost(0, 1))["other attacks"] == 1500 + 1500 / 5


@pytest.mark.parametrize("attacked", [10, 10_000])
def test_natural_accuracy_is_over_the_whole_test_set(attacked):
    spec = evaluation_spec(0.3, attacked)
    assert evaluated(spec, forward=Cost(0, 1))["other attacks"] == 10_000


def test_without_a_number_the_whole_test_set_is_attacked():
    all_of_them, by_number = evaluation_spec(0.3), evaluation_spec(0.3, 10_000)
    costs = {"autoattack_rest": Cost(0, 1), "apgd_ce_40x5": Cost(0, 1)}
    assert evaluated(all_of_them, **costs) == evaluated(by_number, **costs)


# A whole config

SMOKE = load_config(PROJECT / "config/smoke.yaml")


def smoke(**costs):
    device = DeviceCosts("a device", job=1.0, exhibit=3.0, networks={})
    return stage_seconds("mnist5k", SMOKE, device, HALF, network(**costs))


def test_epochs_that_runs_share_are_counted_once():
    # 500 images in batches of 50. Two starts of epoch 1 and one of epoch 2, losses after the pass
    # at epoch 1; what is left of the runs: 2 all data and 7 halves at e = 1, none at e = 2; and one
    # of either once more, to be attacked by epoch.
    shared = 2 * (10 + 10) + 20 + 2 * 10 + 7 * 5
    assert smoke(update=1)["training"] == pytest.approx(shared + 2 * 10 + 10 + 5)


def test_a_run_attacked_by_epoch_costs_a_training_and_its_attacks_every_epoch():
    run, by_images = runs_of("by_epoch", SMOKE)[0], Cost(0, 1)
    known = network(update=1, apgd_ce_40x5=by_images, gradient=by_images)
    found = by_epoch_seconds(run, SMOKE, known, dataclasses.replace(HALF, robust=1))
    # 2 epochs of 10 updates; 8 images, whose gradient PGD takes 40 times.
    assert (found["training"], found["other attacks"]) == (20, 2 * (8 + 40 * 8))


def test_every_run_is_evaluated_once():
    runs = [run for run in runs_of("all", SMOKE) if run.dataset == "mnist5k"]
    assert smoke(autoattack_first=1)["AutoAttack"] == len(runs)


def test_a_network_trained_without_attacks_withstands_none():
    runs = [run for run in runs_of("all", SMOKE) if run.dataset == "mnist5k"]
    adversarial = [run for run in runs if METHODS[run.method].adversarial]
    assert len(adversarial) < len(runs)
    assert smoke(autoattack_rest=1)["AutoAttack"] == len(adversarial)


def test_jobs_start_for_each_block_of_starts_and_of_runs_and_of_those_attacked_by_epoch(tmp_path):
    (tmp_path / "spread.yaml").write_text("execution: {seeds_per_job: 1}")
    spread = load_config(PROJECT / "config/smoke.yaml", tmp_path / "spread.yaml")
    device = DeviceCosts("a device", job=1.0, exhibit=3.0, networks={})
    many = stage_seconds("mnist5k", spread, device, HALF, network())
    runs = [run for run in runs_of("all", SMOKE) if run.dataset == "mnist5k"]
    assert many["starting jobs"] == 2 * len(runs) + 3 + len(runs_of("by_epoch", spread))


def test_every_table_and_figure_costs_something():
    assert exhibit_seconds(DeviceCosts("a device", 1.0, 3.0, {})) == 3 * len(EXHIBITS)


# The file

DEVICES, ASSUMED = read_costs()


@pytest.mark.parametrize("scale", ["config", "laptop", "quick"])
def test_the_costs_of_every_scale_are_known_on_a_cpu(scale):
    config = load_config(PROJECT / f"config/{scale}.yaml")
    for study in config["studies"].values():
        seconds = stage_seconds(study["dataset"], config, DEVICES["cpu"], ASSUMED)
        assert tuple(seconds) == STAGES
        assert seconds["training"] > 0 and seconds["AutoAttack"] > 0


def test_the_costs_of_the_paper_are_known_on_a_gpu():
    config = load_config(PROJECT / "config/config.yaml")
    for study in config["studies"].values():
        assert stage_seconds(study["dataset"], config, DEVICES["cuda"], ASSUMED)["training"] > 0


def test_what_is_said_to_be_extrapolated_is_a_kind_of_work():
    for device in DEVICES.values():
        for costs in device.networks.values():
            assert {*costs.extrapolated} <= {*KINDS, "stacked_update"}


def test_the_network_that_trains_about_as_fast_is_found():
    fast, slow = network(update=Cost(0, 1)), network(update=Cost(0, 100))
    device = DeviceCosts("a device", 1.0, 1.0, {"fast 1": fast, "slow 1": slow})
    assert device.nearest(update_seconds=16 * 5, size=16) is fast
    assert device.nearest(update_seconds=16 * 50, size=16) is slow


def test_a_network_is_named_with_its_width():
    run = runs_of("all", SMOKE)[0]
    spec = spec_of_run(run, SMOKE)
    assert network_key(spec.network, 0.125) == f"{spec.network} 0.125"
    assert network_key(spec.network, 1.0) == f"{spec.network} 1"

"""APGD-CE on the networks of a stack at once, beside each of them alone."""

import dataclasses

import pytest
import torch
from builders import evaluation_spec, examples_for, train_on_noise, training_spec

from advprune.evaluation import together
from advprune.evaluation.autoattack import FiniteLogits
from advprune.evaluation.phases import Progress, attack_together, evaluate
from advprune.evaluation.single_attacks import withstand
from advprune.evaluation.together import RowsOfNetworks, apgd_ce_together
from advprune.networks.stack import Stack

SETTINGS = {"steps": 5, "restarts": 3}
SPEC = evaluation_spec(0.03, batch_size=9, attacks={"apgd_ce_40x5": SETTINGS})


@pytest.fixture(scope="module")
def networks():
    """Three that have learned some noise, each something else, and of which attacks break some."""
    spec = training_spec(method="standard", batch_size=8, epochs=8)
    states = [train_on_noise(spec.of_seed(seed)) for seed in range(3)]
    return [state.classifier.eval() for state in states]


@pytest.fixture(scope="module")
def images_and_labels():
    return examples_for(training_spec()).batch(slice(None))


def right(networks, images, labels):
    with torch.no_grad():
        return torch.stack([network(images).argmax(dim=1) == labels for network in networks])


def test_a_row_is_computed_by_its_network(networks, images_and_labels):
    images = images_and_labels[0][:6]
    owners = torch.tensor([0, 0, 0, 2, 2, 2])  # none of the second
    found = RowsOfNetworks(Stack(networks), owners)(images)
    expected = [networks[owner](image[None]) for owner, image in zip(owners, images, strict=True)]
    torch.testing.assert_close(found, torch.cat(expected))


def test_each_network_withstands_what_it_withstands_alone(networks, images_and_labels):
    images, labels = images_and_labels
    standing = right(networks, images, labels)
    found = apgd_ce_together(networks, images, labels, standing, SPEC, **SETTINGS)
    alone = torch.stack(
        [
            withstand("apgd_ce_40x5", network, images, labels, stands, SPEC)
            for network, stands in zip(networks, standing, strict=True)
        ]
    )
    assert alone.any()
    assert (standing & ~alone).any(dim=1).all()  # some of each are broken
    # Rounding may decide an image, on one processor or another.
    assert (found != alone).sum() <= 1


def test_each_restart_starts_where_it_does_for_a_network_alone(
    networks, images_and_labels, monkeypatch
):
    images, labels = images_and_labels
    starts = []
    real = together.APGDAttack.attack_single_run

    def attack_single_run(attack, x, y, x_init=None):
        torch_state = torch.random.get_rng_state()
        drawn = 2 * torch.rand(x.shape) - 1
        torch.random.set_rng_state(torch_state)
        start = x + attack.eps * attack.normalize(drawn)
        starts.append(start if x_init is None else x_init)
        return real(attack, x, y, x_init)

    monkeypatch.setattr(together.APGDAttack, "attack_single_run", attack_single_run)
    spec = dataclasses.replace(SPEC, batch_size=100)
    standing = right(networks[:1], images, labels)
    apgd_ce_together(networks[:1], images, labels, standing, spec, **SETTINGS)
    of_stack = list(starts)
    starts.clear()
    withstand("apgd_ce_40x5", networks[0], images, labels, standing[0], spec)
    assert len(of_stack) == len(starts) == SETTINGS["restarts"]
    for one, other in zip(of_stack, starts, strict=True):
        torch.testing.assert_close(one, other)


def test_a_network_that_classifies_nothing_rightly_takes_no_part(networks, images_and_labels):
    images, labels = images_and_labels
    standing = right(networks, images, labels)
    standing[1] = False
    found = apgd_ce_together(networks, images, labels, standing, SPEC, **SETTINGS)
    assert not found[1].any()
    assert found[0].any()


def test_networks_whose_logits_are_not_finite_do_not_touch_the_others(networks, images_and_labels):
    images, labels = images_and_labels
    standing = right(networks, images, labels)
    expected = apgd_ce_together(networks, images, labels, standing, SPEC, **SETTINGS)
    broken = train_on_noise(training_spec(epochs=1)).classifier.eval()
    for parameter in broken.parameters():
        parameter.data.fill_(torch.nan)
    assert FiniteLogits(broken)(images).isfinite().all()
    stack = [networks[0], broken, networks[2]]
    found = apgd_ce_together(stack, images, labels, standing, SPEC, **SETTINGS)
    assert (found[[0, 2]] != expected[[0, 2]]).sum() <= 1


def test_an_evaluation_goes_on_with_what_was_found_together(networks, monkeypatch):
    test = examples_for(training_spec())
    spec = dataclasses.replace(
        SPEC, autoattack=dataclasses.replace(SPEC.autoattack, attacks=["apgd-ce"])
    )
    alone = [evaluate(network, test, spec) for network in networks]
    progresses = [Progress() for _ in networks]
    attack_together(networks, test, spec, progresses)
    monkeypatch.setattr("advprune.evaluation.phases.withstand", pytest.fail)
    for network, progress, expected in zip(networks, progresses, alone, strict=True):
        found = evaluate(network, test, spec, progress)
        assert progress.stacked == 3
        still, stands = found.robust_alone["apgd_ce_40x5"], expected.robust_alone["apgd_ce_40x5"]
        assert (still != stands).sum() <= 1


def test_what_was_found_before_is_not_attacked_again(networks, monkeypatch):
    test = examples_for(training_spec())
    progresses = [Progress() for _ in networks]
    attack_together(networks, test, SPEC, progresses)
    monkeypatch.setattr("advprune.evaluation.together.apgd_ce_together", pytest.fail)
    attack_together(networks, test, SPEC, progresses)

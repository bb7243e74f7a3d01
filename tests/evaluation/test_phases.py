"""Natural accuracy and accuracy under attack."""

import functools
import itertools
import math
import sys

import pandas as pd
import pytest
import torch
from builders import linear_classifier, random_examples
from pyautoattack import AutoAttack
from torch import Tensor, nn
from torch.nn import functional

from advprune.data.examples import Examples
from advprune.evaluation.autoattack import STANDARD_ATTACKS, survivors
from advprune.evaluation.outcome import Evaluation, accuracies, verdicts
from advprune.evaluation.phases import evaluate, predict
from advprune.evaluation.single_attacks import withstand
from advprune.spec.attacks import ATTACKS, Attack
from advprune.spec.specification import EvaluationSpec

SPEC = EvaluationSpec(epsilon=0.065, test_examples=10, batch_size=4, seed=0)


class Scaled(nn.Module):
    """Multiplies logits, so that the cross-entropy's gradient vanishes and APGD-CE fails often."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model = model
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        return self.factor * self.model(images)


def noisy_patterns(count: int, generator: torch.Generator) -> Examples:
    """One random 6x6 pattern for each class, under strong noise."""
    patterns = torch.randint(256, (10, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % 10
    noise = 110 * torch.randn(count, 1, 6, 6, generator=generator)
    return Examples((patterns[labels] + noise).clamp(0, 255).to(torch.uint8), labels)


@pytest.fixture(scope="module")
def trained():
    """A small trained network, and test images of which attacks of several kinds break some."""
    generator = torch.Generator().manual_seed(0)
    train, test = noisy_patterns(200, generator), noisy_patterns(12, generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 10))
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    images, labels = train.batch(slice(None))
    for _ in range(60):
        optimiser.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return Scaled(model, 100.0).eval(), test


@pytest.fixture(scope="module")
def evaluated(trained):
    model, test = trained
    return evaluate(model, test, SPEC)


def attacked_directly(model, test, adversary):
    """(m,) bool: what stands after one call of AutoAttack on all images that are attacked."""
    images, labels = test.first(SPEC.test_examples).batch(slice(None))
    tracing = sys.gettrace()
    _, after = adversary.run_standard_evaluation(images, labels, batch_size=SPEC.batch_size)
    sys.settrace(tracing)
    return after == labels


def autoattack(model, **settings):
    return AutoAttack(model, eps=SPEC.epsilon, norm="Linf", seed=SPEC.seed, **settings)


@pytest.mark.slow
def test_the_verdicts_are_those_of_calling_standard_autoattack_once(trained, evaluated):
    model, test = trained
    direct = attacked_directly(model, test, autoattack(model, version="standard"))
    assert evaluated.robust.tolist() == direct.tolist()


@pytest.mark.slow
def test_the_upper_bound_is_that_of_calling_apgd_ce_with_40_steps_and_5_restarts(
    trained, evaluated
):
    model, test = trained
    adversary = autoattack(model, version="custom", attacks=["apgd-ce"])
    adversary.apgd.n_iter, adversary.apgd.n_restarts = 40, 5
    direct = attacked_directly(model, test, adversary)
    assert evaluated.robust_alone["apgd_ce_40x5"].tolist() == direct.tolist()


@pytest.mark.slow
def test_the_images_of_these_tests_meet_every_kind_of_end(trained, evaluated):
    """Without misclassified, broken and unbroken images the tests above would prove little."""
    ends = set(pd.DataFrame(verdicts(evaluated, trained[1]))["broken_by"])
    assert {"natural", "apgd-ce", "apgd-t", "none", ""} <= ends


@pytest.mark.slow
def test_an_image_once_broken_never_stands_again(evaluated):
    standing = [evaluated.correct[:10], *evaluated.robust_after.values()]
    for before, after in itertools.pairwise(standing):
        assert not (after & ~before).any()


@pytest.mark.slow
def test_attacks_are_recorded_in_the_order_of_standard_autoattack(evaluated):
    assert tuple(evaluated.robust_after) == ("apgd-ce", "apgd-t", "fab-t", "square")


@pytest.mark.slow
def test_all_images_are_classified_and_only_the_first_attacked(evaluated):
    assert len(evaluated.prediction) == len(evaluated.correct) == 12
    assert len(evaluated.robust) == len(evaluated.robust_alone["apgd_ce_40x5"]) == 10


@pytest.mark.slow
def test_seconds_are_counted_for_every_attack(evaluated):
    assert list(evaluated.seconds) == ["natural", *STANDARD_ATTACKS, "apgd_ce_40x5 alone"]
    assert min(evaluated.seconds.values()) > 0


# Natural accuracy


def brightest_pixel_classifier():
    """Predicts the number of the brightest of an image's ten pixels."""
    return linear_classifier(torch.eye(10))


def images_with_brightest(pixels):
    images = torch.zeros(len(pixels), 1, 1, 10, dtype=torch.uint8)
    for image, brightest in zip(images, pixels, strict=True):
        image[0, 0, brightest] = 255
    return images


def test_predictions_are_the_classes_of_the_largest_logits():
    pixels = [3, 1, 4, 1, 5, 9, 2, 6]
    examples = Examples(images_with_brightest(pixels), torch.zeros(8, dtype=torch.int64))
    assert predict(brightest_pixel_classifier(), examples).tolist() == pixels


def test_predictions_in_batches_are_predictions_at_once(monkeypatch):
    examples = random_examples(23, shape=(1, 1, 10))
    at_once = predict(brightest_pixel_classifier(), examples)
    monkeypatch.setattr("advprune.evaluation.NATURAL_BATCH", 7)
    assert torch.equal(predict(brightest_pixel_classifier(), examples), at_once)


def test_natural_accuracy_is_over_all_images_and_by_hand():
    # Three of five are right; with an epsilon of 1 nothing withstands an attack.
    examples = Examples(images_with_brightest([0, 1, 2, 3, 4]), torch.tensor([0, 1, 2, 9, 9]))
    spec = EvaluationSpec(epsilon=1.0, test_examples=2, batch_size=5, seed=0)
    row = accuracies(evaluate(brightest_pixel_classifier(), examples, spec))
    assert row["natural_accuracy"] == pytest.approx(60)
    assert row["autoattack_accuracy"] == row["apgd_ce_40x5_accuracy"] == 0


def test_the_network_is_judged_in_evaluation_mode():
    model = nn.Sequential(nn.Dropout(1.0), brightest_pixel_classifier()).train()
    labels = torch.tensor([3, 4])
    examples = Examples(images_with_brightest([3, 4]), labels)
    spec = EvaluationSpec(epsilon=1.0, test_examples=1, batch_size=5, seed=0)
    assert evaluate(model, examples, spec).correct.all()


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.usefixtures("restored_determinism")
def test_an_evaluation_is_held_to_deterministic_algorithms_if_asked(asked):
    examples = Examples(images_with_brightest([3]), torch.tensor([4]))
    spec = EvaluationSpec(1.0, test_examples=1, batch_size=5, seed=0, deterministic=asked)
    evaluate(brightest_pixel_classifier(), examples, spec)
    assert torch.are_deterministic_algorithms_enabled() is asked


# Networks that give no finite numbers


class Constant(nn.Module):
    """Gives the same logit for each class and image, and NaN or infinity where told to."""

    def __init__(self, value, only_where_dark=False):
        super().__init__()
        self.value = value
        self.only_where_dark = only_where_dark

    def forward(self, images):
        logits = images.flatten(1)[:, :10]
        bad = logits * 0 + self.value
        if not self.only_where_dark:
            return bad
        return bad.where(images.flatten(1).sum(dim=1, keepdim=True) == 0, logits)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_network_without_finite_logits_is_always_wrong(value):
    test = random_examples(6, shape=(1, 1, 10))
    row = accuracies(evaluate(Constant(value), test, SPEC))
    percentages = {name: number for name, number in row.items() if not name.endswith("examples")}
    assert set(percentages.values()) == {0}


def test_images_whose_logits_are_not_finite_belong_to_no_class():
    images = images_with_brightest([0, 1, 2])
    images[1] = 0
    examples = Examples(images, torch.tensor([0, 1, 2]))
    assert predict(Constant(math.nan, only_where_dark=True), examples).tolist() == [0, -1, 2]


def test_images_whose_logits_are_not_finite_do_not_disturb_the_others():
    images = images_with_brightest([0, 1, 2])
    images[0] = 0
    examples = Examples(images, torch.tensor([0, 1, 2]))
    spec = EvaluationSpec(epsilon=1.0, test_examples=None, batch_size=5, seed=0)
    model = Constant(math.nan, only_where_dark=True)
    assert evaluate(model, examples, spec).correct.tolist() == [False, True, True]


# One attack


def quick_adversary(model, epsilon):
    adversary = AutoAttack(model, eps=epsilon, norm="Linf", seed=0, version="standard")
    adversary.apgd.n_iter = 5
    return adversary


def survivors_of_apgd_ce(standing, epsilon=0.1):
    model = brightest_pixel_classifier()
    images = images_with_brightest(range(10)).float() / 255
    return survivors(
        quick_adversary(model, epsilon), "apgd-ce", images, torch.arange(10), standing, 4
    )


def test_images_that_have_fallen_are_not_attacked_again():
    standing = torch.tensor([True, False] * 5)
    assert survivors_of_apgd_ce(standing).tolist() == standing.tolist()


def test_an_attack_within_the_margin_breaks_nothing():
    # Moving two pixels by 0.49 leaves the brightest 0.02 ahead.
    assert survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool), epsilon=0.49).all()


def test_an_attack_beyond_the_margin_breaks_everything():
    assert not survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool), epsilon=0.55).any()


def test_what_stood_before_is_left_as_it_was():
    standing = torch.ones(10, dtype=torch.bool)
    survivors_of_apgd_ce(standing, epsilon=0.55)
    assert standing.all()


def test_nothing_is_attacked_when_nothing_stands():
    standing = torch.zeros(3, dtype=torch.bool)
    images, labels = torch.full((3, 1, 1, 10), math.nan), torch.arange(3)
    adversary = quick_adversary(brightest_pixel_classifier(), 0.1)
    assert not survivors(adversary, "square", images, labels, standing, 4).any()


def test_a_debugger_or_coverage_stays_switched_on():
    def tracing(*event):
        return None

    before = sys.gettrace()
    sys.settrace(tracing)
    try:
        survivors_of_apgd_ce(torch.ones(10, dtype=torch.bool))
        assert sys.gettrace() is tracing
    finally:
        sys.settrace(before)


# Attacks that are run alone


def second_pixel_to_the_top(model, images, labels, spec):
    """Raises the second pixel as far as allowed."""
    attacked = images.clone()
    attacked[..., 1] = (attacked[..., 1] + spec.epsilon).clamp(max=1)
    return attacked


def too_far(model, images, labels, spec):
    return images - 2 * spec.epsilon * (images > 0.5)


def out_of_range(model, images, labels, spec):
    return images + spec.epsilon


def not_finite(model, images, labels, spec):
    return images * math.nan


def at_random(model, images, labels, spec):
    DRAWN.append(torch.rand(()).item())
    return images


DRAWN = []


@pytest.fixture
def withstand_own(monkeypatch):
    """Attacks two images of ten pixels, of which the brightest tells the class, by a function."""

    def attacked(attack, **settings):
        monkeypatch.setitem(ATTACKS, "own", Attack("Own", f"{__name__}:{attack.__name__}"))
        images = torch.zeros(2, 1, 1, 10)
        images[0, ..., 0], images[1, ..., 0] = 0.9, 0.3
        spec = EvaluationSpec(**({"epsilon": 0.5, "test_examples": None} | settings))
        standing = torch.ones(2, dtype=torch.bool)
        model = brightest_pixel_classifier()
        return withstand("own", model, images, torch.zeros(2).long(), standing, spec)

    return functools.partial(attacked, batch_size=2, seed=0)


def test_an_attack_of_ones_own_breaks_what_it_can(withstand_own):
    assert withstand_own(second_pixel_to_the_top).tolist() == [True, False]


@pytest.mark.parametrize("attack", [too_far, out_of_range, not_finite])
def test_an_attack_that_leaves_its_bounds_is_refused(withstand_own, attack):
    with pytest.raises(ValueError, match=r"the attack own moved .* out of \[0, 1\]"):
        withstand_own(attack)


def test_an_attack_draws_the_same_numbers_whenever_it_is_run(withstand_own):
    DRAWN.clear()
    for _ in range(2):
        withstand_own(at_random)
        torch.rand(3)
    assert DRAWN[0] == DRAWN[1]


def test_an_attack_of_ones_own_has_a_column_of_accuracies_and_one_of_verdicts(monkeypatch):
    code = f"{__name__}:second_pixel_to_the_top"
    monkeypatch.setattr("advprune.evaluation.ATTACKS", {"own": Attack("Own", code)})
    examples = Examples(images_with_brightest([0, 1]), torch.tensor([0, 1]))
    spec = EvaluationSpec(epsilon=0.1, test_examples=None, batch_size=5, seed=0, attacks=["own"])
    result = evaluate(brightest_pixel_classifier(), examples, spec)
    assert accuracies(result)["own_accuracy"] == 100
    assert [row["own"] for row in verdicts(result, examples)] == [1, 1]


# Tables made from an evaluation


@pytest.fixture
def by_hand():
    """Five test images of which the first four were attacked."""

    def flags(text):
        return torch.tensor([character == "1" for character in text])

    return Evaluation(
        prediction=torch.tensor([0, 1, 2, -1, 4]),
        correct=flags("11101"),
        robust_after={
            "apgd-ce": flags("1010"),
            "apgd-t": flags("1010"),
            "fab-t": flags("1000"),
            "square": flags("1000"),
        },
        robust_alone={"apgd_ce_40x5": flags("1110")},
        seconds={},
    )


def test_accuracies_worked_out_by_hand(by_hand):
    assert accuracies(by_hand) == {
        "natural_accuracy": 80,
        "autoattack_accuracy": 25,
        "apgd_ce_40x5_accuracy": 75,
        "robust_after_apgd_ce": 50,
        "robust_after_apgd_t": 50,
        "robust_after_fab_t": 25,
        "robust_after_square": 25,
        "test_examples": 5,
        "attacked_examples": 4,
    }


def test_verdicts_worked_out_by_hand(by_hand):
    test = Examples(torch.zeros(5, 1, 1, 1, dtype=torch.uint8), torch.arange(5))
    assert pd.DataFrame(verdicts(by_hand, test)).to_dict("list") == {
        "index": [0, 1, 2, 3, 4],
        "label": [0, 1, 2, 3, 4],
        "prediction": [0, 1, 2, -1, 4],
        "broken_by": ["none", "apgd-ce", "fab-t", "natural", ""],
        "apgd_ce_40x5": [1, 1, 1, 0, ""],
    }


@pytest.mark.slow
def test_verdicts_and_accuracies_tell_the_same(trained, evaluated):
    table, row = pd.DataFrame(verdicts(evaluated, trained[1])), accuracies(evaluated)
    attacked = table.head(row["attacked_examples"])
    right = table["prediction"] == table["label"]
    assert row["natural_accuracy"] == pytest.approx(100 * right.mean())
    robust = attacked["broken_by"] == "none"
    assert row["autoattack_accuracy"] == pytest.approx(100 * robust.mean())
    upper_bound = attacked["apgd_ce_40x5"] == 1
    assert row["apgd_ce_40x5_accuracy"] == pytest.approx(100 * upper_bound.mean())

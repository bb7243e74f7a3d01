"""Training and evaluation on another device than the CPU (see `pretended_device`)."""

import dataclasses
import json
import runpy

import pytest
import torch
from builders import (
    EARLY_STOPPING,
    GREY,
    PLAIN,
    PLAIN_DEEPFOOL,
    PLAIN_PRUNING,
    PRUNED_BEFORE,
    SMALL,
    WIDE,
    brightest_pixel_classifier,
    evaluation_spec,
    examples_for,
    numerics,
    resnet_spec,
    same_tensors,
    small_classifier,
    training_spec,
    weights_of,
    write_dataset,
)
from pretended_device import DeviceMismatchError, pretended_device
from safetensors.torch import load_file
from workflow_tools import PROJECT

from advprune.data.examples import Examples
from advprune.evaluation.autoattack import build_autoattack, survivors
from advprune.networks.weights import save_weights
from advprune.plan.config import load_config
from advprune.preflight import estimate
from advprune.spec.attacks import STANDARD_ATTACKS
from advprune.spec.runs import Run
from advprune.spec.specification import StartSpec
from advprune.training.algorithm import train
from advprune.training.checkpoints import restore_checkpoint, save_checkpoint
from advprune.training.epoch import prepare
from advprune.training.runs import train_runs
from advprune.training.starts import make_starts
from advprune.training.state import start


@pytest.fixture
def pretended():
    """The device, and a list of what the CPU has waited for."""
    with pretended_device() as device_and_waits:
        yield device_and_waits


@pytest.fixture
def device(pretended):
    return pretended[0]


def train_on(device, spec, **arguments):
    examples = examples_for(spec).to(device)
    return train(spec, examples, validation=examples, **arguments)


CPU = torch.device("cpu")


def on_cpu(tensors):
    return {name: tensor.cpu() for name, tensor in tensors.items()}


def test_a_tensor_that_is_forgotten_on_the_cpu_is_found(device, monkeypatch):
    monkeypatch.setattr(
        Examples, "to", lambda self, there: Examples(self.images.to(there), self.labels)
    )
    with pytest.raises(DeviceMismatchError):
        train_on(device, training_spec(epochs=1))


# Training


BY_DEEPFOOL = training_spec(method="low-deepfool", p="0.5")
FROM_ADVERSARIAL = dataclasses.replace(PLAIN_DEEPFOOL, points="adversarial", fixed_target=True)
# Hardly learns and is hardly attacked, so that the first epoch's accuracy is never exceeded.
STOPPED_EARLY = training_spec(
    method="low-loss",
    p="0.5",
    epochs=4,
    early_stopping=EARLY_STOPPING,
    epsilon=1e-3,
    max_learning_rate=1e-6,
)
CHANNELS_LAST = numerics(channels_last=True)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(training_spec(method="standard"), id="no adversary"),
        pytest.param(training_spec(method="random", p="0.5"), id="pruned at random"),
        pytest.param(training_spec(method="low-loss", p="0.5"), id="pruned by loss"),
        pytest.param(BY_DEEPFOOL, id="pruned by DeepFool"),
        pytest.param(
            dataclasses.replace(BY_DEEPFOOL, deepfool=FROM_ADVERSARIAL),
            id="pruned by DeepFool from adversarial images, with one target",
        ),
        pytest.param(
            training_spec(
                method="low-loss",
                p="0.5",
                pruning=dataclasses.replace(PRUNED_BEFORE, class_balanced=True),
            ),
            id="pruned by loss before an epoch",
        ),
        pytest.param(STOPPED_EARLY, id="stopped early"),
        pytest.param(resnet_spec(method="low-loss", p="0.5"), id="CIFAR10's recipe"),
        pytest.param(resnet_spec(width=WIDE, numerics=CHANNELS_LAST), id="channels last"),
    ],
)
def test_training_on_a_device_is_training_on_the_cpu(device, spec):
    there, here = train_on(device, spec), train_on(CPU, spec)
    assert there.losses.device == device
    assert same_tensors(on_cpu(weights_of(there)), weights_of(here))
    assert same_tensors({"losses": there.losses.cpu()}, {"losses": here.losses})
    assert torch.equal(there.kept, here.kept)
    assert there.validation.stopped_epoch == here.validation.stopped_epoch
    assert [r.accuracy for r in there.curve] == [r.accuracy for r in here.curve]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_trained_with_on_a_device(device, precision):
    spec = resnet_spec(numerics=numerics(precision=precision))
    state = train_on(device, spec)
    assert state.diverged_epoch is None
    assert all(value.device == device for value in state.classifier.state_dict().values())


def test_a_device_has_made_its_first_calls_before_the_time_measured(device):
    spec = resnet_spec()
    examples = examples_for(spec).to(device)
    state = start(spec, examples)
    before = on_cpu(weights_of(state))
    calls = []
    state.classifier.register_forward_hook(lambda *_: calls.append(1))
    prepare(state.classifier, spec, examples)
    assert len(calls) == 2  # as attacked, and as learned from
    assert same_tensors(on_cpu(weights_of(state)), before)


def test_the_cpu_waits_for_the_device_as_often_however_many_batches_there_are(pretended):
    device, waits = pretended
    counts = []
    for batch_size in (40, 4):
        waits.clear()
        train_on(device, resnet_spec(batch_size=batch_size, epochs=1))
        counts.append(len(waits))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(training_spec(method="low-loss", p="0.5", e=2), id="Adam"),
        pytest.param(resnet_spec(method="low-loss", p="0.5", e=2, epochs=2), id="SGD"),
        pytest.param(STOPPED_EARLY, id="stopped early"),
    ],
)
@pytest.mark.parametrize("there_first", [True, False], ids=["to the CPU", "to the device"])
def test_a_state_that_was_saved_on_one_device_is_restored_on_another(
    device, tmp_path, spec, there_first
):
    before, after = (device, CPU) if there_first else (CPU, device)
    path = tmp_path / "checkpoint.safetensors"
    train_on(
        before,
        spec,
        stop_after=1,
        save=lambda state: save_checkpoint(path, state, spec.digest),
    )
    examples = examples_for(spec).to(after)
    state = start(spec, examples)
    assert restore_checkpoint(path, state, spec.digest)
    resumed = train(spec, examples, validation=examples, state=state)
    assert same_tensors(on_cpu(weights_of(resumed)), weights_of(train_on(CPU, spec)))


# Evaluation


# Images of which attacks with a bound of 0.1 break some.
IMAGES = 0.5 + (torch.eye(10) * torch.linspace(0.02, 0.4, 10)).view(10, 1, 1, 10)


def survivors_on(device, attack):
    model = brightest_pixel_classifier().to(device)
    adversary = build_autoattack(model, evaluation_spec(0.1), IMAGES.to(device))
    adversary.apgd.n_iter = adversary.apgd_targeted.n_iter = adversary.fab.n_iter = 5
    adversary.apgd_targeted.n_target_classes = adversary.fab.n_target_classes = 3
    adversary.apgd.n_restarts, adversary.square.n_queries = 2, 50
    labels = torch.arange(10, device=device)
    return survivors(adversary, attack, IMAGES.to(device), labels, labels != 3, 4)


@pytest.mark.parametrize("attack", STANDARD_ATTACKS)
def test_an_attack_on_a_device_is_that_on_the_cpu(device, attack):
    expected = survivors_on(CPU, attack)
    found = survivors_on(device, attack)
    assert found.device == device
    assert found.tolist() == expected.tolist()
    assert 0 < expected.sum() < 9  # some fall and some stand


# The programs, which write what is on the device to files


@pytest.fixture
def run_program(monkeypatch):
    """Runs a program on a device, in this process, with options by name."""

    def run(name, device, **options):
        words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
        monkeypatch.setattr(
            "advprune.machine.devices.choose_device", lambda *args, **kwargs: device
        )
        monkeypatch.setattr("sys.argv", [name, *words])
        runpy.run_path(str(PROJECT / "workflow/scripts" / name))["main"]()

    return run


@pytest.mark.parametrize(
    ("arithmetic", "taken"),
    [(PLAIN, "in_pass"), (CHANNELS_LAST, "after_pass")],
    ids=["plain, in the pass", "channels last, after it"],
)
@pytest.mark.parametrize("stopping", [None, EARLY_STOPPING], ids=["to its end", "stopped early"])
def test_the_programs_that_train_write_the_same(
    pretended, tmp_path, run_program, stopping, arithmetic, taken
):
    device, waits = pretended
    spec = training_spec(
        method="low-deepfool",
        p="0.5",
        numerics=arithmetic,
        epochs=2,
        early_stopping=stopping,
        pruning=dataclasses.replace(PLAIN_PRUNING, taken=taken),
    )
    begun = StartSpec(spec.on_all_data(), 1, ["after_pass", "in_pass"], [taken], spec.deepfool)
    dataset = write_dataset(tmp_path / "mnist.safetensors")
    for where in (device, CPU):
        folder = tmp_path / where.type
        for name, what, runs in (("start", begun, {}), ("train", spec, {"runs": folder / "runs"})):
            run_program(
                f"{name}.py",
                where,
                spec=json.dumps(what.to_dict()),
                seeds="0,1",
                alone="2",
                dataset=dataset,
                starts=folder / "starts",
                block=folder / f"{name}.json",
                **runs,
            )
    assert waits  # it did work on the device
    there, here = (sorted((tmp_path / each.type).rglob("*.safetensors")) for each in (device, CPU))
    assert [path.name for path in there] == [path.name for path in here]
    for first, second in zip(there, here, strict=True):
        assert same_tensors(load_file(first), load_file(second))


@pytest.mark.parametrize("taken", ["in_pass", "after_pass"])
def test_a_block_is_trained_as_a_stack_on_a_device(pretended, tmp_path, taken):
    device, _ = pretended
    pruning = dataclasses.replace(PLAIN_PRUNING, taken=taken)
    spec = training_spec(method="low-deepfool", p="0.5", epochs=2, pruning=pruning)
    begun = StartSpec(spec.on_all_data(), 1, ["in_pass"], [taken], spec.deepfool)
    dataset = write_dataset(tmp_path / "mnist.safetensors")
    settings = {"device": device, "made_by": {}, "alone": 1}
    starts = tmp_path / "starts"
    records = make_starts([begun.of_seed(s) for s in range(3)], dataset, starts=starts, **settings)
    records += train_runs(
        [spec.of_seed(s) for s in range(3)],
        dataset,
        runs=tmp_path / "runs",
        starts=starts,
        **settings,
    )
    assert [json.loads(record.read_text())["stacked"] for record in records] == [1, 2, 2] * 2


def test_the_program_that_evaluates_writes_the_same(pretended, run_program, tmp_path):
    device, waits = pretended
    weights = tmp_path / "weights.safetensors"
    save_weights(weights, small_classifier(shape=GREY))
    dataset = write_dataset(tmp_path / "mnist.safetensors", test=30)
    options = {
        "model": weights,
        "network": "mnist_cnn",
        "width": SMALL["width"],
        "dataset": dataset,
    }
    options |= {"dataset-name": "mnist", "epsilon": 0.9, "test-examples": 20}
    outputs = ("accuracies", "verdicts", "record")
    for where in (device, CPU):
        there = {name: tmp_path / where.type / name for name in outputs}
        run_program("evaluate_weights.py", where, **options, **there)
    assert waits  # it did work on the device
    for name in ("accuracies", "verdicts"):
        there, here = (tmp_path / where.type / name for where in (device, CPU))
        assert there.read_text() == here.read_text()


def test_batches_are_timed_on_a_device(device, monkeypatch):
    seconds = []
    monkeypatch.setattr(estimate, "startup_seconds", lambda: 0.0)
    monkeypatch.setattr(estimate, "_seconds", lambda work, where: seconds.append(work()) or 1.0)
    estimate.measure(Run("mnist", "full", "1.0", 1, 0), load_config(), device)
    assert len(seconds) == 6

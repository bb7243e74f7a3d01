"""Training and evaluation on another device than the CPU (see `pretended_device`)."""

import dataclasses
import json
import runpy

import numpy as np
import pytest
import torch
from builders import (
    EARLY_STOPPING,
    PLAIN,
    PLAIN_PRUNING,
    WIDE,
    examples_for,
    linear_classifier,
    random_examples,
    resnet_spec,
    same_tensors,
    training_spec,
    weights_of,
)
from pretended_device import DeviceMismatchError, pretended_device
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file
from torch.nn import functional
from workflow_tools import PROJECT

from advprune import evaluation, training
from advprune.data.examples import Examples, save_examples
from advprune.evaluation.autoattack import STANDARD_ATTACKS, survivors
from advprune.evaluation.phases import predict
from advprune.networks.weights import save_weights
from advprune.plan.config import load_config
from advprune.preflight import estimate
from advprune.spec.runs import Run
from advprune.spec.specification import EvaluationSpec
from advprune.training import augmentation
from advprune.training import deepfool as distance
from advprune.training.algorithm import train
from advprune.training.checkpoints import restore_checkpoint, save_checkpoint
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


# What the pretended device takes for a mistake


@pytest.mark.parametrize(
    "mix",
    [
        pytest.param(lambda there, here: there + here, id="a sum"),
        pytest.param(lambda there, here: here.add_(there.sum()), id="a sum kept on the CPU"),
        pytest.param(lambda there, here: here.sum().add_(there.sum()), id="a value on the CPU"),
        pytest.param(lambda there, here: here[there.long()], id="an index of the device"),
        pytest.param(lambda there, here: torch.cat([there, here]), id="one after the other"),
        pytest.param(lambda there, here: there.where(here > 0, 0), id="a choice"),
        pytest.param(lambda there, here: functional.linear(there, here[None]), id="weights"),
        pytest.param(
            lambda there, here: there.uniform_(generator=torch.Generator()), id="random numbers"
        ),
        pytest.param(
            lambda there, here: here.uniform_(generator=torch.Generator(there.device)),
            id="random numbers of the device for the CPU",
        ),
    ],
)
def test_mixing_devices_fails(device, mix):
    with pytest.raises(DeviceMismatchError):
        mix(torch.ones(3, device=device), torch.ones(3))


def test_a_single_value_on_the_cpu_may_be_read(device):
    assert (torch.ones(3, device=device) * torch.tensor(2.0)).tolist() == [2, 2, 2]


def test_what_is_on_the_device_is_no_array(device):
    with pytest.raises(RuntimeError, match="numpy"):
        np.asarray(torch.ones(3, device=device))


@pytest.mark.parametrize(
    ("wait", "count"),
    [
        pytest.param(lambda there: there * 2, 0, id="arithmetic"),
        pytest.param(lambda there: there[there.long()], 0, id="indices"),
        pytest.param(lambda there: there.sum().item(), 1, id="a value"),
        pytest.param(lambda there: there.cpu(), 1, id="a copy"),
        pytest.param(lambda there: there[torch.arange(3)], 1, id="indices on the CPU"),
        pytest.param(lambda there: there[there > 0], 1, id="a mask"),
        pytest.param(lambda there: there.nonzero(), 1, id="a search"),
    ],
)
def test_what_the_cpu_waits_for_is_noted(pretended, wait, count):
    device, waits = pretended
    wait(torch.ones(3, device=device))
    assert len(waits) == count


# Mistakes in the library that would be found


def leave_labels_on_the_cpu(monkeypatch):
    monkeypatch.setattr(
        Examples, "to", lambda self, there: Examples(self.images.to(there), self.labels)
    )


def make_tensors_on_the_cpu(module, name):
    """``torch.name`` in a module of the library as if ``device`` had been forgotten."""

    def forget(monkeypatch):
        class Torch:
            def __getattr__(self, attribute):
                return getattr(torch, attribute)

        forgetful = Torch()
        setattr(forgetful, name, lambda *args, device=None, **kw: getattr(torch, name)(*args, **kw))
        monkeypatch.setattr(module, "torch", forgetful)

    return forget


def draw_on_the_cpu(monkeypatch):
    real = training.generator_for
    monkeypatch.setattr(training, "generator_for", lambda *args: real(*args[:3], CPU))


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(leave_labels_on_the_cpu, id="labels on the CPU"),
        pytest.param(draw_on_the_cpu, id="random numbers of the CPU"),
        pytest.param(make_tensors_on_the_cpu(training, "full"), id="losses"),
        pytest.param(make_tensors_on_the_cpu(training, "zeros"), id="a count"),
        pytest.param(make_tensors_on_the_cpu(augmentation, "arange"), id="pixels to crop"),
        pytest.param(make_tensors_on_the_cpu(distance, "zeros"), id="DeepFool's flags"),
        pytest.param(make_tensors_on_the_cpu(distance, "arange"), id="DeepFool's images"),
    ],
)
def test_a_device_that_is_forgotten_is_found(device, monkeypatch, mistake):
    mistake(monkeypatch)
    with pytest.raises(DeviceMismatchError):
        train_on(device, resnet_spec(method="low-deepfool", p="0.5", epochs=1))


# Training


def deepfool_from(**settings):
    return dataclasses.replace(
        BY_DEEPFOOL, deepfool=dataclasses.replace(BY_DEEPFOOL.deepfool, **settings)
    )


BY_DEEPFOOL = training_spec(method="low-deepfool", p="0.5")
BEFORE_EPOCH = dataclasses.replace(PLAIN_PRUNING, when="before_epoch", class_balanced=True)
# Hardly learns and is hardly attacked, so that the first epoch's accuracy is never exceeded.
STOPPED_EARLY = training_spec(
    method="low-loss",
    p="0.5",
    epochs=4,
    early_stopping=EARLY_STOPPING,
    epsilon=1e-3,
    max_learning_rate=1e-6,
)
CHANNELS_LAST = dataclasses.replace(PLAIN, channels_last=True)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(training_spec(method="standard"), id="no adversary"),
        pytest.param(training_spec(method="random", p="0.5"), id="pruned at random"),
        pytest.param(training_spec(method="low-loss", p="0.5"), id="pruned by loss"),
        pytest.param(BY_DEEPFOOL, id="pruned by DeepFool"),
        pytest.param(
            deepfool_from(points="adversarial", fixed_target=True),
            id="pruned by DeepFool from adversarial images, with one target",
        ),
        pytest.param(
            training_spec(method="low-loss", p="0.5", pruning=BEFORE_EPOCH),
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
    spec = resnet_spec(numerics=dataclasses.replace(PLAIN, precision=precision))
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
    training.prepare(state.classifier, spec, examples)
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
        after_epoch=lambda state: save_checkpoint(path, state, spec.digest),
    )
    examples = examples_for(spec).to(after)
    state = start(spec, examples)
    assert restore_checkpoint(path, state, spec.digest)
    resumed = train(spec, examples, validation=examples, state=state)
    assert same_tensors(on_cpu(weights_of(resumed)), weights_of(train_on(CPU, spec)))


# Evaluation


@pytest.fixture
def model():
    """Logits that are pixels: how far the brightest is ahead decides what an attack can do."""
    return linear_classifier(torch.eye(10)).eval()


@pytest.fixture
def images():
    """Ten images of which attacks with a bound of 0.1 break some."""
    margins = torch.linspace(0.02, 0.4, 10)
    return 0.5 + (torch.eye(10) * margins).view(10, 1, 1, 10)


def test_predictions_on_a_device_are_those_on_the_cpu(device, model, monkeypatch):
    monkeypatch.setattr(evaluation, "NATURAL_BATCH", 7)
    examples = random_examples(23, shape=(1, 1, 10))
    expected = predict(model, examples)
    found = predict(model.to(device), examples.to(device))
    assert found.device == device
    assert found.tolist() == expected.tolist()


def survivors_on(device, model, images, attack):
    adversary = evaluation._autoattack(model.to(device), SPEC, device)
    adversary.apgd.n_iter = adversary.apgd_targeted.n_iter = adversary.fab.n_iter = 5
    adversary.apgd_targeted.n_target_classes = adversary.fab.n_target_classes = 3
    adversary.apgd.n_restarts, adversary.square.n_queries = 2, 50
    standing = torch.arange(10, device=device) != 3
    return survivors(
        adversary, attack, images.to(device), torch.arange(10, device=device), standing, 4
    )


SPEC = EvaluationSpec(epsilon=0.1, test_examples=None, batch_size=4, seed=0)


@pytest.mark.parametrize("attack", STANDARD_ATTACKS)
def test_an_attack_on_a_device_is_that_on_the_cpu(device, model, images, attack):
    expected = survivors_on(CPU, model, images, attack)
    found = survivors_on(device, model, images, attack)
    assert found.device == device
    assert found.tolist() == expected.tolist()
    assert 0 < expected.sum() < 9  # some fall and some stand


def test_a_whole_evaluation_on_a_device_is_that_on_the_cpu(device, model):
    test = random_examples(12, shape=(1, 1, 10))
    spec = EvaluationSpec(epsilon=0.9, test_examples=10, batch_size=5, seed=0)
    here = evaluation.evaluate(model, test, spec)
    there = evaluation.evaluate(model.to(device), test.to(device), spec)
    assert evaluation.accuracies(there) == evaluation.accuracies(here)
    assert evaluation.verdicts(there, test.to(device)) == evaluation.verdicts(here, test)


# The programs, which write what is on the device to files


@pytest.fixture
def run_program(monkeypatch, tmp_path):
    """Runs a program on a device; gives a folder and the options to write there."""

    def run(name, device, outputs, **options):
        folder = tmp_path / device.type
        options = {output: folder / output for output in outputs} | options
        words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
        monkeypatch.setattr("advprune.devices.choose_device", lambda *args, **kwargs: device)
        monkeypatch.setattr("sys.argv", [name, *words])
        runpy.run_path(str(PROJECT / "workflow/scripts" / name))["main"]()
        return folder

    return run


@pytest.fixture
def dataset(tmp_path):
    """A file with 40 images to train on and as many to test on as MNIST has."""
    path = tmp_path / "mnist.safetensors"
    train, test = random_examples(40), random_examples(10_000)
    parts = {"train": train, "test": test}
    arrays = {f"{name}_images": part.images.numpy() for name, part in parts.items()}
    save_examples(
        path,
        "mnist",
        arrays | {f"{name}_labels": part.labels.numpy() for name, part in parts.items()},
    )
    return path


@pytest.mark.parametrize("numerics", [PLAIN, CHANNELS_LAST], ids=["plain", "channels last"])
@pytest.mark.parametrize(
    ("name", "outputs", "changes"),
    [
        pytest.param(
            "train.py",
            ("model", "pruning", "curve", "record"),
            {"early_stopping": EARLY_STOPPING},
            id="training",
        ),
        pytest.param("score.py", ("model", "scores", "record"), {}, id="scoring"),
    ],
)
def test_a_program_that_trains_writes_the_same(
    pretended, dataset, run_program, name, outputs, changes, numerics
):
    device, waits = pretended
    spec = training_spec(method="low-deepfool", p="0.5", numerics=numerics, epochs=2, **changes)
    options = {"dataset": dataset, "spec": json.dumps(spec.to_dict())}
    there, here = (run_program(name, where, outputs, **options) for where in (device, CPU))
    assert waits  # it did work on the device
    for output in outputs[:2]:
        assert same_tensors(load_file(there / output), load_file(here / output))


def test_the_program_that_evaluates_writes_the_same(pretended, dataset, run_program, tmp_path):
    device, waits = pretended
    weights = tmp_path / "weights.safetensors"
    spec = training_spec()
    save_weights(weights, start(spec, random_examples()).classifier)
    options = {"model": weights, "network": "mnist_cnn", "width": spec.width, "dataset": dataset}
    options |= {"dataset-name": "mnist", "epsilon": 0.9, "test-examples": 20}
    outputs = ("accuracies", "verdicts", "record")
    there, here = (run_program("evaluate.py", where, outputs, **options) for where in (device, CPU))
    assert waits  # it did work on the device
    for output in outputs[:2]:
        assert (there / output).read_text() == (here / output).read_text()


def other_data(monkeypatch, dataset):
    images = random_examples(40, seed=1).images.numpy()
    save_examples(dataset, "mnist", load_arrays(dataset) | {"train_images": images})


def other(name):
    """Something that decides numbers, in the place of a function of ``provenance``."""
    return lambda monkeypatch, dataset: monkeypatch.setattr(
        f"advprune.provenance.{name}", lambda *args: "another"
    )


@pytest.mark.parametrize("name", ["train.py", "score.py", "evaluate.py"])
@pytest.mark.parametrize(
    ("change", "is_used"),
    [
        pytest.param(lambda monkeypatch, dataset: None, True, id="nothing"),
        pytest.param(other("source_digest"), False, id="code"),
        pytest.param(other("device_name"), False, id="device"),
        pytest.param(other("metadata.version"), False, id="versions of packages"),
        pytest.param(other("torch.get_num_threads"), False, id="threads"),
        pytest.param(other_data, False, id="data"),
    ],
)
def test_a_program_goes_on_only_under_what_began_its_work(
    run_program, dataset, tmp_path, monkeypatch, caplog, name, change, is_used
):
    options, outputs = {"dataset": dataset}, ("model", "pruning", "curve", "record")
    spec = training_spec(method="low-deepfool", p="0.5", epochs=1)
    if name == "evaluate.py":
        outputs = ("accuracies", "verdicts", "record")
        options |= {"model": tmp_path / "weights.safetensors", "width": spec.width}
        options |= {"network": "mnist_cnn", "dataset-name": "mnist"}
        options |= {"epsilon": 0.9, "test-examples": 1}
        save_weights(options["model"], start(spec, random_examples()).classifier)
    else:
        options |= {"spec": json.dumps(spec.to_dict())}
    if name == "score.py":
        outputs = ("model", "scores", "record")
    monkeypatch.setattr("advprune.locking.take_turn", lambda record: None)  # this process has it
    run_program(name, CPU, outputs, **options)
    change(monkeypatch, dataset)
    with caplog.at_level("INFO"):
        run_program(name, CPU, outputs, **options)
    assert ("is not used" in caplog.text) is not is_used
    assert ("going on after epoch 1" in caplog.text or "was done before" in caplog.text) is is_used


def test_batches_are_timed_on_a_device(device, monkeypatch):
    seconds = []
    monkeypatch.setattr(estimate, "_start_seconds", lambda: 0.0)
    monkeypatch.setattr(estimate, "_seconds", lambda work, where: seconds.append(work()) or 1.0)
    estimate.measure(Run("mnist", "full", "1.0", 1, 0), load_config(), device)
    assert len(seconds) == 6

"""State dicts from elsewhere: found in whatever is around them, and told what does not fit."""

import math
import os
import re

import pytest
import torch
from builders import SMALL, same_tensors, small_classifier
from safetensors.torch import save_file
from torch import nn

from advprune.errors import UserError
from advprune.networks.classifier import Classifier
from advprune.networks.state_dicts import bare, find_state_dict, misfits, named_as
from advprune.networks.weights import load_weights, read_classifier

SOURCE = small_classifier(seed=6)
WEIGHTS = SOURCE.network.state_dict()
OTHER = small_classifier(seed=7).network.state_dict()


class Parallel(nn.Module):
    """Names its network as PyTorch's parallel training does, on a machine without a GPU too."""

    def __init__(self, module):
        super().__init__()
        self.module = module


def renamed(prefix, weights=WEIGHTS):
    return {prefix + name: value for name, value in weights.items()}


def read(content, folder, name="w.pth", network="mnist_cnn"):
    torch.save(content, folder / name)
    return read_classifier(folder / name, network, **SMALL)


def refusal(content, folder, network="mnist_cnn"):
    with pytest.raises(UserError) as caught:
        read(content, folder, network=network)
    return str(caught.value)


# Wrappers.


PREFIXES = [
    *("_orig_mod.", "module.", "model.", "net.", "network."),
    *("_orig_mod.module.", "module._orig_mod.", "model._orig_mod.module.", "module.module."),
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_names_that_wrappers_give_are_taken_off(prefix, tmp_path):
    found = read(renamed(prefix), tmp_path)
    assert same_tensors(found.network.state_dict(), WEIGHTS)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda network: network, id="nothing"),
        pytest.param(Parallel, id="parallel"),
        pytest.param(torch.compile, id="compiled"),
        pytest.param(lambda network: torch.compile(Parallel(network)), id="both"),
        pytest.param(lambda network: Classifier(network, nn.Identity()), id="a classifier"),
    ],
)
def test_the_weights_of_a_network_are_read_whatever_was_put_around_it(wrap, tmp_path):
    found = read(wrap(SOURCE.network).state_dict(), tmp_path)
    assert same_tensors(found.network.state_dict(), WEIGHTS)


def test_a_wrapper_inside_a_network_is_taken_off_too(tmp_path):
    source = small_classifier("preact_resnet18", seed=3).network
    inside = {
        name.replace("layer2.", "layer2._orig_mod."): v for name, v in source.state_dict().items()
    }
    assert any("_orig_mod" in name for name in inside)
    found = read(inside, tmp_path, network="preact_resnet18")
    assert same_tensors(found.network.state_dict(), source.state_dict())


def test_a_network_whose_own_layers_are_named_like_a_wrapper_keeps_its_names():
    own = nn.Sequential()
    own.add_module("model", nn.Linear(2, 2))
    for weights in (own.state_dict(), renamed("module.", own.state_dict())):
        assert named_as(weights, own.state_dict()).keys() == {"model.weight", "model.bias"}


def test_other_parts_of_a_name_stay():
    assert bare("module.layer1.models.0.weight") == "layer1.models.0.weight"


@pytest.mark.parametrize("prefix", ["module.", "model._orig_mod."])
def test_a_name_that_occurs_twice_without_wrappers_is_refused_naming_both(prefix, tmp_path):
    told = refusal(WEIGHTS | {f"{prefix}2.bias": WEIGHTS["2.bias"] + 1}, tmp_path)
    assert f"2.bias occurs twice, as 2.bias and as {prefix}2.bias" in told


# What is around a state dict.


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda weights: {"model": weights}, id="model"),
        pytest.param(lambda weights: {"net": renamed("module.", weights)}, id="net, parallel"),
        pytest.param(lambda weights: {"state_dict": weights, "epoch": 3}, id="with an epoch"),
        pytest.param(lambda weights: {"weights": {"of": {"student": weights}}}, id="deep down"),
        pytest.param(lambda weights: {"loss": torch.zeros(()), "m": weights}, id="with a tensor"),
        pytest.param(
            lambda weights: {"teacher": {"0.weight": torch.zeros(3)}, "student": weights},
            id="beside one that fits less",
        ),
    ],
)
def test_a_state_dict_is_found_in_what_is_around_it(wrap, tmp_path):
    assert same_tensors(read(wrap(WEIGHTS), tmp_path).network.state_dict(), WEIGHTS)


@pytest.mark.parametrize("optimiser", [torch.optim.Adam, torch.optim.SGD])
def test_a_trainers_checkpoint_is_read(optimiser, tmp_path):
    source = small_classifier(seed=6)
    network, made = source.network, optimiser(source.parameters(), 0.01)
    network(torch.zeros(1, 1, 8, 8)).sum().backward()
    made.step()
    content = {"optimizer": made.state_dict(), "model": network.state_dict(), "args": {"lr": 0.01}}
    assert same_tensors(read(content, tmp_path).network.state_dict(), network.state_dict())


def test_of_two_state_dicts_that_fit_none_is_chosen_and_both_are_named(tmp_path):
    told = refusal({"epoch": 3, "model": WEIGHTS, "ema": {"shadow": OTHER}}, tmp_path)
    assert "several state dicts, model, ema.shadow" in told
    assert "save the one that is meant alone" in told


def test_of_two_state_dicts_of_other_networks_both_are_named(tmp_path):
    told = refusal({"a": {"x": torch.zeros(1)}, "b": {"y": torch.zeros(1)}}, tmp_path)
    assert "several state dicts, a, b" in told


def test_what_a_file_without_a_state_dict_has_is_named():
    content = {"epoch": 1, "lr": 0.1, "args": [1], "seed": 0, "0.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match="not a state dict; what it has is epoch, lr, args …"):
        find_state_dict(content, WEIGHTS)


# Values.


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_refused_by_name(value, tmp_path):
    broken = WEIGHTS["2.bias"].clone()
    broken[-1] = value
    assert "NaN or infinite: 2.bias" in refusal(WEIGHTS | {"2.bias": broken}, tmp_path)


def test_a_weight_that_is_too_large_for_the_networks_type_is_refused(tmp_path):
    large = WEIGHTS | {"7.bias": WEIGHTS["7.bias"].double() + 1e300}
    assert "NaN or infinite: 7.bias" in refusal(large, tmp_path)


def test_a_run_that_diverged_can_be_read_if_it_may_be(tmp_path):
    broken = {name: value * math.nan for name, value in WEIGHTS.items()}
    classifier = small_classifier()
    load_weights(classifier, broken, must_be_finite=False)
    assert classifier.network.state_dict()["0.weight"].isnan().all()


@pytest.mark.parametrize(
    ("convert", "told"),
    [
        pytest.param(torch.Tensor.int, "0.weight is int32, not floating-point", id="integers"),
        pytest.param(lambda v: v > 0, "0.weight is bool, not floating-point", id="booleans"),
        pytest.param(lambda v: v + 0j, "0.weight is complex64, not floating-point", id="complex"),
        pytest.param(lambda v: v.to_sparse(), "0.weight is sparse_coo, not floating", id="sparse"),
    ],
)
def test_weights_of_another_kind_are_refused(convert, told, tmp_path):
    assert told in refusal(WEIGHTS | {"0.weight": convert(WEIGHTS["0.weight"])}, tmp_path)


def test_a_count_of_batches_may_be_whole_and_nothing_else(tmp_path):
    weights = small_classifier("preact_resnet18").network.state_dict()
    counts = {name: v.float() for name, v in weights.items() if name.endswith("batches_tracked")}
    assert misfits(weights, weights, must_be_finite=True) == []
    (told,) = misfits(weights | counts, weights, must_be_finite=True)
    assert re.match(r"wrong type: bn\.num_batches_tracked is floating-point, not int64", told)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_weights_of_another_precision_are_rounded(dtype, tmp_path):
    found = read({name: value.to(dtype) for name, value in WEIGHTS.items()}, tmp_path)
    expected = {name: value.to(dtype).float() for name, value in WEIGHTS.items()}
    assert same_tensors(found.network.state_dict(), expected)


# Constants of a normalisation.


@pytest.mark.parametrize(
    "names", [("mu", "sigma"), ("normalize.mean", "normalize.std"), ("module.mu", "module.std")]
)
def test_a_normalisation_inside_is_refused_with_a_hint(names, tmp_path):
    told = refusal(renamed("model.") | dict.fromkeys(names, torch.zeros(1, 1, 1)), tmp_path)
    assert "may normalise images" in told
    assert "--normalise" in told


def test_no_hint_is_given_where_nothing_normalises(tmp_path):
    assert "--normalise" not in refusal(WEIGHTS | {"running_mean": torch.zeros(1)}, tmp_path)


# Files.


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w", "w.bin"])
def test_safetensors_are_known_by_their_content(name, tmp_path):
    save_file(WEIGHTS, tmp_path / name)
    found = read_classifier(tmp_path / name, "mnist_cnn", **SMALL)
    assert same_tensors(found.network.state_dict(), WEIGHTS)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_pytorch_saved_is_known_by_its_content(zipped, tmp_path):
    path = tmp_path / "w.safetensors"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=zipped)
    found = read_classifier(path, "mnist_cnn", **SMALL)
    assert same_tensors(found.network.state_dict(), WEIGHTS)


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_code_deep_down_in_a_file_is_not_run_whatever_its_name(name, tmp_path):
    content = {"model": WEIGHTS, "args": {"a": [Malicious(tmp_path / "executed")]}}
    with pytest.raises(UserError, match="was not opened"):
        read(content, tmp_path, name)
    assert not (tmp_path / "executed").exists()


def test_a_scripted_network_is_refused_without_advice_to_run_it(tmp_path):
    torch.jit.save(torch.jit.script(SOURCE.network), tmp_path / "w.pt")
    with pytest.raises(UserError, match="was not opened") as caught:
        read_classifier(tmp_path / "w.pt", "mnist_cnn", **SMALL)
    assert "weights_only" not in str(caught.value)


def test_a_file_of_an_old_pytorch_with_a_changed_byte_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    key = re.search(rb"cpu.{0,6}", content, re.S).start() - 12
    # A digit of an address, which is another one every time.
    other = b"8" if content[key : key + 1] == b"9" else b"9"
    path.write_bytes(content[:key] + other + content[key + 1 :])
    with pytest.raises(UserError, match=r"w\.pth was not opened"):
        read_classifier(path, "mnist_cnn", **SMALL)

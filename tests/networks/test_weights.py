"""Reading and writing weights."""

import functools
import os
import pickle

import pytest
import torch
from builders import SMALL, same_tensors, small_classifier
from safetensors.torch import save_file

from advprune.errors import UserError
from advprune.networks.weights import load_weights, read_classifier, save_weights


def without(name):
    return lambda weights: {k: v for k, v in weights.items() if k != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(without("7.bias"), r"^missing: 7\.bias$", id="one is missing"),
        pytest.param(
            lambda weights: weights | {"8.extra": torch.zeros(1)},
            r"^not in this network: 8\.extra$",
            id="one too many",
        ),
        pytest.param(
            lambda weights: weights | {"7.bias": torch.zeros(11)},
            r"^wrong shape: 7\.bias is \(11,\), not \(10,\)$",
            id="another shape",
        ),
        pytest.param(
            lambda weights: {f"x.{k}": v for k, v in weights.items()},
            r"^missing: 0\.bias, 0\.weight, 2\.bias …; not in this network: x\.0\.bias, ",
            id="other names",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    classifier = small_classifier()
    with pytest.raises(ValueError, match=message):
        load_weights(classifier, change(classifier.network.state_dict()))


def test_weights_that_do_not_fit_change_nothing():
    classifier = small_classifier(seed=1)
    before = {k: v.clone() for k, v in classifier.state_dict().items()}
    misfit = without("7.bias")(small_classifier(seed=2).network.state_dict())
    with pytest.raises(ValueError, match="missing"):
        load_weights(classifier, misfit)
    assert same_tensors(classifier.state_dict(), before)


def save(weights, path):
    (save_file if path.suffix == ".safetensors" else torch.save)(weights, path)
    return path


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        pytest.param("w.safetensors", dict, id="safetensors"),
        pytest.param("w.pth", dict, id="state dict"),
        pytest.param("w.pt", lambda weights: {"state_dict": weights}, id="nested state dict"),
        pytest.param(
            "w.pth", lambda weights: {f"module.{k}": v for k, v in weights.items()}, id="parallel"
        ),
    ],
)
def test_weights_are_read_from(name, wrap, tmp_path):
    source = small_classifier(seed=6)
    path = save(wrap(source.network.state_dict()), tmp_path / name)
    classifier = read_classifier(path, "mnist_cnn", **SMALL)
    assert same_tensors(classifier.state_dict(), source.state_dict())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_weights_that_are_saved_are_read_again(layout, tmp_path):
    path = tmp_path / "weights.safetensors"
    classifier = small_classifier("preact_resnet18").to(memory_format=layout)
    save_weights(path, classifier)
    read = read_classifier(path, "preact_resnet18", **SMALL)
    assert same_tensors(read.state_dict(), classifier.state_dict())


class Malicious:
    """Touches a file when it is unpickled."""

    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_a_weights_file_is_refused(writer, tmp_path):
    path = tmp_path / "w.pth"
    content = {"0.weight": Malicious(tmp_path / "executed")}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(UserError, match=r"w\.pth was not opened: .*state_dict\(\)"):
        read_classifier(path, "mnist_cnn", **SMALL)
    assert not (tmp_path / "executed").exists()


def test_a_pickled_network_is_refused(tmp_path):
    path = save(small_classifier(), tmp_path / "w.pth")
    with pytest.raises(UserError, match="was not opened"):
        read_classifier(path, "mnist_cnn", **SMALL)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        pytest.param("torn.safetensors", save_file, id="safetensors"),
        pytest.param("torn.pth", torch.save, id="PyTorch"),
        pytest.param(
            "torn.pth",
            functools.partial(torch.save, _use_new_zipfile_serialization=False),
            id="an old PyTorch",
        ),
    ],
)
def test_a_weights_file_that_is_cut_short_anywhere_is_named(name, write, tmp_path):
    path = tmp_path / name
    write(small_classifier().network.state_dict(), path)
    content = path.read_bytes()
    shares = (0.01, 0.1, 0.3, 0.5, 0.9, 0.99, 0.999)
    for length in [*range(100), *(int(share * len(content)) for share in shares)]:
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match=name):
            read_classifier(path, "mnist_cnn", **SMALL)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_weights_file_of_something_else_is_named(suffix, tmp_path):
    path = tmp_path / f"page{suffix}"
    path.write_text("<html>not found</html>")
    with pytest.raises(UserError, match=rf"page\{suffix}"):
        read_classifier(path, "mnist_cnn", **SMALL)


@pytest.mark.parametrize("name", ["absent.safetensors", "absent.pth"])
def test_a_weights_file_that_is_not_there_is_named(name, tmp_path):
    with pytest.raises(UserError, match=rf"{name} does not exist"):
        read_classifier(tmp_path / name, "mnist_cnn", **SMALL)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(torch.zeros(3), "holds a Tensor, not a state dict", id="a tensor"),
        pytest.param([torch.zeros(3)], "holds a list, not a state dict", id="a list"),
        pytest.param({}, "missing: ", id="nothing"),
        pytest.param({"state_dict": 3}, "", id="a number for a state dict"),
        pytest.param({"0.weight": 3}, "", id="a number for weights"),
        pytest.param({0: torch.zeros(3)}, "", id="a number for a name"),
    ],
)
def test_a_file_without_weights_is_refused(content, message, tmp_path):
    path = save(content, tmp_path / "w.pth")
    with pytest.raises(
        UserError, match=rf"w\.pth cannot be used as weights of mnist_cnn: .*{message}"
    ):
        read_classifier(path, "mnist_cnn", **SMALL)


def test_the_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, small_classifier("preact_resnet18"))
    with pytest.raises(UserError, match="cannot be used as weights of mnist_cnn: missing: "):
        read_classifier(path, "mnist_cnn", **SMALL)

"""The networks of Figure 7 and reading their weights."""

import os
import pickle

import pytest
import torch
from builders import same_tensors
from safetensors.torch import save_file
from torch import nn

from advprune.errors import UserError
from advprune.networks.classifier import build_classifier
from advprune.networks.weights import load_weights, read_classifier, save_weights
from advprune.spec.networks import NETWORKS

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def build(network, *, shape=COLOUR, width=1.0, normalisation=None, seed=0, classes=10):
    return build_classifier(
        network, shape=shape, classes=classes, width=width, normalisation=normalisation, seed=seed
    )


def small(network="mnist_cnn", **changes):
    return build(network, **({"shape": (1, 8, 8), "width": 0.25} | changes))


def multiplications(classifier, shape):
    """Multiplications in convolutions and linear layers for one image."""
    counted = []

    def count(module, _, output):
        if isinstance(module, nn.Conv2d | nn.Linear):
            counted.append(output[0].numel() * module.weight[0].numel())

    for module in classifier.modules():
        module.register_forward_hook(count)
    classifier.eval()(torch.zeros(1, *shape))
    return sum(counted)


@pytest.mark.parametrize(
    ("network", "shape", "expected"),
    [
        pytest.param("preact_resnet18", COLOUR, 555e6, id="as in Wong et al. (2020)"),
        pytest.param("preact_resnet18_large_stem", COLOUR, 37e6, id="as in the released code"),
        # 16 * 14^2 * 16 + 32 * 7^2 * 256 + 1568 * 100 + 100 * 10
        pytest.param("mnist_cnn", GREY, 609_384, id="MNIST's, worked out by hand"),
    ],
)
def test_multiplications_for_one_image(network, shape, expected):
    assert multiplications(build(network, shape=shape), shape) == pytest.approx(expected, rel=0.01)


def test_mnists_network_has_the_layers_of_figure_7():
    shapes = [tuple(value.shape) for value in build("mnist_cnn", shape=GREY).parameters()]
    assert shapes == [
        (16, 1, 4, 4),
        (16,),
        (32, 16, 4, 4),
        (32,),
        (100, 1568),
        (100,),
        (10, 100),
        (10,),
    ]


@pytest.mark.parametrize("network", ["preact_resnet18", "preact_resnet18_large_stem"])
def test_a_resnet18_has_eighteen_layers_with_weights(network):
    shortcuts = 3  # 1x1 convolutions where the shape changes, which the name does not count
    layers = [m for m in build(network).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 18 + shortcuts


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        pytest.param("preact_resnet18", 11_172_170, id="3x3 stem"),
        # The stem has 49 weights per filter and channel, not 9; the last normalisation is gone.
        pytest.param(
            "preact_resnet18_large_stem", 11_172_170 + 40 * 3 * 64 - 2 * 512, id="large stem"
        ),
    ],
)
def test_a_resnet18_has_as_many_parameters_as_is_known(network, expected):
    assert sum(value.numel() for value in build(network).parameters()) == expected


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("classes", [2, 10])
def test_every_network_gives_a_logit_for_each_class(network, shape, classes):
    classifier = build(network, shape=shape, width=0.1, classes=classes).eval()
    assert classifier(torch.rand(2, *shape)).shape == (2, classes)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("width", [0.125, 0.25, 1])
def test_the_registry_knows_whether_a_network_may_be_laid_out_channels_last(network, width):
    try:
        build(network, width=width).lay_out_channels_last()
        allowed = True
    except UserError:
        allowed = False
    assert NETWORKS[network].is_safe_channels_last(width) is allowed


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_built_with_hardly_any_filters(network):
    assert small(network, shape=COLOUR, width=0.001).eval()(torch.rand(1, *COLOUR)).isfinite().all()


def test_the_width_multiplies_the_number_of_filters():
    network = build("mnist_cnn", shape=GREY, width=0.5).network
    assert [network[0].out_channels, network[2].out_channels, network[5].out_features] == [
        8,
        16,
        50,
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_features_are_what_the_last_layer_turns_into_logits(network):
    classifier = small(network, shape=COLOUR).eval()
    last = [module for module in classifier.modules() if isinstance(module, nn.Linear)][-1]
    images = torch.rand(3, *COLOUR)
    assert torch.equal(last(classifier.features(images)), classifier(images))


def test_taking_features_leaves_no_hook_behind():
    classifier = small()
    classifier.features(torch.rand(1, 1, 8, 8))
    assert not any(module._forward_pre_hooks for module in classifier.modules())


def test_the_normalisation_is_worked_out_by_hand():
    normalise = small(shape=(2, 8, 8), normalisation=((0.5, 0.1), (0.25, 0.2))).normalise
    pixels = torch.tensor([1.0, 0.5]).view(1, 2, 1, 1)
    assert normalise(pixels).flatten().tolist() == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_normalisation_is_inside_the_network(network):
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    inside = small(network, shape=COLOUR, normalisation=(mean, deviation)).eval()
    without = small(network, shape=COLOUR).eval()
    images = torch.rand(3, *COLOUR)
    outside = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)
    torch.testing.assert_close(inside(images), without(outside))


def test_without_normalisation_images_go_in_as_they_are():
    classifier = small()
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(classifier(images), classifier.network(images))


def test_the_normalisation_is_not_among_the_weights():
    normalised = small(normalisation=((0.1,), (0.3,)))
    assert normalised.state_dict().keys() == small().state_dict().keys()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_seed_draws_the_same_weights(network):
    first = small(network, seed=4).state_dict()
    torch.rand(1)
    assert same_tensors(small(network, seed=4).state_dict(), first)


@pytest.mark.parametrize("network", NETWORKS)
def test_another_seed_draws_other_weights(network):
    first, second = (next(small(network, seed=seed).parameters()) for seed in (4, 5))
    assert not torch.equal(first, second)


def test_building_a_network_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    small(seed=4)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_from_parallel_training_are_taken():
    source, target = small(seed=1), small(seed=2)
    load_weights(target, {f"module.{k}": v for k, v in source.network.state_dict().items()})
    assert same_tensors(target.state_dict(), source.state_dict())


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
    classifier = small()
    with pytest.raises(ValueError, match=message):
        load_weights(classifier, change(classifier.network.state_dict()))


def test_weights_that_do_not_fit_change_nothing():
    classifier = small(seed=1)
    before = {k: v.clone() for k, v in classifier.state_dict().items()}
    misfit = without("7.bias")(small(seed=2).network.state_dict())
    with pytest.raises(ValueError, match="missing"):
        load_weights(classifier, misfit)
    assert same_tensors(classifier.state_dict(), before)


SMALL = {"shape": (1, 8, 8), "classes": 10, "width": 0.25, "normalisation": None}


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
    source = small(seed=6)
    path = save(wrap(source.network.state_dict()), tmp_path / name)
    classifier = read_classifier(path, "mnist_cnn", **SMALL)
    assert same_tensors(classifier.state_dict(), source.state_dict())


class Malicious:
    """Touches a file when it is unpickled."""

    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_weights_that_are_saved_are_read_again(layout, tmp_path):
    path = tmp_path / "weights.safetensors"
    classifier = small("preact_resnet18", shape=(3, 8, 8), width=0.0625)
    save_weights(path, classifier.to(memory_format=layout))
    read = read_classifier(
        path, "preact_resnet18", shape=(3, 8, 8), classes=10, width=0.0625, normalisation=None
    )
    assert same_tensors(read.state_dict(), classifier.state_dict())


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
    path = save(small(), tmp_path / "w.pth")
    with pytest.raises(UserError, match="was not opened"):
        read_classifier(path, "mnist_cnn", **SMALL)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_weights_file_is_named(suffix, share, tmp_path):
    path = save(small().network.state_dict(), tmp_path / f"torn{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=rf"torn\{suffix}"):
        read_classifier(path, "mnist_cnn", **SMALL)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_weights_file_of_an_old_pytorch_is_named(share, tmp_path):
    path = tmp_path / "torn.pth"
    torch.save(small().network.state_dict(), path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=r"torn\.pth"):
        read_classifier(path, "mnist_cnn", **SMALL)


def test_a_weights_file_of_an_old_pytorch_that_is_torn_at_any_of_its_first_bytes_is_named(tmp_path):
    path = tmp_path / "torn.pth"
    torch.save(small().network.state_dict(), path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    for length in range(100):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match=r"torn\.pth"):
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
    path = save(small("preact_resnet18").network.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="cannot be used as weights of mnist_cnn: missing: "):
        read_classifier(path, "mnist_cnn", **SMALL)

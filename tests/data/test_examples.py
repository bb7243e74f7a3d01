"""Images in memory and in a data set's file."""

import numpy as np
import pytest
import torch
from builders import random_examples, write_dataset
from safetensors.numpy import load_file, save_file

from advprune.data.examples import Examples, load_examples, save_examples
from advprune.errors import UserError


@pytest.fixture
def dataset(tmp_path):
    """A file with 6 images to train on and 4 to test on."""
    return write_dataset(tmp_path / "tiny.safetensors", train=6, test=4, seed=1)


@pytest.mark.parametrize(("stored", "expected"), [(0, 0.0), (51, 0.2), (255, 1.0)])
def test_a_stored_value_is_a_255th(stored, expected):
    examples = Examples(torch.full((1, 1, 1, 1), stored, dtype=torch.uint8), torch.tensor([0]))
    assert examples.batch(slice(None))[0].item() == torch.tensor(expected).item()


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        pytest.param(slice(2, 5), [2, 3, 4], id="a slice"),
        pytest.param(slice(8, 99), [8, 9], id="a slice past the end"),
        pytest.param(torch.tensor([7, 0, 7]), [7, 0, 7], id="indices, in their order"),
    ],
)
def test_a_batch_holds_the_images_and_labels_asked_for(which, rows):
    examples = random_examples(10)
    images, labels = examples.batch(which)
    assert torch.equal(images, torch.stack([examples.images[row] for row in rows]) / 255)
    assert labels.tolist() == [examples.labels[row].item() for row in rows]


@pytest.mark.parametrize(("count", "expected"), [(None, 10), (3, 3), (99, 10)])
def test_the_first_examples_are_as_many_as_asked_for(count, expected):
    examples = random_examples(10)
    first = examples.first(count)
    assert len(first) == expected
    assert torch.equal(first.images, examples.images[:expected])
    assert torch.equal(first.labels, examples.labels[:expected])


@pytest.mark.parametrize(("part", "count", "seed"), [("train", 6, 1), ("test", 4, 2)])
def test_a_part_is_read_as_it_was_written(dataset, part, count, seed):
    examples, expected = load_examples(dataset, "mnist", part), random_examples(count, seed=seed)
    assert torch.equal(examples.images, expected.images)
    assert torch.equal(examples.labels, expected.labels)
    assert examples.labels.dtype == torch.int64


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.safetensors does not exist"):
        load_examples(tmp_path / "absent.safetensors", "mnist", "train")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:20], id="cut in the header"),
        pytest.param(lambda content: content[:-1], id="cut at the end"),
        pytest.param(lambda content: b"<html>not found</html>", id="another kind of file"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(dataset, damage):
    dataset.write_bytes(damage(dataset.read_bytes()))
    told = r"tiny\.safetensors is damaged .*dataset\.py mnist --output"
    with pytest.raises(UserError, match=told):
        load_examples(dataset, "mnist", "train")


def test_any_altered_byte_is_noticed_or_harmless(dataset):
    """Flips single bits all over the file: what is read is what was saved, or nothing."""
    content = dataset.read_bytes()
    noticed = 0
    for place in np.random.default_rng(0).integers(0, len(content), 200):
        altered = bytearray(content)
        altered[place] ^= 1
        dataset.write_bytes(altered)
        for part, seed, count in (("train", 1, 6), ("test", 2, 4)):
            try:
                read = load_examples(dataset, "mnist", part)
            except UserError:
                noticed += 1
            else:
                assert torch.equal(read.images, random_examples(count, seed=seed).images)
                assert torch.equal(read.labels, random_examples(count, seed=seed).labels)
    assert noticed >= 200  # nearly all bytes belong to one of the two parts


def test_a_file_without_digests_is_not_trusted(dataset):
    arrays = load_file(dataset)
    save_file(arrays, dataset)
    with pytest.raises(UserError, match=r"train_images are not what was saved"):
        load_examples(dataset, "mnist", "train")


def test_a_file_that_is_made_again_has_the_same_bytes_and_looks_no_newer(dataset):
    first = dataset.read_bytes(), dataset.stat().st_mtime
    arrays = load_file(dataset)
    for _ in range(5):
        save_examples(dataset, "mnist", arrays)
        assert (dataset.read_bytes(), dataset.stat().st_mtime) == first


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda images: images.transpose(0, 1, 3, 2), id="turned"),
        pytest.param(lambda images: images[::-1], id="reversed"),
        pytest.param(lambda images: images[:, :, :, ::2], id="every other column"),
        pytest.param(np.asfortranarray, id="Fortran's order"),
    ],
)
def test_a_view_is_stored_by_its_values_whatever_its_memory_looks_like(tmp_path, view):
    images = view(random_examples(6).images.numpy())
    path = tmp_path / "view.safetensors"
    save_examples(path, "mnist", {"test_images": images, "test_labels": np.arange(12)[::2]})
    read = load_examples(path, "mnist", "test")
    np.testing.assert_equal(read.images.numpy(), images)
    assert read.labels.tolist() == [0, 2, 4, 6, 8, 10]


def test_a_file_without_the_part_is_called_damaged(dataset):
    with pytest.raises(UserError, match=r"tiny\.safetensors is damaged"):
        load_examples(dataset, "mnist", "validation")


def test_the_file_of_another_data_set_of_the_same_shape_is_refused(dataset):
    told = r"tiny\.safetensors is the file of the data set mnist, not of fashion_mnist: give"
    with pytest.raises(UserError, match=told):
        load_examples(dataset, "fashion_mnist", "test")

"""Random crops and flips."""

import itertools

import pytest
import torch
from builders import random_examples

from advprune.training.augmentation import crop_and_flip

SHIFTS = range(-4, 5)


def augmented(images, seed=0):
    return crop_and_flip(images, generator=torch.Generator().manual_seed(seed))


def distinct_images(count, shape=(3, 8, 8)):
    return random_examples(count, shape=shape).batch(slice(None))[0]


def moved(image, down, right, mirrored):
    """The image with its content moved and then mirrored, pixel by pixel."""
    _, height, width = image.shape
    result = torch.zeros_like(image)
    for row, column in itertools.product(range(height), range(width)):
        source_column = width - 1 - column if mirrored else column
        i, j = row - down, source_column - right
        if 0 <= i < height and 0 <= j < width:
            result[:, row, column] = image[:, i, j]
    return result


def every_move(image):
    return {
        moved(image, down, right, mirrored).numpy().tobytes(): (down, right, mirrored)
        for down, right, mirrored in itertools.product(SHIFTS, SHIFTS, (False, True))
    }


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((3, 8, 8), id="colour"),
        pytest.param((1, 8, 8), id="grey"),
        pytest.param((2, 6, 9), id="not square"),
    ],
)
def test_every_image_comes_out_shifted_by_up_to_4_and_perhaps_mirrored(shape):
    images = distinct_images(12, shape)
    for before, after in zip(images, augmented(images), strict=True):
        assert after.numpy().tobytes() in every_move(before)


def test_all_shifts_and_mirrorings_occur_about_equally_often():
    image = distinct_images(1)
    moves = every_move(image[0])
    count = 162 * 40
    result = augmented(image.expand(count, -1, -1, -1))
    seen = [moves[each.numpy().tobytes()] for each in result]
    times = torch.tensor([seen.count(move) for move in moves.values()])
    assert len(times) == 162
    # Each of 162 is drawn 40 times on average, with a standard deviation of 6.3.
    assert (times - 40).abs().max() < 5 * 6.3


def test_each_image_has_a_shift_of_its_own():
    image = distinct_images(1)
    result = augmented(image.expand(30, -1, -1, -1))
    assert len({each.numpy().tobytes() for each in result}) > 15


def test_what_is_shifted_in_is_black():
    result = augmented(torch.ones(200, 1, 8, 8))
    assert set(result.unique().tolist()) == {0.0, 1.0}


def test_the_same_generator_state_gives_the_same_images():
    images = distinct_images(6)
    assert torch.equal(augmented(images, seed=5), augmented(images, seed=5))


def test_the_global_random_state_plays_no_part():
    before = torch.get_rng_state()
    augmented(distinct_images(6))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_images_are_left_as_they_were():
    images = distinct_images(6)
    before = images.clone()
    augmented(images)
    assert torch.equal(images, before)

"""The random streams of a run."""

import itertools

import pytest
import torch

from advprune.spec.runs import Run
from advprune.training.seeds import run_seed, stream_seed

PURPOSES = ("initialisation", "order", "random start", "augmentation", "pruning")


def test_no_two_streams_share_a_seed():
    streams = list(
        itertools.product(PURPOSES, ("mnist", "cifar10", "mnist5k"), range(30), range(12))
    )
    seeds = {
        stream_seed(purpose, dataset=dataset, seed=seed, epoch=epoch)
        for purpose, dataset, seed, epoch in streams
    }
    assert len(seeds) == len(streams)


@pytest.mark.parametrize(
    ("purpose", "seed", "epoch", "expected"),
    [
        pytest.param("initialisation", 0, 0, 6_001_191_404_622_948_629, id="of a whole run"),
        pytest.param("order", 7, 3, 8_398_961_421_272_270_101, id="of an epoch"),
    ],
)
def test_a_stream_has_the_seed_that_published_results_were_made_with(
    purpose, seed, epoch, expected
):
    assert stream_seed(purpose, dataset="mnist", seed=seed, epoch=epoch) == expected


@pytest.mark.parametrize(
    ("paired", "seeds"),
    [pytest.param(True, 2, id="only the seed"), pytest.param(False, 6, id="all of its name")],
)
def test_what_tells_the_streams_of_runs_apart(paired, seeds):
    runs = [
        Run("mnist", "random", "0.6", 1, 0),
        Run("mnist", "low-loss", "0.6", 1, 0),
        Run("mnist", "random", "0.5", 1, 0),
        Run("mnist", "random", "0.6", 2, 0),
        Run("mnist", "random", "0.6", 1, 1),
        Run("mnist", "full", "1.0", 1, 0),
    ]
    assert len({run_seed("order", run, paired=paired, epoch=1) for run in runs}) == seeds


def test_every_seed_is_one_that_pytorch_takes():
    seeds = [stream_seed("order", dataset="mnist", seed=seed) for seed in range(500)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert [torch.Generator().manual_seed(seed).initial_seed() for seed in seeds] == seeds

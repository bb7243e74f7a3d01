"""Where every random number of a run comes from.

Each use of randomness has a stream of its own, named by what it is for, and a stream's seed is a
hash of that name, the data set and the run's seed. Neither the method nor p nor the pruning epoch
enters. So all runs of one data set and seed share their initial weights, and up to the pruning
epoch the order of the examples and the attack's random starts too: they are the same run until
pruning tells them apart, and comparisons between methods are paired. Where a run is not to be
paired, as in the authors' released code, which sets no seed, those three enter as well. Nor do the
streams of one epoch depend on what was drawn in another, so a run that is resumed draws what it
would have drawn.
"""

import hashlib

from advprune.spec.runs import Run


def run_seed(purpose: str, run: Run, *, paired: bool, epoch: int = 0) -> int:
    """`stream_seed` for a run, shared with the other methods of its seed or the run's own."""
    apart = "" if paired else f"/{run.method}/p{run.p}/e{run.e}"
    return stream_seed(purpose + apart, dataset=run.dataset, seed=run.seed, epoch=epoch)


def stream_seed(purpose: str, *, dataset: str, seed: int, epoch: int = 0) -> int:
    """The seed, in [0, 2**63), of the random stream that serves ``purpose``.

    Args:
        purpose: what the numbers are for, such as ``"initialisation"`` or ``"order"``.
        dataset: the data set's name.
        seed: the run's seed.
        epoch: the 1-based epoch, for streams that start anew each epoch; 0 for the others.
    """
    text = f"{purpose}/{dataset}/{seed}/{epoch}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

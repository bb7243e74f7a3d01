"""The learning rate (the paper's Figure 7: "cyclic learning rate maximum")."""


def cyclic_learning_rate(
    *, epoch: int, batch: int, batches: int, epochs: int, maximum: float, peak: float
) -> float:
    """The learning rate for one update: from 0 up to ``maximum`` and down to 0, both linearly.

    Time is counted in epochs and an epoch's share in its own batches, so the schedule reaches its
    peak and its end at the same epochs whether or not data were pruned in between.

    Args:
        epoch: the current epoch, from 1 to ``epochs``.
        batch: the current batch in the epoch, from 1 to ``batches``.
        batches: how many batches this epoch really has.
        epochs: how many epochs there are (E in the paper).
        maximum: the learning rate at the peak.
        peak: the share of training after which the peak is reached, in (0, 1).
    """
    progress = (epoch - 1 + batch / batches) / epochs
    if progress <= peak:
        return maximum * progress / peak
    return maximum * (1 - progress) / (1 - peak)

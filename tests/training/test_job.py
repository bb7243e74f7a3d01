"""What training leaves of every example."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from advprune.data.examples import Examples
from advprune.training.job import write_pruning

LABELS = torch.tensor([3, 0, 9, 3])
EXAMPLES = Examples(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), LABELS)


@pytest.fixture
def written(tmp_path):
    """Writes what is known after training and reads it back."""

    def write(**known):
        state = SimpleNamespace(
            kept=torch.tensor([0, 3]), **({"distance": None, "converged": None} | known)
        )
        write_pruning(tmp_path / "pruning.safetensors", state, EXAMPLES)
        return load_file(tmp_path / "pruning.safetensors")

    return write


def test_every_example_has_its_class_and_whether_it_was_kept(written):
    found = {name: values.tolist() for name, values in written().items()}
    assert found == {"kept": [1, 0, 0, 1], "label": [3, 0, 9, 3]}


def test_what_it_was_pruned_by_is_there_where_it_is_known(written):
    found = written(distance=np.array([1.5, 0, 0, 2]), converged=np.array([True, False] * 2))
    assert found["distance"].tolist() == [1.5, 0, 0, 2]
    assert found["converged"].tolist() == [1, 0, 1, 0]

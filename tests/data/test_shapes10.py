"""Shapes10, which is drawn by code."""

import numpy as np

from advprune.data.shapes10 import SHAPES, shapes10
from advprune.spec.datasets import DATASETS


def test_shapes10_has_a_shape_for_each_class():
    assert len(SHAPES) == DATASETS["shapes10"].classes


def test_no_two_classes_of_shapes10_cover_the_same_points():
    grid = np.linspace(-1.5, 1.5, 61)
    v, u = np.meshgrid(grid, grid, indexing="ij")
    covered = {name: inside(u, v).tobytes() for name, inside in SHAPES.items()}
    assert len(set(covered.values())) == len(SHAPES)


def test_shapes10_is_drawn_without_any_file(monkeypatch):
    for name in ("builtins.open", "urllib.request.urlopen"):
        monkeypatch.setattr(name, None)
    assert len(shapes10(None)["train_labels"]) == 4000

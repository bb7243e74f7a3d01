"""The pruning methods that can be named."""

import pytest

from advprune.spec.methods import METHODS


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_name_tells_its_proxy(name):
    assert METHODS[name].proxy == (name.partition("-")[2] or None)


def test_labels_tell_methods_apart():
    assert len({method.label for method in METHODS.values()}) == len(METHODS)

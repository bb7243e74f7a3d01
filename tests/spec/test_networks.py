"""The networks that can be named, and what is known of each without building it."""

import pytest
from builders import COLOUR, small_classifier

from advprune.errors import UserError
from advprune.spec.networks import NETWORKS


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("width", [0.125, 0.25, 1])
def test_the_registry_knows_whether_a_network_may_be_laid_out_channels_last(network, width):
    try:
        small_classifier(network, shape=COLOUR, width=width).lay_out_channels_last()
        allowed = True
    except UserError:
        allowed = False
    assert NETWORKS[network].is_safe_channels_last(width) is allowed

"""Set up before any test."""

import torch
from hypothesis import settings

torch.set_num_threads(1)  # tests run side by side do not slow each other

# The same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

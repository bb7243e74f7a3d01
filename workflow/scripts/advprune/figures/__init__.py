"""The figures: one module each, named after it."""

import contextlib
import os
from pathlib import Path

# Figures look alike on every machine: a user's matplotlibrc has no say, and neither has the backend
# of a notebook, which is not installed here. Matplotlib reads both as it is imported, the file in
# the current folder first.
os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)
with contextlib.chdir(Path(__file__).parent):
    import matplotlib as mpl
# Nor have a user's styles, which it reads, all of them, as its module of styles is imported.
configdir, mpl.get_configdir = mpl.get_configdir, lambda: os.devnull
import matplotlib.style  # noqa: E402

mpl.get_configdir = configdir
# It may have been imported before.
mpl.use("agg")
mpl.rcdefaults()

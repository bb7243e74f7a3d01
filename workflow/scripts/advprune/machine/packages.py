"""The packages that this Python has, without importing any."""

import re
from collections.abc import Iterator
from importlib import metadata

from advprune.paths import REQUIREMENTS


def missing_packages() -> Iterator[str]:
    """Those that the jobs import and this Python lacks, as another environment's may."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8").partition("# development")[0]
    # Snakemake is there where it is asked, and its plugins are no jobs' business.
    for name in re.findall(r"^(?!snakemake)[a-z][\w-]*", wanted, re.M):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name

"""How two processes share the tests: whole files, and those together that share a workflow's run.

(pytest-xdist's own way to name groups, `--dist loadgroup`, does nothing with pytest 9.2.)
"""

from xdist.scheduler import LoadScopeScheduling

# In this order, the longest first; what they share is made once.
TOGETHER = {
    "the tiny scale": {"test_interruptions", "test_corruption", "test_determinism", "test_reruns"},
    "the smoke scale": {"test_smoke", "test_partial", "test_conda"},
    "dry runs": {"test_plan", "test_documentation"},
}


def group_of(nodeid: str) -> str:
    """What the tests of one process have in common: a workflow's run, or else their file."""
    path = nodeid.partition("::")[0]
    stem = path.rpartition("/")[2].removesuffix(".py")
    return next((group for group, files in TOGETHER.items() if stem in files), path)


def place_of(nodeid: str) -> int:
    """Its place in the order: groups, other runs of the workflow, and the rest."""
    group = group_of(nodeid)
    if group in TOGETHER:
        return list(TOGETHER).index(group)
    return len(TOGETHER) + (not group.startswith("tests/workflow/"))


class WholeFiles(LoadScopeScheduling):
    """Gives each process such a group at a time, in the order in which they were collected."""

    def __init__(self, config, log=None):
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

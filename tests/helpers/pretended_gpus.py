"""GPUs that nvidia-smi alone knows of, and who held them when."""

import os

A, B, PART_1, PART_2 = "GPU-aaaa", "GPU-bbbb", "MIG-1111", "MIG-2222"


def pretend_gpus(folder, *lines):
    """A stand-in for nvidia-smi that lists GPUs; to be put on the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def line_of(uuid, *, part=False):
    return f"  MIG 1g.5gb Device 0: (UUID: {uuid})" if part else f"GPU 0: A100 (UUID: {uuid})"


def most_at_once(intervals):
    """How many of the intervals (since, until) overlap where most do."""
    return max(sum(a <= since < b for a, b in intervals) for since, _ in intervals)


def shares(reports):
    """For each GPU, how many held it at once."""
    return {
        gpu: most_at_once([(since, until) for leased, _, since, until in reports if leased == gpu])
        for gpu in {leased for leased, *_ in reports}
    }

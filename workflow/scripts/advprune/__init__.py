"""Adversarial training with data pruning: the library that the workflow's programs call.

It knows nothing of Snakemake. A folder is a stage that data pass through, or ground that stages
stand on; it imports from the folders above it in `FLOORS` alone. The modules beside the folders
(`errors`, `paths`, `program`) are ground for all of them.

"The paper" in every docstring is Kaufmann et al., "Efficient Adversarial Training with Data
Pruning"; ``docs/paper_notes.md`` lists each place where it leaves a choice open.
"""

FLOORS = (
    "storage",  # files that are whole or absent, and read back only if unchanged
    "machine",  # the device, whose turn it is on it, and what made a number
    "spec",  # what a run is: its name, its specification, and all that can be named in one
    "data",  # images and labels
    "networks",  # from images to logits
    "training",  # Algorithm 1
    "evaluation",  # natural accuracy, AutoAttack, attacks run alone
    "by_epoch",  # a run trained once more, and attacked after every epoch
    "plan",  # from a config to the runs, specifications, tables and figures that it asks for
    "archive",  # finished runs in few bytes, to be committed and put back
    "analysis",  # from the files of single runs to numbers
    "toy",  # the toy problems of figure 1 and appendix C
    "claims",  # what the paper says, and whether the numbers bear it out
    "tables",
    "figures",
    "report",  # all of it on one page
    "preflight",  # what this machine has, and how long a config will take on it
)

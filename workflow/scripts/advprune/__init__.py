"""Adversarial training with data pruning: the library that the workflow's programs call.

It knows nothing of Snakemake. Modules depend on each other in one direction only::

    programs -> training, evaluation, analysis, figures -> attacks, distance, pruning, networks,
                datasets, statistics -> runs, config, files

"The paper" in every docstring is Kaufmann et al., "Efficient Adversarial Training with Data
Pruning"; ``docs/paper_notes.md`` lists each place where it leaves a choice open.
"""

#!/usr/bin/env python3
"""Train one network by RS+FGSM with data pruning (Algorithm 1).

The last checkpoint stays until the workflow has recorded the run: until then it may ask again.
"""

import argparse
import dataclasses

from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.networks.weights import save_weights
from advprune.program import add_options, run_program
from advprune.spec.specification import TrainingSpec
from advprune.storage.files import sha256_of, write_csv
from advprune.storage.locking import take_turn
from advprune.storage.records import write_record
from advprune.training.job import about_training, run_training, write_pruning


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "model", "record")
    parser.add_argument("--curve", required=True, help="to write: a row for every epoch")
    parser.add_argument("--pruning", required=True, help="to write: score and kept, per example")
    options = parser.parse_args()

    take_turn(options.record)
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    made_by = environment(device, __file__)
    spec = TrainingSpec.from_json(options.spec)
    state, examples = run_training(
        spec, options.dataset, record=options.record, device=device, made_by=made_by
    )
    save_weights(options.model, state.classifier)
    write_pruning(options.pruning, state, examples)
    write_csv(options.curve, [dataclasses.asdict(record) for record in state.curve])
    write_record(
        options.record,
        {
            **about_training(spec, options.dataset, state, made_by),
            "seconds": state.stopwatch.seconds,
            "train_examples": len(examples),
            "kept_examples": len(state.kept),
            "diverged_epoch": state.diverged_epoch,
            "stopped_epoch": state.validation.stopped_epoch,
            "model_sha256": sha256_of(options.model),
        },
        [options.model, options.pruning, options.curve],
    )


if __name__ == "__main__":
    run_program(main)

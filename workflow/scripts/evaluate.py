#!/usr/bin/env python3
"""Measure natural and robust accuracy of a network that train.py has trained.

evaluate_weights.py does the same to a network from elsewhere.
"""

import argparse
from pathlib import Path

from advprune.errors import UserError
from advprune.evaluation.job import Outputs, Subject, run_evaluation
from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment, now
from advprune.paths import checkpoint_of
from advprune.program import add_options, run_program
from advprune.spec.specification import EvaluationSpec
from advprune.storage.files import sha256_of
from advprune.storage.locking import take_turn
from advprune.storage.records import read_record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu")
    add_options(parser, "accuracies", "verdicts", "record")
    parser.add_argument("--model", required=True, type=Path, help="the weights")
    parser.add_argument(
        "--training-record", required=True, type=Path, help="the run.json written by train.py"
    )
    options = parser.parse_args()

    take_turn(options.record)
    started = now()
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    made_by = environment(device, __file__)
    record = read_record(options.training_record)
    if record["model_sha256"] != sha256_of(options.model):
        raise UserError(
            f"{options.model} is not the network that {options.training_record} describes: "
            f"delete {options.training_record} and run again, both will be made anew"
        )
    checkpoint_of(options.training_record).unlink(missing_ok=True)  # the training is recorded
    training = record["spec"]
    subject = Subject(
        model=options.model,
        network=training["network"],
        width=training["width"],
        normalise=training["normalise"],
        dataset=options.dataset,
        dataset_name=training["run"]["dataset"],
    )
    run_evaluation(
        subject,
        EvaluationSpec.from_json(options.spec),
        Outputs(options.accuracies, options.verdicts, options.record),
        device=device,
        made_by=made_by,
        started=started,
    )


if __name__ == "__main__":
    run_program(main)

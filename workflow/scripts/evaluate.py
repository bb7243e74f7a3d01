#!/usr/bin/env python3
r"""Measure natural and robust accuracy of a trained network.

Within the workflow the specification and the record of the training say what to do. By itself it
evaluates any weights of a known architecture, so that a published network goes through the same
evaluation:

    python workflow/scripts/evaluate.py --model weights.pth --network mnist_cnn \
        --dataset results/datasets/mnist.safetensors --dataset-name mnist --epsilon 0.3 \
        --accuracies evaluation.csv --verdicts verdicts.csv --record evaluation.json
"""

import argparse
from pathlib import Path

from advprune.checkpoints import restore_progress
from advprune.config import fraction
from advprune.datasets import DATASETS
from advprune.devices import choose_device
from advprune.errors import UserError
from advprune.evaluation import accuracies, evaluate, verdicts
from advprune.examples import load_examples
from advprune.files import digest, sha256_of, write_csv
from advprune.locking import take_turn
from advprune.networks import read_classifier
from advprune.program import add_options, parse_spec, positive_count, run_program
from advprune.provenance import circumstances, now, provenance
from advprune.records import read_record, write_record
from advprune.registry import NETWORKS
from advprune.runs import EvaluationSpec, checkpoint_of


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    take_turn(options.record)
    started = now()
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    if options.training_record:
        record = read_record(options.training_record)
        if record["model_sha256"] != sha256_of(options.model):
            raise UserError(
                f"{options.model} is not the network that {options.training_record} describes: "
                f"delete {options.training_record} and run again, both will be made anew"
            )
        training = record["spec"]
        name, network = training["run"]["dataset"], training["network"]
        width, normalise = training["width"], training["normalise"]
        spec = parse_spec(EvaluationSpec, options.spec or "{}")
    else:
        if not (options.dataset_name and options.network and options.epsilon):
            parser.error("give --training-record and --spec, or name data set, network, epsilon")
        name, network = options.dataset_name, options.network
        width, normalise = options.width, options.normalise
        spec = EvaluationSpec(
            options.epsilon, options.test_examples, options.batch_size, options.seed
        )
    classifier = read_classifier(
        Path(options.model),
        network,
        width=width,
        **DATASETS[name].architecture(normalise=normalise),
    ).to(device)
    test = load_examples(options.dataset, name, "test").to(device)
    made_from = {
        "model_sha256": sha256_of(options.model),
        "dataset_sha256": sha256_of(options.dataset),
    }
    made_by = circumstances(device)
    key = digest([spec.to_dict(), made_from, made_by, name, network, width, normalise])
    progress = restore_progress(checkpoint_of(options.record), key)
    if options.training_record:
        checkpoint_of(options.training_record).unlink(missing_ok=True)  # the training is recorded
    result = evaluate(classifier, test, spec, progress)

    write_csv(options.accuracies, [accuracies(result)])
    write_csv(options.verdicts, verdicts(result, test))
    write_record(
        options.record,
        {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            **made_from,
            "seconds": result.seconds,
            "provenance": provenance(made_by, started),
        },
        [options.accuracies, options.verdicts],
    )


def bound(text: str) -> float:
    """A number or fraction above 0 and below 1, as an option's value."""
    value = fraction(text)
    if not 0 < value < 1:
        raise ValueError(text)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, "dataset", "device", "threads", "jobs_per_gpu", "record")
    parser.add_argument(
        "--model", required=True, help="weights: .safetensors, or a .pth state dict"
    )
    parser.add_argument("--accuracies", required=True, help="to write: one row of accuracies")
    parser.add_argument("--verdicts", required=True, help="to write: a row for every test image")

    ours = parser.add_argument_group("a network that the workflow trained")
    ours.add_argument("--training-record", help="the run.json written by train.py")
    ours.add_argument("--spec", help="the evaluation's full specification, as JSON")

    other = parser.add_argument_group("any other network")
    other.add_argument("--dataset-name", choices=DATASETS)
    other.add_argument("--network", choices=NETWORKS)
    other.add_argument("--width", default=1.0, type=float, help="factor on the number of filters")
    other.add_argument(
        "--normalise", action="store_true", help="the network wants normalised input"
    )
    other.add_argument("--epsilon", type=bound, help="of the attacks, such as 0.3 or 8/255")
    other.add_argument(
        "--test-examples", type=positive_count, help="how many images to attack [all]"
    )
    other.add_argument("--batch-size", default=500, type=positive_count)
    other.add_argument("--seed", default=0, type=int)
    return parser


if __name__ == "__main__":
    run_program(main)

#!/usr/bin/env python3
r"""Measure natural and robust accuracy of any weights of a known architecture.

So a network from elsewhere goes through the same evaluation as those of the workflow:

    python workflow/scripts/evaluate_weights.py --model weights.pth --network mnist_cnn \
        --dataset results/datasets/mnist.safetensors --dataset-name mnist --epsilon 0.3 \
        --accuracies evaluation.csv --verdicts verdicts.csv --record evaluation.json
"""

import argparse
from pathlib import Path

from advprune.evaluation.job import Outputs, Subject, run_evaluation
from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment, now
from advprune.program import add_options, positive_count, run_program
from advprune.spec.datasets import DATASETS
from advprune.spec.networks import NETWORKS
from advprune.spec.specification import EvaluationSpec, fraction
from advprune.storage.locking import turn_at


def main() -> None:
    options = _parser().parse_args()
    started = now()
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    subject = Subject(
        model=options.model,
        network=options.network,
        width=options.width,
        normalise=options.normalise,
        dataset=options.dataset,
        dataset_name=options.dataset_name,
    )
    with turn_at(options.record):
        run_evaluation(
            subject,
            EvaluationSpec(
                epsilon=options.epsilon,
                autoattack_examples=options.test_examples,
                single_attack_examples=options.test_examples,
                batch_size=options.batch_size,
                seed=options.seed,
            ),
            Outputs(options.accuracies, options.verdicts, options.record),
            device=device,
            made_by=environment(device, __file__),
            started=started,
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
    add_options(parser, "dataset", "device", "threads", "jobs_per_gpu")
    add_options(parser, "accuracies", "verdicts", "record")
    parser.add_argument(
        "--model", required=True, type=Path, help="weights: .safetensors, or a .pth state dict"
    )
    parser.add_argument("--dataset-name", required=True, choices=DATASETS)
    parser.add_argument("--network", required=True, choices=NETWORKS)
    parser.add_argument("--width", default=1.0, type=float, help="factor on the number of filters")
    parser.add_argument(
        "--normalise", action="store_true", help="the network wants normalised input"
    )
    parser.add_argument(
        "--epsilon", required=True, type=bound, help="of the attacks, such as 0.3 or 8/255"
    )
    parser.add_argument(
        "--test-examples", type=positive_count, help="how many images to attack [all]"
    )
    parser.add_argument("--batch-size", default=500, type=positive_count)
    parser.add_argument("--seed", default=0, type=int)
    return parser


if __name__ == "__main__":
    run_program(main)

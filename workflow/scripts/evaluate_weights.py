#!/usr/bin/env python3
r"""Measure natural and robust accuracy of any weights of a known architecture.

So a network from elsewhere goes through the same evaluation as those of the workflow:

    python workflow/scripts/evaluate_weights.py --model weights.pth --network mnist_cnn \
        --dataset results/datasets/mnist.safetensors --dataset-name mnist --epsilon 0.3 \
        --accuracies evaluation.csv --verdicts verdicts.csv --record evaluation.json
"""

import argparse
from pathlib import Path

from advprune.errors import UserError
from advprune.evaluation.job import Outputs, Subject, open_evaluation, run_evaluation
from advprune.evaluation.outcome import in_words
from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment, now
from advprune.program import LARGEST_SEED, add_options, number, run_program, whole_number
from advprune.spec.datasets import DATASETS
from advprune.spec.limits import ABOVE_0
from advprune.spec.networks import NETWORKS
from advprune.spec.specification import EvaluationSpec, fraction
from advprune.storage.locking import turn_at


def main() -> None:
    options = _parser().parse_args()
    images = DATASETS[options.dataset_name].examples[1]
    if options.test_examples and options.test_examples > images:
        raise UserError(
            f"--test-examples is {options.test_examples}, but {options.dataset_name} has {images} "
            "test images: leave it out to attack all of them"
        )
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
    spec = EvaluationSpec(
        epsilon=options.epsilon,
        autoattack_examples=options.test_examples,
        single_attack_examples=options.test_examples,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    made_by = environment(device, __file__)
    outputs = Outputs(options.accuracies, options.verdicts, options.record)
    with turn_at(options.record):
        opened = open_evaluation(subject, spec, options.record, device=device, made_by=made_by)
        found = run_evaluation(opened, spec, outputs, made_by=made_by, started=started)
    print(in_words(found))


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
    parser.add_argument(
        "--width",
        default=1.0,
        type=number(
            fraction,
            lambda width: 0 < width <= ABOVE_0["width"],
            f"a number above 0 and at most {ABOVE_0['width']}",
        ),
        help="factor on the number of filters",
    )
    parser.add_argument(
        "--normalise", action="store_true", help="the network wants normalised input"
    )
    parser.add_argument(
        "--epsilon",
        required=True,
        type=number(
            fraction, lambda epsilon: 0 < epsilon < 1, "a number or fraction above 0 and below 1"
        ),
        help="of the attacks, such as 0.3 or 8/255",
    )
    parser.add_argument(
        "--test-examples", type=whole_number(1), help="how many images to attack [all]"
    )
    parser.add_argument("--batch-size", default=500, type=whole_number(1))
    parser.add_argument("--seed", default=0, type=whole_number(0, LARGEST_SEED))
    return parser


if __name__ == "__main__":
    run_program(main)

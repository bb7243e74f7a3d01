#!/usr/bin/env python3
"""Train up to an epoch and score every example: loss and distance (section 4.3)."""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from advprune.machine.devices import choose_device
from advprune.machine.provenance import environment
from advprune.networks.weights import save_weights
from advprune.program import add_options, run_program
from advprune.spec.specification import IN_PASS, ScoreSpec
from advprune.storage.locking import take_turn
from advprune.storage.records import write_record
from advprune.storage.tensors import atomic_write_tensors
from advprune.training.algorithm import attack_for_scoring
from advprune.training.job import about_training, run_training
from advprune.training.scoring import deepfool_all, loss_of_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "model", "record")
    parser.add_argument(
        "--scores", required=True, type=Path, help="to write: loss and distance per example"
    )
    options = parser.parse_args()

    take_turn(options.record)
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    made_by = environment(device, __file__)
    spec = ScoreSpec.from_json(options.spec)
    state, examples = run_training(
        spec.training,
        options.dataset,
        record=options.record,
        device=device,
        made_by=made_by,
        stop_after=spec.epoch,
        in_pass=spec.deepfool if spec.deepfool_taken == IN_PASS else None,
    )
    attack = attack_for_scoring(spec.training, spec.epoch, examples)
    losses, found = state.losses, state.distances
    if spec.loss_taken != IN_PASS:
        losses = loss_of_all(state.classifier, examples, **attack)
    if spec.deepfool_taken != IN_PASS:
        found = deepfool_all(state.classifier, examples, spec.deepfool, **attack)
    scores = {
        "label": examples.labels,
        "loss": losses,
        "distance": found.distance,
        "converged": found.converged.to(torch.uint8),
        "iterations": found.iterations,
    }
    with atomic_write_tensors(options.scores) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in scores.items()}, temporary)
    save_weights(options.model, state.classifier)
    write_record(
        options.record,
        about_training(spec, options.dataset, state, made_by),
        [options.scores, options.model],
    )


if __name__ == "__main__":
    run_program(main)

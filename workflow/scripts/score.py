#!/usr/bin/env python3
"""Train up to a pruning epoch and score every example: loss and distance (section 4.3)."""

import argparse

import torch
from safetensors.torch import save_file

from advprune.checkpoints import save_checkpoint, start_or_resume
from advprune.devices import choose_device
from advprune.examples import load_examples
from advprune.files import digest, sha256_of, written_whole
from advprune.locking import take_turn
from advprune.networks import save_weights
from advprune.program import add_options, parse_spec, run_program
from advprune.provenance import circumstances, provenance
from advprune.records import write_record
from advprune.runs import TrainingSpec, checkpoint_of
from advprune.scoring import deepfool_all
from advprune.training import attack_for_scoring, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "model", "record")
    parser.add_argument("--scores", required=True, help="to write: loss and distance per example")
    options = parser.parse_args()

    take_turn(options.record)
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    spec = parse_spec(TrainingSpec, options.spec)
    examples = load_examples(options.dataset, spec.run.dataset, "train")
    examples = examples.first(spec.train_examples).to(device)
    dataset_sha256 = sha256_of(options.dataset)
    checkpoint = checkpoint_of(options.record)
    made_by = circumstances(device)
    key = digest([spec.to_dict(), dataset_sha256, made_by])
    state = start_or_resume(checkpoint, spec, examples, key)
    train(
        spec,
        examples,
        state=state,
        after_epoch=lambda state: save_checkpoint(checkpoint, state, key),
        stop_after=spec.run.e,
    )
    found = deepfool_all(
        state.classifier, examples, spec.deepfool, **attack_for_scoring(spec, examples)
    )
    scores = {
        "label": examples.labels,
        "loss": state.losses,
        "distance": found.distance,
        "converged": found.converged.to(torch.uint8),
        "iterations": found.iterations,
    }
    with written_whole(options.scores) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in scores.items()}, temporary)
    save_weights(options.model, state.classifier)
    write_record(
        options.record,
        {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "dataset_sha256": dataset_sha256,
            "provenance": provenance(made_by, state.started),
        },
        [options.scores, options.model],
    )


if __name__ == "__main__":
    run_program(main)

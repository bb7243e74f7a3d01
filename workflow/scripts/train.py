#!/usr/bin/env python3
"""Train one network by RS+FGSM with data pruning (Algorithm 1).

The last checkpoint stays until the workflow has recorded the run: until then it may ask again.
"""

import argparse
import dataclasses
from functools import partial

import torch
from safetensors.torch import save_file

from advprune.checkpoints import save_checkpoint, start_or_resume
from advprune.devices import choose_device
from advprune.examples import load_examples
from advprune.files import digest, sha256_of, write_csv, written_whole
from advprune.locking import take_turn
from advprune.networks import save_weights
from advprune.program import add_options, parse_spec, run_program
from advprune.provenance import circumstances, provenance
from advprune.records import write_record
from advprune.runs import TrainingSpec, checkpoint_of
from advprune.training import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, "spec", "dataset", "device", "threads", "jobs_per_gpu", "model", "record")
    parser.add_argument("--curve", required=True, help="to write: a row for every epoch")
    parser.add_argument(
        "--pruning",
        required=True,
        help="to write: score and kept, per example",
    )
    options = parser.parse_args()

    take_turn(options.record)
    device = choose_device(options.device, options.threads, jobs_per_gpu=options.jobs_per_gpu)
    spec = parse_spec(TrainingSpec, options.spec)
    load = partial(load_examples, options.dataset, spec.run.dataset)
    examples = load("train").first(spec.train_examples).to(device)
    test = load("test").to(device) if spec.early_stopping else None
    dataset_sha256 = sha256_of(options.dataset)
    checkpoint = checkpoint_of(options.record)
    made_by = circumstances(device)
    key = digest([spec.to_dict(), dataset_sha256, made_by])

    state = start_or_resume(checkpoint, spec, examples, key)
    train(
        spec,
        examples,
        validation=test,
        state=state,
        after_epoch=lambda state: save_checkpoint(checkpoint, state, key),
    )

    kept = torch.zeros(len(examples), dtype=torch.uint8)
    kept[state.kept] = 1
    scores = {
        name: torch.from_numpy(values)
        for name, values in (("distance", state.distance), ("converged", state.converged))
        if values is not None
    }
    save_weights(options.model, state.classifier)
    with written_whole(options.pruning) as temporary:
        save_file({"kept": kept, **scores}, temporary)
    write_csv(options.curve, [dataclasses.asdict(record) for record in state.curve])
    write_record(
        options.record,
        {
            "spec": spec.to_dict(),
            "spec_digest": spec.digest,
            "seconds": state.stopwatch.seconds,
            "train_examples": len(examples),
            "kept_examples": len(state.kept),
            "diverged_epoch": state.diverged_epoch,
            "stopped_epoch": state.validation.stopped_epoch,
            "model_sha256": sha256_of(options.model),
            "dataset_sha256": dataset_sha256,
            "provenance": provenance(made_by, state.started),
        },
        [options.model, options.pruning, options.curve],
    )


if __name__ == "__main__":
    run_program(main)

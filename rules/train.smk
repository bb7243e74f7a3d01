# One network per run: data set, method, p, e, seed.


rule train:
    input:
        dataset=DATASET,
    output:
        model=RUN / "model.safetensors",
        curve=RUN / "training.csv",
        pruning=RUN / "pruning.safetensors",
        record=RUN / "run.json",
    log:
        RUN / "train.log",
    benchmark:
        RUN / "train.benchmark.tsv"
    group:
        batch_of("train")
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        turn=1,
        mem_mb=lambda wildcards, attempt: JOB_MEMORY_MB * attempt,
        runtime=120,
    params:
        spec=training_spec_of,
    shell:
        "python3 workflow/scripts/train.py --spec {params.spec:q} --dataset {input.dataset}"
        f" {EXECUTION_OPTIONS}"
        " --model {output.model}"
        " --curve {output.curve} --pruning {output.pruning} --record {output.record} >{log} 2>&1"


rule score:
    input:
        dataset=DATASET,
    output:
        scores=SCORES / "scores.safetensors",
        model=SCORES / "model.safetensors",
        record=SCORES / "score.json",
    log:
        SCORES / "score.log",
    benchmark:
        SCORES / "score.benchmark.tsv"
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        mem_mb=lambda wildcards, attempt: JOB_MEMORY_MB * attempt,
        runtime=120,
    params:
        spec=score_spec_of,
    shell:
        "python3 workflow/scripts/score.py --spec {params.spec:q} --dataset {input.dataset}"
        f" {EXECUTION_OPTIONS}"
        " --scores {output.scores}"
        " --model {output.model} --record {output.record} >{log} 2>&1"

# Natural accuracy, standard AutoAttack and APGD-CE 40x5 of every trained network.


rule evaluate:
    input:
        model=RUN / "model.safetensors",
        training=RUN / "run.json",
        dataset=DATASET,
    output:
        accuracies=RUN / "evaluation.csv",
        verdicts=RUN / "verdicts.csv",
        record=RUN / "evaluation.json",
    log:
        RUN / "evaluate.log",
    benchmark:
        RUN / "evaluate.benchmark.tsv"
    group:
        batch_of("evaluate")
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        turn=1,
        mem_mb=lambda wildcards, attempt: JOB_MEMORY_MB * attempt,
        runtime=240,
    params:
        spec=evaluation_spec_of,
    shell:
        "python3 workflow/scripts/evaluate.py --spec {params.spec:q} --training-record {input.training}"
        " --model {input.model} --dataset {input.dataset}"
        f" {EXECUTION_OPTIONS}"
        " --accuracies {output.accuracies}"
        " --verdicts {output.verdicts} --record {output.record} >{log} 2>&1"

# Natural accuracy, standard AutoAttack and APGD-CE 40x5 of every trained network, a block a job.


rule evaluate:
    input:
        trained=f"{TRAINED}.json",
        dataset=ancient(DATASET),
    output:
        f"{EVALUATED}.json",
    log:
        f"{EVALUATED}.log",
    benchmark:
        f"{EVALUATED}.benchmark.tsv"
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        mem_mb=lambda wildcards, attempt: blocks.JOB_MEMORY_MB * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        spec=evaluation_spec_of,
        folders=lambda wildcards: run_folders(wildcards, runs_in(wildcards)),
        lost=losses_of(EVALUATED),
    shell:
        "python3 workflow/scripts/evaluate.py --spec {params.spec:q} --dataset {input.dataset}"
        f" {EXECUTION_OPTIONS}"
        " --block {output} {params.folders} >{log} 2>&1"

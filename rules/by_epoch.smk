# What the figure by_epoch needs: some runs of a block, trained once more and attacked after every epoch. Like
# other results of runs, it lies in their folders.


rule attack_by_epoch:
    input:
        trained=f"{TRAINED}.json",
        dataset=ancient(DATASET),
    output:
        f"{BY_EPOCH}.json",
    log:
        f"{BY_EPOCH}.log",
    benchmark:
        f"{BY_EPOCH}.benchmark.tsv"
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        mem_mb=lambda wildcards, attempt: blocks.JOB_MEMORY_MB * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        spec=by_epoch_spec_of,
        folders=lambda wildcards: run_folders(wildcards, by_epoch_in(wildcards)),
        lost=losses_of(BY_EPOCH),
    shell:
        "python3 workflow/scripts/attack_by_epoch.py --spec {params.spec:q} --dataset {input.dataset}"
        f" {EXECUTION_OPTIONS}"
        " --block {output} {params.folders} >{log} 2>&1"

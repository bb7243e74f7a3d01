# A job makes a block: seeds of a cell (data set, method, p, e) or of a few, or the starts of seeds. The results lie
# in a folder for each run and are no outputs: Snakemake would delete them where a job fails, and a job
# keeps those that are there. Its output says which results it has made or found.


rule start:
    input:
        dataset=ancient(DATASET),
    output:
        f"{STARTED}.json",
    log:
        f"{STARTED}.log",
    benchmark:
        f"{STARTED}.benchmark.tsv"
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        alone=lambda wildcards: blocks.trained_alone(
            starts_in(wildcards), TIMED[wildcards.variant], config
        ),
        mem_mb=lambda wildcards, attempt: blocks.JOB_MEMORY_MB * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        spec=start_spec_of,
        seeds=lambda wildcards: seeds_text(starts_in(wildcards)),
        starts=starts_folder,
        lost=losses_of(STARTED),
    shell:
        "python3 workflow/scripts/start.py --spec {params.spec:q} --seeds {params.seeds}"
        f" --dataset {{input.dataset}} {EXECUTION_OPTIONS} --alone {{resources.alone}}"
        " --starts {params.starts} --block {output} >{log} 2>&1"


rule train:
    input:
        dataset=ancient(DATASET),
        starts=start_blocks_for,
    output:
        f"{TRAINED}.json",
    log:
        f"{TRAINED}.log",
    benchmark:
        f"{TRAINED}.benchmark.tsv"
    conda:
        TORCH
    threads: config["execution"]["threads"]
    resources:
        **execution_resources(),
        alone=lambda wildcards: blocks.trained_alone(
            runs_in(wildcards), TIMED[wildcards.variant], config
        ),
        mem_mb=lambda wildcards, attempt: blocks.JOB_MEMORY_MB * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        specs=training_specs_of,
        seeds=lambda wildcards: [*map(seeds_text, blocks.by_cell(runs_in(wildcards)))],
        runs=runs_folder,
        starts=starts_folder,
        lost=losses_of(TRAINED),
    shell:
        "python3 workflow/scripts/train.py --spec {params.specs:q} --seeds {params.seeds}"
        f" --dataset {{input.dataset}} {EXECUTION_OPTIONS} --alone {{resources.alone}}"
        " --runs {params.runs} --starts {params.starts} --block {output} >{log} 2>&1"

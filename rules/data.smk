# A data set is read once, checked, and put into one file that all jobs map into memory. Where it was read
# from is no param, and the file gets a fixed time: one that was made again starts no run anew.


rule dataset:
    output:
        DATASET,
    log:
        "results/datasets/{dataset}.log",
    conda:
        TORCH
    resources:
        mem_mb=2000,
        runtime=60,
    shell:
        "python3 workflow/scripts/dataset.py {wildcards.dataset} --output {output} >{log} 2>&1"


# By itself before published runs are gone on from: where it is made beside them, Snakemake takes all
# that was made of it for old.
rule datasets:
    input:
        [DATASET.format(dataset=name) for name in sorted({run.dataset for run in runs_for("all")})],

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

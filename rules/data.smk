# Each data set is read once, checked and put into one file that all jobs of all scales map into
# memory. Where it was read from does not enter the parameters, and the program gives the file a fixed
# time: the bytes are the same, so one that was made again by hand starts no run anew.


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

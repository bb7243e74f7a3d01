# From the files of single runs to one table of runs, its summary, and the paper's tables.


rule settle_config:
    output:
        config=RESULTS / "config.json",
        sha256=RESULTS / "config.json.sha256",
    log:
        RESULTS / "logs/settle_config.log",
    conda:
        "../envs/analysis.yaml"
    params:
        config=as_json(published_config()),
    shell:
        "python3 workflow/scripts/settle_config.py --config {params.config:q} --output {output.config}"
        " >{log} 2>&1"


rule collect:
    input:
        lambda wildcards: results_of(wildcards.item),
        config=RESULTS / "config.json",
    output:
        runs=RESULTS / "items/{item}.csv",
        sha256=RESULTS / "items/{item}.csv.sha256",
    log:
        RESULTS / "logs/collect_{item}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        runs=SCALE / "runs",
        # Snakemake makes nothing again because an input of what it has made is gone; this does. It
        # may remember what was lost, not that it is back: the next call then collects once more.
        lost=lambda wildcards: lost_runs(wildcards.item),
    shell:
        "python3 workflow/scripts/collect.py {wildcards.item} --config {input.config} --runs {params.runs}"
        " --output {output.runs} >{log} 2>&1"


rule runs:
    input:
        RESULTS / "items/all.csv",
    output:
        runs=RESULTS / "runs.csv",
        sha256=RESULTS / "runs.csv.sha256",
    log:
        RESULTS / "logs/runs.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/runs.py --runs {input} --output {output.runs} >{log} 2>&1"


rule summarise:
    input:
        RESULTS / "items/all.csv",
    output:
        RESULTS / "summary.csv",
    log:
        RESULTS / "logs/summarise.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/summarise.py --runs {input} --output {output} >{log} 2>&1"


rule table1:
    input:
        runs=RESULTS / "items/table1.csv",
        config=RESULTS / "config.json",
    output:
        **table("table1"),
    log:
        RESULTS / "logs/table1.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/table1.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule figure7:
    input:
        config=RESULTS / "config.json",
    output:
        **table("figure7"),
    log:
        RESULTS / "logs/figure7.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/figure7.py --config {input.config} --output {output.csv} >{log} 2>&1"


rule figure8:
    input:
        runs=RESULTS / "items/figure8.csv",
        config=RESULTS / "config.json",
    output:
        **table("figure8"),
    log:
        RESULTS / "logs/figure8.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/figure8.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule comparisons:
    input:
        runs=RESULTS / "items/comparisons.csv",
        config=RESULTS / "config.json",
    output:
        **table("comparisons"),
    log:
        RESULTS / "logs/comparisons.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/comparisons.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule standard_accuracy:
    input:
        runs=RESULTS / "items/standard_accuracy.csv",
        config=RESULTS / "config.json",
    output:
        **table("standard_accuracy"),
    log:
        RESULTS / "logs/standard_accuracy.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/standard_accuracy.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule appendix_c:
    input:
        config=RESULTS / "config.json",
    output:
        **table("appendix_c"),
    log:
        RESULTS / "logs/appendix_c.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/appendix_c.py --config {input.config} --output {output.csv} >{log} 2>&1"

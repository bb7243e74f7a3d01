# From the files of single runs to tables of runs and their summary.


rule write_config:
    output:
        config=RESULTS / "config.json",
        sha256=RESULTS / "config.json.sha256",
    log:
        RESULTS / "logs/write_config.log",
    conda:
        ANALYSIS
    params:
        config=as_json(published_config()),
    shell:
        "python3 workflow/scripts/write_config.py --config {params.config:q} --output {output.config}"
        " >{log} 2>&1"


rule collect:
    input:
        lambda wildcards: results_for(wildcards.name),
        config=RESULTS / "config.json",
    output:
        **run_table_outputs("items/{name}"),
    log:
        RESULTS / "logs/collect_{name}.log",
    conda:
        ANALYSIS
    params:
        name="{name}",
        runs=RUNS,
        lost=lambda wildcards: losses_in(*results_for(wildcards.name)),
    message:  # for a line in place of the names of all inputs
        "The runs of {params.name} in one table: {output.runs} (log: {log})"
    shell:
        "python3 workflow/scripts/collect.py {params.name} --config {input.config} --runs {params.runs}"
        " --output {output.runs} >{log} 2>&1"


use rule collect as collect_all with:
    input:
        results_for("all"),
        config=RESULTS / "config.json",
    output:
        **run_table_outputs("runs"),
    log:
        RESULTS / "logs/collect_all.log",
    params:
        name="all",
        runs=RUNS,
        lost=losses_in(*results_for("all")),
    message:
        "All runs in one table: {output.runs} (log: {log})"


rule summarise:
    input:
        runs=RESULTS / "runs.csv",
        verdicts=RESULTS / "runs.verdicts.safetensors",
    output:
        RESULTS / "summary.csv",
    log:
        RESULTS / "logs/summarise.log",
    conda:
        ANALYSIS
    shell:
        "python3 workflow/scripts/summarise.py --runs {input.runs} --verdicts {input.verdicts}"
        " --output {output} >{log} 2>&1"

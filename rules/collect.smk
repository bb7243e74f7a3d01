# From the files of single runs to one table of all of them and its summary.


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
        results_for("all"),
        config=RESULTS / "config.json",
    output:
        runs=RESULTS / "runs.csv",
        verdicts=RESULTS / "runs.verdicts.safetensors",
        sha256=RESULTS / "runs.csv.sha256",
    log:
        RESULTS / "logs/collect.log",
    conda:
        ANALYSIS
    params:
        runs=RUNS,
        lost=losses_in(*results_for("all")),
    message:  # for a line in place of the names of all inputs
        "All runs in one table: {output.runs} (log: {log})"
    shell:
        "python3 workflow/scripts/collect.py --config {input.config} --runs {params.runs}"
        " --output {output.runs} >{log} 2>&1"


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

# What the runs say of the paper: a verdict on every claim, and one page with all that was made.


rule claims:
    input:
        runs=RESULTS / "runs.csv",
        config=RESULTS / "config.json",
        claims="config/paper_claims.yaml",
        correlations=numbers_of_exhibit("correlations"),
        embedding=numbers_of_exhibit("figure2"),
        toy=numbers_of_exhibit("appendix_c"),
    output:
        **table_outputs("claims", "claims"),
    log:
        RESULTS / "logs/claims.log",
    conda:
        ANALYSIS
    params:
        runs=RUNS,
    shell:
        "python3 workflow/scripts/claims.py --runs {input.runs} --config {input.config} --claims {input.claims}"
        " --run-folder {params.runs} --correlations {input.correlations}"
        " --embedding {input.embedding} --toy {input.toy} --output {output.csv} >{log} 2>&1"


rule report:
    input:
        files_of_exhibits(*EXHIBITS),
        verdicts_and_run_tables(),
        config=RESULTS / "config.json",
    output:
        RESULTS / "report.html",
    log:
        RESULTS / "logs/report.log",
    conda:
        ANALYSIS
    params:
        runs=RUNS,
    message:  # for a line in place of the names of all inputs
        "Everything on one page: {output} (log: {log})"
    shell:
        "python3 workflow/scripts/report.py --config {input.config} --runs {params.runs} --output {output} >{log} 2>&1"

# What the runs say of the paper: a verdict on every claim, and one page with all that was made.


rule claims:
    input:
        runs=RESULTS / "items/all.csv",
        config=RESULTS / "config.json",
        claims="config/paper_claims.yaml",
        scores=numbers_of("figure6"),
        embedding=numbers_of("figure2"),
        toy=numbers_of("appendix_c"),
    output:
        **table("claims", folder=""),
    log:
        RESULTS / "logs/claims.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/claims.py --runs {input.runs} --config {input.config} --claims {input.claims}"
        " --scores {input.scores} --embedding {input.embedding} --toy {input.toy}"
        " --output {output.csv} >{log} 2>&1"


rule report:
    input:
        drawable(TABLES + FIGURES),
        tables_of_runs(),
        verdicts(),
        config=RESULTS / "config.json",
    output:
        RESULTS / "report.html",
    log:
        RESULTS / "logs/report.log",
    conda:
        "../envs/analysis.yaml"
    params:
        runs=SCALE / "runs",
    shell:
        "python3 workflow/scripts/report.py --config {input.config} --runs {params.runs} --output {output} >{log} 2>&1"

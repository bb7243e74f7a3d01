# What the runs say of the paper: a verdict on every claim, and one page with all that was made.


rule claims:
    input:
        runs=RESULTS / "items/all.csv",
        config=RESULTS / "config.json",
        claims="config/paper_claims.yaml",
        scores=drawable(["figure6"]),
        embedding=drawable(["figure2"]),
        toy=drawable(["appendix_c"]),
    output:
        **{suffix: RESULTS / f"claims.{suffix}" for suffix in ("csv", "md", "tex")},
        html=reported(RESULTS / "claims.html", "claims"),
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

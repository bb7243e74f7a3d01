# The paper's figures. Each program writes the CSV that its picture is drawn from beside it.


rule figure1:
    input:
        config=RESULTS / "config.json",
    output:
        **figure("figure1"),
    log:
        RESULTS / "logs/figure1.log",
    conda:
        TORCH
    shell:
        "python3 workflow/scripts/figure1.py --config {input.config} --output {output.csv} >{log} 2>&1"


rule figure2:
    input:
        **scores_of("mnist"),
        dataset=expand(DATASET, dataset=config["studies"]["mnist"]["dataset"]),
        config=RESULTS / "config.json",
    output:
        **figure("figure2"),
        **figure("figure2_features", prefix="features_"),
    log:
        RESULTS / "logs/figure2.log",
    conda:
        TORCH
    resources:
        mem_mb=4000,
    shell:
        "python3 workflow/scripts/figure2.py --scores {input.scores} --model {input.model}"
        " --dataset {input.dataset} --config {input.config} --output {output.csv}"
        " --features-output {output.features_csv} >{log} 2>&1"


rule figure3:
    input:
        runs=RESULTS / "items/figure3.csv",
        config=RESULTS / "config.json",
    output:
        **figure("figure3"),
    log:
        RESULTS / "logs/figure3.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/accuracy.py mnist --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule figure4:
    input:
        runs=RESULTS / "items/figure4.csv",
        config=RESULTS / "config.json",
    output:
        **figure("figure4"),
    log:
        RESULTS / "logs/figure4.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/accuracy.py cifar10 --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule figure5:
    input:
        runs=RESULTS / "items/figure5.csv",
        config=RESULTS / "config.json",
    output:
        **figure("figure5"),
    log:
        RESULTS / "logs/figure5.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/figure5.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule figure6:
    input:
        [scores_of(study)["record"] for study in ("mnist", "cifar10")],
        mnist=scores_of("mnist")["scores"],
        cifar10=scores_of("cifar10")["scores"],
        config=RESULTS / "config.json",
    output:
        **figure("figure6"),
    log:
        RESULTS / "logs/figure6.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/figure6.py --mnist {input.mnist} --cifar10 {input.cifar10}"
        " --config {input.config} --output {output.csv} >{log} 2>&1"


rule distribution:
    input:
        runs=RESULTS / "items/distribution.csv",
        config=RESULTS / "config.json",
    output:
        **figure("distribution"),
    log:
        RESULTS / "logs/distribution.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/distribution.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule collapse:
    input:
        runs=RESULTS / "items/collapse.csv",
        config=RESULTS / "config.json",
    output:
        **figure("collapse"),
    log:
        RESULTS / "logs/collapse.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/collapse.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"


rule pruning_epoch:
    input:
        runs=RESULTS / "items/pruning_epoch.csv",
        config=RESULTS / "config.json",
    output:
        **figure("pruning_epoch"),
    log:
        RESULTS / "logs/pruning_epoch.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "python3 workflow/scripts/pruning_epoch.py --runs {input.runs} --config {input.config}"
        " --output {output.csv} >{log} 2>&1"

# The paper's figures. Each program writes the CSV that its picture is drawn from beside it.


rule figure1:
    input:
        config=RESULTS / "config.json",
    output:
        figure("figure1"),
    log:
        RESULTS / "logs/figure1.log",
    conda:
        "../envs/torch.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/figure1.py --config {input.config} --output {output[0]} >{log} 2>&1"


rule figure2:
    input:
        *scores_of("mnist"),
        dataset=ancient(expand(DATASET, dataset=config["studies"]["mnist"]["dataset"])),
        config=RESULTS / "config.json",
    output:
        figure("figure2"),
        figure("figure2_features"),
    log:
        RESULTS / "logs/figure2.log",
    resources:
        mem_mb=4000,
    conda:
        "../envs/torch.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/figure2.py --scores {input[0]} --model {input[1]}"
        " --dataset {input.dataset} --config {input.config} --output {output[0]}"
        " --features-output {output[3]} >{log} 2>&1"


rule figure3:
    input:
        runs=RESULTS / "items/figure3.csv",
        config=RESULTS / "config.json",
    output:
        figure("figure3"),
    log:
        RESULTS / "logs/figure3.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/accuracy.py mnist --runs {input.runs} --config {input.config}"
        " --output {output[0]} >{log} 2>&1"


rule figure4:
    input:
        runs=RESULTS / "items/figure4.csv",
        config=RESULTS / "config.json",
    output:
        figure("figure4"),
    log:
        RESULTS / "logs/figure4.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/accuracy.py cifar10 --runs {input.runs} --config {input.config}"
        " --output {output[0]} >{log} 2>&1"


rule figure5:
    input:
        runs=RESULTS / "items/figure5.csv",
        config=RESULTS / "config.json",
    output:
        figure("figure5"),
    log:
        RESULTS / "logs/figure5.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/figure5.py --runs {input.runs} --config {input.config}"
        " --output {output[0]} >{log} 2>&1"


rule figure6:
    input:
        mnist=scores_of("mnist")[0],
        cifar10=scores_of("cifar10")[0],
        config=RESULTS / "config.json",
    output:
        figure("figure6"),
    log:
        RESULTS / "logs/figure6.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/figure6.py --mnist {input.mnist} --cifar10 {input.cifar10}"
        " --config {input.config} --output {output[0]} >{log} 2>&1"


rule pruning_epoch:
    input:
        runs=RESULTS / "items/pruning_epoch.csv",
        config=RESULTS / "config.json",
    output:
        figure("pruning_epoch"),
    log:
        RESULTS / "logs/pruning_epoch.log",
    conda:
        "../envs/analysis.yaml"
    shell:
        "{PYTHON} {SCRIPTS}/pruning_epoch.py --runs {input.runs} --config {input.config}"
        " --output {output[0]} >{log} 2>&1"

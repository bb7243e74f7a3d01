# Every table and figure, a rule each, by one program: the registry advprune.plan.exhibits says what
# each is made from.

for exhibit in filter(can_be_made, EXHIBITS.values()):

    rule:
        name:
            exhibit.name
        input:
            **exhibit_inputs(exhibit),
        output:
            **exhibit_outputs(exhibit),
        log:
            RESULTS / f"logs/{exhibit.name}.log",
        conda:
            TORCH if exhibit.torch else ANALYSIS
        resources:
            mem_mb=lambda wildcards, attempt: blocks.JOB_MEMORY_MB * attempt,
        params:
            name=exhibit.name,
            options=exhibit_options(exhibit),
            lost=losses_in(*score_blocks(exhibit), *exhibit_inputs(exhibit).get("runs", [])),
        message:  # for a line in place of the names of all inputs
            "{params.name}: {output.csv} (log: {log})"
        shell:
            "python3 workflow/scripts/exhibit.py {params.name} {params.options}"
            " --output {output.csv} >{log} 2>&1"

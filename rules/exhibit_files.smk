# The files of tables and figures, and those that each of them is made from.


@cache  # grids of thousands of runs are asked for dozens of times
def runs_for(name, variant=""):
    """All runs that a table or figure needs; in a partial run, those whose results exist."""
    wanted = [run for run in runs_of(name, CONFIGS[variant]) if is_made_apart(run, variant)]
    if not config["partial"]:
        return wanted
    folder = SCALE / variant / RUNS.name
    return [run for run in wanted if has_files(folder / run.folder, files_of_a_run(name))]


@cache
def results_for(name):
    """What says that the results of `runs_for` are there; in a partial run, that they exist."""
    with_variants = name in EXHIBITS and EXHIBITS[name].variants
    variants = list(CONFIGS) if with_variants else [""]
    is_by_epoch = name in EXHIBITS and EXHIBITS[name].by_epoch
    if config["partial"]:
        records = ["evaluation.json", *(["by_epoch.json"] if is_by_epoch else [])]
        return [
            SCALE / variant / RUNS.name / run.folder / record
            for variant in variants
            for run in runs_for(name, variant)
            for record in records
        ]
    names = [BLOCK_OF[variant, run] for variant in variants for run in runs_for(name, variant)]
    attacked = block_outputs("by_epoch", names) if is_by_epoch else []
    return [*block_outputs("evaluate", names), *attacked]


def scored_starts(exhibit):
    """The starts whose scores a table or figure is made from."""
    return [blocks.scored_start(*each, config) for each in scored(exhibit, config)]


def score_folders(exhibit):
    """Their folders."""
    return [STARTS / start.folder for start in scored_starts(exhibit)]


def score_blocks(exhibit):
    """What says that they are there; in a partial run, that they exist."""
    if config["partial"]:
        return [folder / "start.json" for folder in score_folders(exhibit)]
    starts = scored_starts(exhibit)
    return block_outputs("start", [blocks.block_of_start(start, config) for start in starts])


def exhibit_inputs(exhibit):
    """What a table or figure is made from, by what `exhibit_options` names it to its program."""
    inputs = {"config": RESULTS / "config.json"}
    if exhibit.runs:
        inputs["runs"] = results_for(exhibit.name)
    if exhibit.scores:
        inputs["scores"] = score_blocks(exhibit)
    if exhibit.claims:
        inputs["claims"] = RESULTS / "claims.csv"
    if exhibit.images:
        dataset = config["studies"][exhibit.images]["dataset"]
        inputs["dataset"] = Path(DATASET.format(dataset=dataset))
    return inputs


def exhibit_options(exhibit):
    """For the shell: the options that name its inputs."""
    inputs = exhibit_inputs(exhibit)
    if exhibit.runs:
        inputs["runs"] = RUNS
    if exhibit.scores:
        inputs["scores"] = " ".join(map(str, score_folders(exhibit)))
    return " ".join(f"--{option} {path}" for option, path in inputs.items())


def shown_in_report(path, name):
    """A file that `snakemake --report` shows, with its caption."""
    place = list(TITLES).index(name) + 1
    return report(
        str(path),
        caption=f"../report/{name}.rst",
        category="Results",
        labels={"result": f"{place:02}  {TITLES[name]}"},
    )


def table_outputs(stem, name):
    """The files of a table by their suffixes, and that with the hashes of them all."""
    files = {
        suffix: RESULTS / f"{stem}.{suffix}" for suffix in ("csv", "md", "tex", "html", "json")
    }
    files["html"] = shown_in_report(files["html"], name)
    return files | {"sha256": RESULTS / f"{stem}.csv.sha256"}


def figure_outputs(stem, name):
    """The same of a figure."""
    files = {suffix: RESULTS / f"{stem}.{suffix}" for suffix in ("csv", "pdf", "png")}
    files["png"] = shown_in_report(files["png"], name)
    return files | {"sha256": RESULTS / f"{stem}.csv.sha256"}


def exhibit_outputs(exhibit):
    outputs = table_outputs if exhibit.folder == "tables" else figure_outputs
    return outputs(f"{exhibit.folder}/{exhibit.name}", exhibit.name)


def networks_lost(exhibit):
    """Starts whose network it needs and which are there without: published, or deleted to save space."""
    folders = score_folders(exhibit) if exhibit.networks else []
    return [
        each for each in folders if has_files(each, START_FILES) and not (each / NETWORK).exists()
    ]


def can_be_made(exhibit):
    """Whether it is to be made: in a partial run, whether what it is made from is there."""
    if not is_asked_for(exhibit, config) or networks_lost(exhibit):
        return False
    if not config["partial"]:
        return True
    scores_exist = all(has_files(folder, START_FILES) for folder in score_folders(exhibit))
    images_exist = not exhibit.images or exhibit_inputs(exhibit)["dataset"].exists()
    runs = "all" if exhibit.claims else exhibit.name
    needs_runs = bool(exhibit.runs) or exhibit.claims
    return scores_exist and images_exist and (not needs_runs or bool(results_for(runs)))


def is_there(exhibit):
    """Whether it cannot be made and lies there, made before: it then stays as it is."""
    return not can_be_made(exhibit) and has_files(Path(), exhibit_outputs(exhibit).values())


if workflow.is_main_process:
    for exhibit in EXHIBITS.values():
        for folder in networks_lost(exhibit):
            logger.warning(
                f"{exhibit.name} is not made, since {folder} has no {NETWORK}: delete the folder "
                "to make both again"
            )


def files_of_exhibits(*names):
    """All files of tables and figures, as far as they can be made."""
    wanted = [each for each in map(EXHIBITS.get, names) if can_be_made(each) or is_there(each)]
    # As text: inputs that are marked for the report would look for captions where their rule stands.
    return [str(path) for exhibit in wanted for path in exhibit_outputs(exhibit).values()]


def numbers_of_exhibit(name):
    """The .csv of a table or figure, in a list, which is empty if there is none to be had."""
    exhibit = EXHIBITS[name]
    return [exhibit_outputs(exhibit)["csv"]] if can_be_made(exhibit) or is_there(exhibit) else []


def verdicts_and_run_tables():
    """What is made from all runs together; in a partial run nothing, where there is none yet."""
    if not results_for("all"):
        return []
    claims = map(str, table_outputs("claims", "claims").values())
    return [*claims, RESULTS / "runs.csv", RESULTS / "summary.csv"]

"""Every table and figure: all that is true of it, in one entry.

To add one, write a module in ``tables/`` or ``figures/`` with a function, both of its name, enter
it in `EXHIBITS`, and put a caption of its name into ``report/``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from advprune.by_epoch.spec import BY_EPOCH_FILES
from advprune.paths import RESULT_FILES
from advprune.plan.config import Config, seeds_of
from advprune.plan.grid import experiment_runs
from advprune.spec.methods import METHODS
from advprune.spec.runs import FULL_SHARE, Run

TABLE1_SHARE = 0.6  # the p of the paper's Table 1


@dataclass(frozen=True)
class Exhibit:
    """A table or figure.

    Attributes:
        name: of its rule, its module and function, its files and its caption.
        folder: ``"tables"`` or ``"figures"``, where its module and its files are.
        title: its name in reports.
        runs: the runs that it is made from, of those that a config asks for; None if it needs none.
        verdicts: whether it is also made from what became of each attacked image in these runs.
        variants: whether it is also made from the same runs of every variant.
        run_files: whether it is also made from files in these runs' folders, beside the table.
        by_epoch: whether the runs are trained once more for it, and attacked after every epoch.
        scores: the studies whose examples' scores it is made from.
        all_seeds: whether by all seeds of them, or by the first alone.
        images: the study whose training images it is made from, or None.
        networks: whether it is made from the networks that were scored, too.
        torch: whether PyTorch must be there to make it.
        claims: whether it is made from the verdicts on the claims.
        timed: whether it shows the training time of its runs.

    Its function takes by keyword ``config``, and what it is made from: ``runs``, a table of runs;
    ``verdicts``, their `analysis.verdict_table.VerdictTable`; ``folder``, that of all runs, whose
    files `analysis.run_files` reads; ``scores``, study to a list of `analysis.scores.Scores`, one a
    seed; ``dataset``, the path of the images' file; ``claims``, the table of claims.
    """

    name: str
    folder: str
    title: str
    runs: Callable[[Config], list[Run]] | None = None
    verdicts: bool = False
    variants: bool = False
    run_files: bool = False
    by_epoch: bool = False
    scores: tuple[str, ...] = ()
    all_seeds: bool = False
    images: str | None = None
    networks: bool = False
    torch: bool = False
    claims: bool = False
    timed: bool = False

    @property
    def code(self) -> str:
        """Where its function is."""
        return f"advprune.{self.folder}.{self.name}:{self.name}"


def _of_mnist(experiment: str) -> Callable[[Config], list[Run]]:
    return lambda config: experiment_runs(config, "mnist", experiment)


def _of_both(experiment: str) -> Callable[[Config], list[Run]]:
    return lambda config: [
        run for study in config["studies"] for run in experiment_runs(config, study, experiment)
    ]


def _low_loss(config: Config) -> list[Run]:
    """Low-distance pruning by loss at every p, the method whose time the paper shows."""
    return [run for run in _of_both("accuracy")(config) if run.method in ("low-loss", "full")]


def _attacked(config: Config) -> list[Run]:
    """The runs of figures 3 and 4 and of Table 1 that prune in the first epoch, or never."""
    runs = {*_of_both("accuracy")(config), *_of_mnist("table1")(config)}
    return sorted(run for run in runs if run.e == 1)


def _at_one_share(config: Config) -> list[Run]:
    """Table 1's runs on MNIST and CIFAR10's of ``accuracy``: on all data, and at one p, Table 1's.

    Where an experiment does not have that p, the one nearest to it.
    """
    found: list[Run] = []
    wanted = TABLE1_SHARE
    for study, experiment in (("mnist", "table1"), ("cifar10", "accuracy")):
        runs = experiment_runs(config, study, experiment)
        pruned = {run.p for run in runs if METHODS[run.method].select}
        nearest = min(pruned, key=lambda p: (abs(float(p) - wanted), p), default=FULL_SHARE)
        wanted = float(nearest) if pruned else wanted
        found += [run for run in runs if run.p in (nearest, FULL_SHARE)]
    return sorted(found)


def _pruned(config: Config) -> list[Run]:
    """The runs of the experiments ``accuracy`` and ``table1`` that prune."""
    runs = {*_of_both("accuracy")(config), *_of_mnist("table1")(config)}
    return sorted(run for run in runs if METHODS[run.method].select)


# What is made of all claims together, and then all else in the paper's order.
_ALL = (
    Exhibit("replication", "figures", "Printed numbers beside ours", claims=True),
    Exhibit(*("figure1", "figures", "Figure 1: points near the boundary are dropped"), torch=True),
    Exhibit(
        *("figure2", "figures", "Figure 2: t-SNE before and after pruning"),
        scores=("mnist",),
        all_seeds=True,
        images="mnist",
        torch=True,
    ),
    Exhibit(
        *("figure2_features", "figures", "Figure 2, supplement: t-SNE of features"),
        scores=("mnist",),
        images="mnist",
        networks=True,
        torch=True,
    ),
    Exhibit(
        *("figure3", "figures", "Figure 3: accuracy on MNIST"),
        _of_mnist("accuracy"),
        verdicts=True,
    ),
    Exhibit(
        *("table1", "tables", "Table 1: pruning strategies on MNIST"),
        _of_mnist("table1"),
        verdicts=True,
        timed=True,
    ),
    Exhibit(
        *("attacks", "tables", "Table 1, supplement: what each attack leaves"),
        _attacked,
        verdicts=True,
    ),
    Exhibit(
        *("distribution", "figures", "Table 1, supplement: every single run"),
        _of_mnist("table1"),
        verdicts=True,
    ),
    Exhibit(
        *("figure4", "figures", "Figure 4: accuracy on CIFAR10"),
        lambda config: experiment_runs(config, "cifar10", "accuracy"),
        verdicts=True,
    ),
    Exhibit(
        *("standard_accuracy", "tables", "Figures 3 and 4, captions: no adversary"),
        _of_both("standard"),
        verdicts=True,
    ),
    Exhibit(
        *("collapse", "figures", "Figures 3 and 4, supplement: collapsed runs"),
        _of_both("accuracy"),
    ),
    Exhibit(
        *("pruning_epoch", "figures", "Supplement: the pruning epoch"),
        _of_mnist("pruning_epoch"),
        verdicts=True,
    ),
    Exhibit(
        *("curves", "figures", "Supplement: training curves"),
        runs=_at_one_share,
        run_files=True,
    ),
    Exhibit(
        *("kept", "tables", "Supplement: what pruning keeps"),
        runs=_pruned,
        run_files=True,
    ),
    Exhibit("figure5", "figures", "Figure 5: training time", _low_loss, timed=True),
    Exhibit("figure6", "figures", "Figure 6: loss and distance", scores=("mnist", "cifar10")),
    Exhibit(
        *("correlations", "tables", "Figure 6, supplement: correlations by seed"),
        scores=("mnist", "cifar10"),
        all_seeds=True,
    ),
    Exhibit("figure7", "tables", "Figure 7: hyperparameters"),
    Exhibit("figure8", "tables", "Figure 8: hypothesis tests", _of_mnist("table1")),
    Exhibit(
        *("comparisons", "tables", "Figure 8, supplement: effect sizes and more tests"),
        _of_mnist("table1"),
    ),
    Exhibit(
        *("sensitivity", "tables", "Supplement: one switch at a time"),
        _of_mnist("sensitivity"),
        variants=True,
    ),
    Exhibit(
        *("switches", "figures", "Supplement: one switch at a time, every run"),
        _of_mnist("sensitivity"),
        variants=True,
    ),
    Exhibit(
        *("by_epoch", "figures", "Supplement: accuracy by epoch"),
        _of_mnist("by_epoch"),
        run_files=True,
        by_epoch=True,
    ),
    Exhibit("appendix_c", "tables", "Appendix C: the toy model"),
    Exhibit("error_rates", "tables", "How often the verdicts err"),
)
EXHIBITS = {exhibit.name: exhibit for exhibit in _ALL}
# Those that are made from runs, each from a table of its own.
WITH_RUNS = [exhibit.name for exhibit in _ALL if exhibit.runs]


def scored(exhibit: Exhibit, config: Config) -> list[tuple[str, int]]:
    """The study and seed of each run whose scores a table or figure is made from."""
    found = []
    for study in exhibit.scores:
        seeds = seeds_of(config["studies"][study]["scores"])
        found += [(study, seed) for seed in (seeds if exhibit.all_seeds else seeds[:1])]
    return found


def is_asked_for(exhibit: Exhibit, config: Config) -> bool:
    """Whether a config has anything to make it from: experiments may have no seeds."""
    if exhibit.claims:
        return bool(runs_of("all", config))
    runs = not exhibit.runs or bool(exhibit.runs(config))
    return runs and (not exhibit.scores or bool(scored(exhibit, config)))


def runs_of(name: str, config: Config) -> list[Run]:
    """The runs that a table or figure is made from, sorted; ``"all"`` for those of every one."""
    if name == "all":
        return sorted({run for each in WITH_RUNS for run in runs_of(each, config)})
    return EXHIBITS[name].runs(config)


def files_of_a_run(name: str) -> tuple[str, ...]:
    """What lies in the folder of a run of which a table or figure, or ``"all"``, can be made."""
    is_by_epoch = name in EXHIBITS and EXHIBITS[name].by_epoch
    return (*RESULT_FILES, *(BY_EPOCH_FILES if is_by_epoch else ()))


def studies_of(name: str, config: Config) -> list[str]:
    """The studies on which a config asks for runs of a table or figure."""
    datasets = {run.dataset for run in runs_of(name, config)}
    return [name for name, study in config["studies"].items() if study["dataset"] in datasets]

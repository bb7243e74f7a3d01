"""Every table and figure by its name in reports, in the paper's order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A table or figure that the reports show.

    Attributes:
        folder: ``"tables"`` or ``"figures"``, where its files are.
        name: of its files.
        heading: its name in reports.
        place: a regular expression that finds it in a claim's place; empty where the paper has
            nothing of the kind.
    """

    folder: str
    name: str
    heading: str
    place: str = ""


ITEMS = (
    Item("figures", "figure1", "Figure 1: points near the boundary are dropped", r"\bFigure 1\b"),
    Item("figures", "figure2", "Figure 2: t-SNE before and after pruning", r"\bFigure 2\b"),
    Item("figures", "figure2_features", "Figure 2, supplement: t-SNE of features"),
    Item("figures", "figure3", "Figure 3: accuracy on MNIST", r"\bFigure 3\b"),
    Item("tables", "table1", "Table 1: pruning strategies on MNIST", r"\bTable 1\b"),
    Item("figures", "distribution", "Table 1, supplement: every single run"),
    Item("figures", "figure4", "Figure 4: accuracy on CIFAR10", r"\bFigure 4\b"),
    Item(
        *("tables", "standard_accuracy", "Figures 3 and 4, captions: no adversary"),
        r"\bFigure [34], caption",
    ),
    Item("figures", "collapse", "Figures 3 and 4, supplement: collapsed runs"),
    Item("figures", "pruning_epoch", "Supplement: the pruning epoch"),
    Item("figures", "figure5", "Figure 5: training time", r"\bFigure 5\b"),
    Item("figures", "figure6", "Figure 6: loss and distance", r"\bFigure 6\b"),
    Item("tables", "figure7", "Figure 7: hyperparameters", r"\bFigure 7\b"),
    Item("tables", "figure8", "Figure 8: hypothesis tests", r"\bFigure 8\b"),
    Item("tables", "comparisons", "Figure 8, supplement: effect sizes and more tests"),
    Item("tables", "appendix_c", "Appendix C: the toy model", r"\bAppendix C\b"),
)

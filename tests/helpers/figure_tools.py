"""What can be read off a drawn figure."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def texts(figure: Figure) -> list[str]:
    """All that is written on a figure."""
    return [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]


def face_of(figure: Figure) -> str:
    """The note below a figure, in one line."""
    return " ".join(figure.get_supxlabel().split())


def lines_of(axis: Axes) -> dict[str, list[list[float]]]:
    """The points of each line with error bars, by its name in the legend."""
    return {bars.get_label(): bars.lines[0].get_xydata().tolist() for bars in axis.containers}


def bars_of(axis: Axes) -> Iterator[tuple[float, float]]:
    """The ends of each vertical error bar of a panel."""
    for container in axis.containers:
        for part in container.lines[2]:
            yield from (tuple(segment[:, 1].tolist()) for segment in part.get_segments())

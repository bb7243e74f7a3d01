"""What can be read off a drawn figure."""

import itertools
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
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


def touching(figure: Figure) -> list[str]:
    """What is drawn over something else or over the edge: panels, legends, rows' labels."""
    FigureCanvasAgg(figure).draw()
    boxes = {f"panel {n}": axis.get_tightbbox() for n, axis in enumerate(figure.axes)}
    boxes |= {f"legend {n}": box.get_window_extent() for n, box in enumerate(figure.legends)}
    pairs = list(itertools.combinations(boxes, 2))
    found = [f"{one}, {other}" for one, other in pairs if boxes[one].overlaps(boxes[other])]
    found += [
        f"{name} beyond the edge"
        for name, box in boxes.items()
        if "legend" in name and (box.x0 < figure.bbox.x0 or box.x1 > figure.bbox.x1)
    ]
    for axis in figure.axes:
        rows = [label.get_window_extent() for label in axis.get_yticklabels()]
        found += [
            axis.get_ylabel() for one, other in itertools.pairwise(rows) if one.overlaps(other)
        ]
        label, panel = axis.yaxis.label.get_window_extent(), axis.get_window_extent()
        if axis.get_ylabel() and label.height > panel.height:
            found.append(axis.get_ylabel())
    return found

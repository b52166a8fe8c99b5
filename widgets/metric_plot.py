"""MetricPlot: one or several series over time, with an axis in human units, gaps as gaps, and a limit line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from widgets.plot_canvas import Canvas, draw_series
from widgets.quantities import FORMATS, Unit, axis_top
from widgets.style_tokens import token_style

__all__ = ["MetricPlot", "Series", "Unit"]

Points = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of the plot.

    `points` are (POSIX seconds, value), oldest first; a None value is a gap. `token` colours it (default: by place).
    """

    label: str
    points: tuple[tuple[float, float | None], ...]
    token: str = ""


def _clock(time: float, span: float) -> str:
    moment = datetime.fromtimestamp(time).astimezone()
    if span > 2 * 86_400:
        return moment.strftime("%d %b")
    return moment.strftime("%H:%M:%S" if span <= 600 else "%H:%M")


class MetricPlot(Widget):
    """A plot that fills its widget. Line 1 is title and legend with last, least and highest values."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"metric-plot--title", "metric-plot--empty"}
    DEFAULT_CSS = """
    MetricPlot {
        width: 1fr;
        height: 1fr;
        min-height: 4;
        color: $foreground;
        & > .metric-plot--title { text-style: bold; }
        & > .metric-plot--empty { color: $foreground-muted; }
    }
    """

    def __init__(
        self,
        title: str,
        unit: Unit,
        *,
        gap_seconds: float | None = None,
        ascii_only: bool = False,
        empty_text: str = "No samples yet.",
        clock: Callable[[float, float], str] = _clock,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """A plot without data.

        Args:
            title: What is plotted.
            unit: What its values are, and how they are written.
            gap_seconds: Points further apart than this are not joined.
            ascii_only: Draw with ASCII, for terminals without braille.
            empty_text: Shown while there is no value.
            clock: From (POSIX seconds, seconds shown) to the label of the time axis.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._title = title
        self._unit: Unit = unit
        self._gap = gap_seconds
        self._ascii = ascii_only
        self._empty_text = empty_text
        self._clock = clock
        self._series: tuple[Series, ...] = ()
        self._limit: float | None = None
        self._range: tuple[float, float] | None = None
        self._strips: list[Strip] = []
        self._painted_size = (0, 0)

    def show(
        self,
        series: Sequence[Series],
        *,
        limit: float | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> None:
        """Plot these series from `start` to `end` (POSIX seconds; default: the first and last point).

        `limit` draws a line there (0 and None draw none). Equal data costs nothing.
        """
        times = [point[0] for one in series for point in one.points]
        first = start if start is not None else min(times, default=0.0)
        last = end if end is not None else max(times, default=0.0)
        state = (tuple(series), limit or None, (first, last))
        if state != (self._series, self._limit, self._range):
            self._series, self._limit, self._range = state
            self._forget()

    def _forget(self) -> None:
        self._strips = []
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []

    def render_line(self, y: int) -> Strip:
        size = (self.size.width, self.size.height)
        if not self._strips or self._painted_size != size:
            self._painted_size = size
            self._strips = [
                Strip(segments).adjust_cell_length(self.size.width, self.rich_style) for segments in self._paint(*size)
            ]
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    # Painting

    def _paint(self, width: int, height: int) -> list[list[Segment]]:
        base = self.rich_style
        lines = [self._legend(width)]
        values = [value for one in self._series for _, value in one.points if value is not None]
        if not values or self._range is None:
            empty = self.get_component_rich_style("metric-plot--empty")
            return [*lines, [Segment(set_cell_size(f"  {self._empty_text}", width), empty)]]
        top = self._top(max(values))
        rows = max(1, height - 2)
        labels = self._axis_labels(top, rows, 1 if self._ascii else 4)
        label_width = max(cell_len(label) for label in labels.values())
        columns = width - label_width - 2
        if columns < 4:
            return lines
        canvas = Canvas(columns, rows, ascii_only=self._ascii)
        limit_owner = len(self._series)
        if self._limit is not None and self._limit <= top:
            level = round(self._limit / top * (canvas.height - 1))
            for x in range(0, canvas.width, 1 if self._ascii else 3):
                canvas.dot(x, level, limit_owner)
        start, end = self._range
        for owner, one in reversed(list(enumerate(self._series))):
            draw_series(canvas, one.points, start=start, end=end, top=top, owner=owner, gap=self._gap)
        axis = base + token_style(self, "plot-axis")
        styles = {owner: base + self._series_style(owner) for owner in range(len(self._series))}
        styles[limit_owner] = base + token_style(self, "plot-limit")
        tick, bar = ("+", "|") if self._ascii else ("┤", "│")
        for row in range(rows):
            label = labels.get(row, "")
            line = [Segment(f"{label:>{label_width}} {tick if label else bar}", axis)]
            line += [Segment(text, styles.get(owner, base)) for text, owner in canvas.runs(row)]
            lines.append(line)
        if height > 2:
            lines.append([Segment(" " * (label_width + 1) + self._time_axis(columns + 1, start, end), axis)])
        return lines

    def _top(self, highest: float) -> float:
        if self._limit is not None and highest <= self._limit <= highest * 4:
            # A limit in reach belongs in the picture; one far above would flatten the line.
            return axis_top(self._limit, self._unit)
        return axis_top(highest, self._unit)

    def _axis_labels(self, top: float, rows: int, dots: int) -> dict[int, str]:
        """Label of some rows; each cell of a row has `dots` dots above each other."""
        text = FORMATS[self._unit]
        if rows == 1:
            return {0: text(top)}
        labels = {0: text(top), rows - 1: text(0)}
        if rows >= 5:
            labels[rows - 1 - round((rows * dots - 1) / 2) // dots] = text(top / 2)
        return labels

    def _time_axis(self, width: int, start: float, end: float) -> str:
        span = end - start
        labels = [self._clock(start, span), self._clock(start + span / 2, span), self._clock(end, span)]
        line = [" "] * width
        wide = sum(len(label) + 3 for label in labels) <= width
        spots = [(0, labels[0]), (width - len(labels[2]), labels[2])]
        if wide:
            spots.append(((width - len(labels[1])) // 2, labels[1]))
        elif width < len(labels[0]) + len(labels[2]) + 1:
            spots = spots[1:]
        for at, label in spots:
            line[max(0, at) : max(0, at) + len(label)] = label
        return "".join(line)[:width]

    def _series_style(self, owner: int) -> Style:
        return token_style(self, self._series[owner].token or f"plot-{owner % 6 + 1}")

    def _legend(self, width: int) -> list[Segment]:
        base = self.rich_style
        text = FORMATS[self._unit]
        muted = base + token_style(self, "muted")
        parts: list[tuple[str, Style]] = [(self._title, self.get_component_rich_style("metric-plot--title"))]
        for owner, one in enumerate(self._series):
            values = [value for _, value in one.points if value is not None]
            style = base + self._series_style(owner)
            mark = ("*o+x#%"[owner % 6] if self._ascii else "━") + " " if len(self._series) > 1 else ""
            last = one.points[-1][1] if one.points else None
            parts.append((f"  {mark}{one.label} ".replace("   ", "  ") if one.label else "  ", style))
            parts.append(("–" if last is None else text(last), style + Style(bold=True)))
            if values:
                parts.append((f" (min {text(min(values))}, max {text(max(values))})", muted))
        if self._limit is not None:
            parts.append((f"  limit {text(self._limit)}", base + token_style(self, "plot-limit")))
        if sum(cell_len(part) for part, _ in parts) > width:
            parts = [part for part in parts if not part[0].startswith(" (min")]
        return [Segment(part, style) for part, style in parts]

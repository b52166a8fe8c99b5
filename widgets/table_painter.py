"""How a ResourceTable looks: strips for its header and rows, from the places of its columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from widgets.middle_cut import ELLIPSIS, middle_cuts
from widgets.style_tokens import token_style
from widgets.table_columns import Cell, Column, Placed, place_columns
from widgets.table_model import RowChanges, TableModel

if TYPE_CHECKING:
    from widgets.resource_table import ResourceTable

T = TypeVar("T")

GUTTER = 2
"""Cells left of the first column: the mark, and a space."""
MARK = "●"


class TablePainter(Generic[T]):
    """Places columns and paints lines; knows the model and asks the table only for its state and styles."""

    def __init__(self, table: ResourceTable[T], model: TableModel[T]) -> None:
        self._table = table
        self._model = model
        self._cuts: dict[int, dict[str, str]] = {}
        self._styles: dict[tuple[str, bool], Style] = {}
        self.placed: list[Placed] = []
        self.total = 0

    def place(self, total: int, changes: RowChanges | None) -> bool:
        """Place the columns in `total` cells; True where a place or a cut name changed. None: everything is new."""
        if total <= 0:
            return False
        names_changed = changes is None or self._names_changed(changes)
        if not names_changed and total == self.total and self._widths_hold():
            return False
        before = (self.placed, self._cuts)
        self.total = total
        self._cuts = {}
        needs: dict[int, int] = {}
        # Each round can only widen a column of names, and never past the longest name: a few rounds settle it.
        for _ in range(8):
            self.placed = place_columns(self._model.columns, self._natural(), total - GUTTER, needs=needs)
            wider = False
            for place in self.placed:
                if self._model.columns[place.index].cut == "middle":
                    cuts = self._cut_names(place)
                    need = max((cell_len(cut) for cut in cuts.values()), default=0)
                    if need > place.width and needs.get(place.index, 0) < need <= total - GUTTER:
                        needs[place.index] = need
                        wider = True
            if not wider:
                break
        return before != (self.placed, self._cuts)

    def _names_changed(self, changes: RowChanges) -> bool:
        if changes.added or changes.removed:
            return True
        cut = {i for i, column in enumerate(self._model.columns) if column.cut == "middle"}
        return any(not cut.isdisjoint(columns) for columns in changes.cells.values())

    def _widths_hold(self) -> bool:
        natural = self._natural()
        return all(
            natural[place.index] <= place.width or self._model.columns[place.index].width is not None
            for place in self.placed
        )

    def _natural(self) -> list[int]:
        sort_column = self._table.sort_column
        return [
            max(wish, cell_len(column.title) + 2) if column.key == sort_column else wish
            for wish, column in zip(self._model.natural, self._model.columns, strict=True)
        ]

    def _cut_names(self, place: Placed) -> dict[str, str]:
        names = list(dict.fromkeys(self._model.cells[key][place.index].plain for key in self._model.data))
        cuts = dict(zip(names, middle_cuts(names, place.width), strict=True))
        self._cuts[place.index] = cuts
        return cuts

    def cell_regions(self, columns: Iterable[int]) -> Iterator[tuple[int, int]]:
        """(x, width) on the line of each of these columns that is shown."""
        wanted = set(columns)
        for place in self.placed:
            if place.index in wanted:
                yield place.x + GUTTER, place.width

    def column_at(self, x: int) -> str | None:
        for place in self.placed:
            if place.x + GUTTER <= x <= place.x + GUTTER + place.width:
                return self._model.columns[place.index].key
        return None

    def forget_styles(self) -> None:
        self._styles.clear()

    # Lines

    def header(self) -> Strip:
        table = self._table
        plain = table.get_component_rich_style("resource-table--header")
        ordered = table.get_component_rich_style("resource-table--sorted")
        line = _Line(plain)
        for place in self.placed:
            column = self._model.columns[place.index]
            title, style = column.title, plain
            if column.key == table.sort_column:
                arrow = "▼" if table.sort_descending else "▲"
                title = f"{title[: max(0, place.width - 2)]} {arrow}" if place.width > 2 else arrow
                style = ordered
            line.put(place.x + GUTTER, [(_fit(title, place.width, column), style)])
        return line.strip(self.total)

    def row(self, key: str) -> Strip:
        table = self._table
        cursor = key == table.selected_key
        base = table.get_component_rich_style("resource-table--cursor") if cursor else table.rich_style
        line = _Line(base)
        if table.is_marked(key):
            line.put(0, [(MARK, self._style("mark", base, cursor))])
        cells = self._model.cells[key]
        for place in self.placed:
            column = self._model.columns[place.index]
            line.put(place.x + GUTTER, self._cell(cells[place.index], place, column, base, cursor))
        return line.strip(self.total)

    def empty(self, y: int) -> Strip:
        table = self._table
        if table.filter_text and self._model.data:
            lines = [f"No row contains “{table.filter_text}” ({len(self._model.data)} hidden)."]
        else:
            lines = table.empty_text.splitlines()
        room = max(1, self.total - GUTTER)
        lines = [part for words in lines for part in _wrapped(words, room)]
        line = _Line(table.get_component_rich_style("resource-table--empty"))
        if 0 <= y < len(lines):
            line.put(GUTTER, [(set_cell_size(lines[y], room), line.base)])
        return line.strip(self.total)

    def blank(self) -> Strip:
        return Strip.blank(self.total, self._table.rich_style)

    def _style(self, token: str, base: Style, cursor: bool) -> Style:
        style = self._styles.get((token, cursor))
        if style is None:
            style = self._styles[token, cursor] = base + token_style(self._table, token)
        return style

    def _cell(self, cell: Cell, place: Placed, column: Column[T], base: Style, cursor: bool) -> list[tuple[str, Style]]:
        style = self._style(cell.token, base, cursor) if cell.token else base
        if isinstance(cell.text, Text):
            return self._rich_cell(cell.text, place, column, style)
        text = cell.text
        if column.cut == "middle":
            text = self._cuts.get(place.index, {}).get(text, text)
        text = _fit(text, place.width, column)
        needle = self._table.filter_text.casefold()
        if needle and len(folded := text.casefold()) == len(text) and (at := folded.find(needle)) >= 0:
            end = at + len(needle)
            match = style + self._table.get_component_rich_style("resource-table--match", partial=True)
            match += token_style(self._table, "match-background")
            parts = [(text[:at], style), (text[at:end], match), (text[end:], style)]
            return [(part, part_style) for part, part_style in parts if part]
        return [(text, style)]

    def _rich_cell(self, text: Text, place: Placed, column: Column[T], style: Style) -> list[tuple[str, Style]]:
        shown = text.copy()
        shown.truncate(place.width, overflow="ellipsis")
        spare = place.width - shown.cell_len
        if spare > 0 and column.align == "right":
            shown.pad_left(spare)
        elif spare > 0:
            shown.pad_right(spare)
        segments = shown.render(self._table.app.console)
        return [
            (segment.text, style + segment.style if segment.style else style)
            for segment in segments
            if segment.text and segment.text != "\n"
        ]


def _fit(text: str, width: int, column: Column[Any]) -> str:
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""
    return " " * (width - size) + text if column.align == "right" else text + " " * (width - size)


class _Line:
    """Segments put at rising positions of one line, with the base style between them."""

    def __init__(self, base: Style) -> None:
        self.base = base
        self._segments: list[Segment] = []
        self._x = 0

    def put(self, x: int, parts: Iterable[tuple[str, Style]]) -> None:
        if x > self._x:
            self._segments.append(Segment(" " * (x - self._x), self.base))
            self._x = x
        for text, style in parts:
            if text:
                self._segments.append(Segment(text, style))
                self._x += cell_len(text)

    def strip(self, width: int) -> Strip:
        return Strip(self._segments, self._x).adjust_cell_length(width, self.base)


def _wrapped(line: str, width: int) -> list[str]:
    """Broken between words, indented as its beginning; a word is broken only where it alone is too long."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    return textwrap.wrap(line, max(width, len(indent) + 1), subsequent_indent=indent, break_on_hyphens=False) or [""]

"""ResourceTable: a live table whose cursor stays on its object, whatever the rows do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.table_columns import Cell, Column, Row
from widgets.table_model import RowChanges, TableModel
from widgets.table_painter import GUTTER, TablePainter

__all__ = ["Cell", "Column", "ResourceTable", "Row"]

T = TypeVar("T")


class ResourceTable(ScrollView, Generic[T], can_focus=True):
    """A table of rows keyed by identity.

    `update_rows` takes the whole set of rows and repaints only the cells that changed. The selection is a key, never a
    position: a re-sorted row takes the cursor with it, and when the selected object vanishes, the nearest that remains
    is selected and `SelectionLost` says so. Marks (space) are keys too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("g,home", "move_to(0)", "First", show=False),
        Binding("G,end", "move_to(-1)", "Last", show=False),
        Binding("ctrl+d", "move_page(0.5)", "Half page down", show=False),
        Binding("ctrl+u", "move_page(-0.5)", "Half page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("enter", "activate", "Open", show=False),
        Binding("space", "toggle_mark", "Mark", show=False),
        Binding("less_than_sign", "sort_next(-1)", "Sort by column to the left", show=False),
        Binding("greater_than_sign", "sort_next(1)", "Sort by column to the right", show=False),
        Binding("O", "sort_reverse", "Reverse the order", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "resource-table--header",
        "resource-table--sorted",
        "resource-table--cursor",
        "resource-table--match",
        "resource-table--empty",
    }

    DEFAULT_CSS = """
    ResourceTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        color: $foreground;
        & > .resource-table--header { color: $foreground-muted; text-style: bold; }
        & > .resource-table--sorted { color: $accent; text-style: bold; }
        & > .resource-table--cursor { background: $surface-lighten-2; }
        & > .resource-table--match { text-style: bold underline; }
        & > .resource-table--empty { color: $foreground-muted; }
        &:focus > .resource-table--cursor { background: $primary-muted; text-style: bold; }
    }
    """

    filter_text: reactive[str] = reactive("", init=False)
    """Only rows with this text in some column are shown; matches are highlighted. Case does not count."""
    sort_column: var[str | None] = var[str | None](None, init=False)
    """Key of the column the rows are sorted by; None keeps the order they were given in."""
    sort_descending: var[bool] = var(False, init=False)
    empty_text: reactive[str] = reactive("Nothing here yet.", init=False)
    """Shown instead of rows; may have several lines. Where a filter hides all rows, that is said instead."""

    class _TableMessage(Message):
        def __init__(self, table: ResourceTable[Any]) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> ResourceTable[Any]:
            return self.table

    class _KeyMessage(_TableMessage):
        def __init__(self, table: ResourceTable[Any], key: str) -> None:
            super().__init__(table)
            self.key = key

    class Selected(_KeyMessage):
        """The cursor came to another object."""

    class Activated(_KeyMessage):
        """Enter or a double click on an object."""

    class SelectionLost(_KeyMessage):
        """The selected object `key` is gone; `replacement` (None: no rows left) is selected now."""

        def __init__(self, table: ResourceTable[Any], key: str, replacement: str | None) -> None:
            super().__init__(table, key)
            self.replacement = replacement

    class MarksChanged(_TableMessage):
        """The set of marked keys changed."""

        def __init__(self, table: ResourceTable[Any], keys: frozenset[str]) -> None:
            super().__init__(table)
            self.keys = keys

    class SortChanged(_TableMessage):
        """The user or the program sorted by another column or the other way round."""

        def __init__(self, table: ResourceTable[Any], column: str | None, descending: bool) -> None:
            super().__init__(table)
            self.column = column
            self.descending = descending

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        sort_column: str | None = None,
        sort_descending: bool = False,
        empty_text: str = "Nothing here yet.",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._model: TableModel[T] = TableModel(columns)
        self._painter: TablePainter[T] = TablePainter(self, self._model)
        self._selected: str | None = None
        self._marked: dict[str, None] = {}
        self.set_reactive(ResourceTable.sort_column, sort_column)
        self.set_reactive(ResourceTable.sort_descending, sort_descending)
        self.set_reactive(ResourceTable.empty_text, empty_text)

    # Rows in

    def update_rows(self, rows: Sequence[Row[T]]) -> None:
        """Show these rows, the whole set. Order matters only where no sort column is set.

        Raises:
            ValueError: Two rows have the same key.
        """
        old_order = self._model.order
        changes = self._model.update(rows)
        lost_marks = changes.removed & self._marked.keys()
        for key in lost_marks:
            del self._marked[key]
        if not old_order:
            self._model.reset_natural()
        self._arrange(old_order, changes)
        if lost_marks:
            self.post_message(self.MarksChanged(self, self.marked_keys))

    def refresh_cells(self) -> None:
        """Render all rows anew, for cells that change by themselves (an age); only changed cells are repainted."""
        self._arrange(self._model.order, self._model.render_again())

    # Selection, marks, order

    @property
    def selected_key(self) -> str | None:
        """Identity of the row under the cursor; None only where no row is shown."""
        return self._selected

    @property
    def selected(self) -> T | None:
        """Data of the row under the cursor."""
        return None if self._selected is None else self._model.data.get(self._selected)

    @property
    def visible_keys(self) -> tuple[str, ...]:
        """Keys of the rows that pass the filter, in the order shown."""
        return tuple(self._model.order)

    @property
    def row_count(self) -> int:
        """Number of rows, those that the filter hides included."""
        return len(self._model.data)

    @property
    def marked_keys(self) -> frozenset[str]:
        return frozenset(self._marked)

    @property
    def targets(self) -> list[T]:
        """What an action applies to: the marked rows in the order shown, else the selected one."""
        if self._marked:
            shown = [key for key in self._model.order if key in self._marked]
            hidden = [key for key in self._marked if key not in self._model.index]
            return [self._model.data[key] for key in shown + hidden]
        return [] if self.selected is None else [self.selected]

    def select(self, key: str) -> bool:
        """Move the cursor to the object `key`; False where it is not shown."""
        if key not in self._model.index:
            return False
        self._select(key)
        return True

    def is_marked(self, key: str) -> bool:
        return key in self._marked

    def clear_marks(self) -> None:
        if self._marked:
            self._marked.clear()
            self.refresh()
            self.post_message(self.MarksChanged(self, frozenset()))

    def sort_by(self, column: str | None, descending: bool | None = None) -> None:
        """Sort by a column's key. Without `descending`: the column's own direction, or the other one if sorted by it.

        Raises:
            KeyError: No such column.
        """
        if column is not None:
            declared = next((c for c in self._model.columns if c.key == column), None)
            if declared is None:
                raise KeyError(column)
            if descending is None:
                same = column == self.sort_column
                descending = not self.sort_descending if same else declared.descending_first
        self.sort_column = column
        self.sort_descending = bool(descending)
        self._arrange(self._model.order, RowChanges(), repaint=True)
        self.post_message(self.SortChanged(self, self.sort_column, self.sort_descending))

    def watch_filter_text(self) -> None:
        self._arrange(self._model.order, RowChanges(), repaint=True)

    # What an update does to the screen

    def _arrange(self, old_order: Sequence[str], changes: RowChanges, *, repaint: bool = False) -> None:
        model = self._model
        old_row = model.index.get(self._selected or "", 0)
        top, page = round(self.scroll_y), max(1, self._page)
        model.arrange(self.sort_column, self.sort_descending, self.filter_text)
        moved = self._painter.place(self._width, changes)
        self._keep_selection(old_order, old_row)
        if len(model.order) != len(old_order):
            self.virtual_size = Size(0, len(model.order) + 1)
        if self._selected is not None and model.index[self._selected] != old_row and top <= old_row < top + page:
            self._show_cursor()
        if moved or repaint or not old_order or not model.order:
            self.refresh()
            return
        for y in range(round(self.scroll_y), round(self.scroll_y) + self._page):
            key = model.order[y] if y < len(model.order) else None
            if key != (old_order[y] if y < len(old_order) else None):
                self._refresh_row(y)
            elif key is not None:
                for region in self._painter.cell_regions(changes.cells.get(key, frozenset())):
                    self.refresh(Region(region[0], y - round(self.scroll_y) + 1, region[1], 1))

    def _keep_selection(self, old_order: Sequence[str], old_row: int) -> None:
        lost = self._selected
        if lost is not None and lost in self._model.index:
            return
        if lost is None:
            replacement = self._model.order[0] if self._model.order else None
        else:
            replacement = self._model.nearest_remaining(lost, old_order, old_row)
        self._selected = replacement
        if lost is not None and lost not in self._model.data:
            self.post_message(self.SelectionLost(self, lost, replacement))
        if replacement is not None:
            self._show_cursor()
            self._refresh_row(self._model.index[replacement])
            self.post_message(self.Selected(self, replacement))

    def _select(self, key: str) -> None:
        if key == self._selected:
            self._show_cursor()
            return
        before = self._model.index.get(self._selected or "")
        self._selected = key
        if before is not None:
            self._refresh_row(before)
        self._refresh_row(self._model.index[key])
        self._show_cursor()
        self.post_message(self.Selected(self, key))

    def _show_cursor(self) -> None:
        if self._selected is None or self._page <= 0:
            return
        row, top = self._model.index[self._selected], round(self.scroll_y)
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row >= top + self._page:
            self.scroll_to(y=row - self._page + 1, animate=False, force=True)

    def _refresh_row(self, row: int) -> None:
        y = row - round(self.scroll_y) + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    @property
    def _page(self) -> int:
        """Rows that fit under the header."""
        return self.scrollable_content_region.height - 1

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    # Painting

    def on_resize(self) -> None:
        self._model.reset_natural()
        self._painter.place(self._width, None)
        self._show_cursor()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget_styles()

    def render_line(self, y: int) -> Strip:
        if self._painter.total != self._width:
            self._painter.place(self._width, None)
        if y == 0:
            return self._painter.header()
        row = round(self.scroll_y) + y - 1
        if row < len(self._model.order):
            return self._painter.row(self._model.order[row])
        if not self._model.order:
            return self._painter.empty(y - 2)
        return self._painter.blank()

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        self._go((self._cursor_row or 0) + rows)

    def action_move_page(self, pages: float) -> None:
        self._go((self._cursor_row or 0) + int(pages * max(1, self._page)))

    def action_move_to(self, row: int) -> None:
        self._go(row if row >= 0 else len(self._model.order) - 1)

    def action_activate(self) -> None:
        if self._selected is not None:
            self.post_message(self.Activated(self, self._selected))

    def action_toggle_mark(self) -> None:
        """Mark or unmark the selected row and step down, so that holding space marks a run."""
        if self._selected is None:
            return
        if self._selected in self._marked:
            del self._marked[self._selected]
        else:
            self._marked[self._selected] = None
        self._refresh_row(self._model.index[self._selected])
        self.post_message(self.MarksChanged(self, self.marked_keys))
        self.action_move(1)

    def action_sort_next(self, step: int) -> None:
        shown = [self._model.columns[place.index].key for place in self._painter.placed]
        if shown:
            at = shown.index(self.sort_column) + step if self.sort_column in shown else 0
            self.sort_by(shown[at % len(shown)])

    def action_sort_reverse(self) -> None:
        if self.sort_column is not None:
            self.sort_by(self.sort_column)

    @property
    def _cursor_row(self) -> int | None:
        return None if self._selected is None else self._model.index[self._selected]

    def _go(self, row: int) -> None:
        if self._model.order:
            self._select(self._model.order[max(0, min(row, len(self._model.order) - 1))])

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or event.button != 1:
            return
        if offset.y == 0:
            column = self._painter.column_at(offset.x)
            if column is not None:
                self.sort_by(column)
            return
        row = round(self.scroll_y) + offset.y - 1
        if row >= len(self._model.order):
            return
        key = self._model.order[row]
        self._select(key)
        if offset.x < GUTTER:
            self.action_toggle_mark()
        elif event.chain == 2:
            self.post_message(self.Activated(self, key))

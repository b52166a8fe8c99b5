"""The rows of a table by identity: what changed, in which order they stand, which pass the filter. No screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rich.cells import cell_len

from widgets.table_columns import Cell, Column, Row, as_cell

T = TypeVar("T")


@dataclass(slots=True)
class RowChanges:
    """What one update changed: column indexes by key for rows that stayed, and whether rows came or went."""

    cells: dict[str, frozenset[int]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


_NUMBER = re.compile(r"([0-9]{1,18})")


def _natural(text: str) -> list[str | int]:
    """Sort key of a text by which web-2 comes before web-10: words and numbers take turns."""
    return [int(part) if at % 2 else part for at, part in enumerate(_NUMBER.split(text.casefold()))]


class TableModel(Generic[T]):
    """Rows keyed by identity, with rendered cells, a sort and a filter."""

    def __init__(self, columns: Sequence[Column[T]]) -> None:
        self.columns = tuple(columns)
        self.data: dict[str, T] = {}
        self.cells: dict[str, tuple[Cell, ...]] = {}
        self.order: list[str] = []
        self.index: dict[str, int] = {}
        self.natural = [cell_len(column.title) for column in self.columns]

    def update(self, rows: Sequence[Row[T]]) -> RowChanges:
        """Make the rows these (whole set). Rows whose data compares equal to before are not rendered again.

        Raises:
            ValueError: Two rows have the same key.
        """
        changes = RowChanges()
        fresh: dict[str, T] = {}
        for row in rows:
            if row.key in fresh:
                raise ValueError(f"two rows have the key {row.key!r}")
            fresh[row.key] = row.data
            if row.key not in self.data:
                changes.added.add(row.key)
                self._render(row.key, row.data)
            elif self.data[row.key] != row.data:
                changed = self._render(row.key, row.data)
                if changed:
                    changes.cells[row.key] = changed
        changes.removed = self.data.keys() - fresh.keys()
        for key in changes.removed:
            del self.cells[key]
        self.data = fresh
        return changes

    def render_again(self) -> RowChanges:
        """Render every row anew, for cells that depend on more than the data (an age, a theme)."""
        changes = RowChanges()
        for key, data in self.data.items():
            changed = self._render(key, data)
            if changed:
                changes.cells[key] = changed
        return changes

    def _render(self, key: str, data: T) -> frozenset[int]:
        before = self.cells.get(key)
        cells = tuple(as_cell(column.render(data)) for column in self.columns)
        self.cells[key] = cells
        if before is None:
            changed = range(len(cells))
        elif before == cells:
            return frozenset()
        else:
            changed = [i for i, cell in enumerate(cells) if cell != before[i]]  # type: ignore[assignment]
        for i in changed:
            self.natural[i] = max(self.natural[i], cell_len(cells[i].plain))
        return frozenset(changed)

    def reset_natural(self) -> None:
        """Measure all columns afresh; between two resets they only grow, so that a live table does not wobble."""
        self.natural = [cell_len(column.title) for column in self.columns]
        for cells in self.cells.values():
            for i, cell in enumerate(cells):
                self.natural[i] = max(self.natural[i], cell_len(cell.plain))

    def arrange(self, sort_column: str | None, descending: bool, filter_text: str) -> None:
        """Compute `order` and `index`. Ties stand by the first column, rising, then by key: where readers look for
        them, and equal rows never swap places."""
        needle = filter_text.casefold()
        keys = [key for key in self.data if self._matches(key, needle)] if needle else list(self.data)
        column_index = next((i for i, column in enumerate(self.columns) if column.key == sort_column), None)
        if column_index is not None:
            keys = self._sorted(sorted(keys), 0)
            keys = self._sorted(keys, column_index, descending) if column_index or descending else keys
        self.order = keys
        self.index = {key: i for i, key in enumerate(keys)}

    def _sorted(self, keys: Sequence[str], column_index: int, descending: bool = False) -> list[str]:
        """By the values of a column, those without one last; ties stay in the order of `keys`."""
        valued: list[tuple[Any, str]] = []
        missing: list[str] = []
        for key in keys:
            value = self._sort_value(key, column_index)
            if value is None:
                missing.append(key)
            else:
                valued.append((value, key))
        valued.sort(key=lambda pair: pair[0], reverse=descending)
        return [key for _, key in valued] + missing

    def _sort_value(self, key: str, column_index: int) -> Any:
        sort = self.columns[column_index].sort
        if sort is None:
            return _natural(self.cells[key][column_index].plain)
        return sort(self.data[key])

    def _matches(self, key: str, needle: str) -> bool:
        return any(needle in cell.plain.casefold() for cell in self.cells[key])

    def nearest_remaining(self, key: str, old_order: Sequence[str], old_index: int) -> str | None:
        """The row to select where `key` is gone: the next below it in the old order that remains, else above."""
        if not self.order:
            return None
        below = (other for other in old_order[old_index + 1 :] if other in self.index)
        above = (other for other in reversed(old_order[:old_index]) if other in self.index)
        return next(below, None) or next(above, None) or self.order[0]

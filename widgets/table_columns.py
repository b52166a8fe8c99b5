"""What a table column is, and how columns share the width: pure, no screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from rich.text import Text

from widgets.ansi_text import clean

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column shows for one row: text (a str, or a Rich Text with spans) and a style token for all of it."""

    text: str | Text = ""
    token: str = ""

    @property
    def plain(self) -> str:
        return self.text if isinstance(self.text, str) else self.text.plain


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One object of the table. `key` is its identity; `data` is what columns render (compared by ==)."""

    key: str
    data: T


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A declared column.

    Args:
        key: Identity of the column, for sorting.
        title: Header text.
        render: From the row's data to a Cell, a str, or a Rich Text.
        sort: From the row's data to something that compares; None sorts last. Default: the text shown.
        width: Fixed width in cells. Default: as wide as the content, within `min_width` and `max_width`.
        min_width: Never narrower than this.
        max_width: Wider only when there is room left and `flex` is set.
        flex: Share of the room left over (0: none).
        align: Where the text sits.
        cut: How too long text is cut: in the middle (names; the column then grows until no two look alike) or at
            the end.
        priority: 0 stays always; of the others the highest number goes first when the table is narrow.
        descending_first: The first click on the header sorts from high to low (for numbers).
    """

    key: str
    title: str
    render: Callable[[T], Cell | str | Text]
    sort: Callable[[T], Any] | None = None
    width: int | None = None
    min_width: int = 4
    max_width: int = 40
    flex: int = 0
    align: Literal["left", "right"] = "left"
    cut: Literal["middle", "end"] = "end"
    priority: int = 0
    descending_first: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown: its index among the declared ones, and its cells from `x`."""

    index: int
    x: int
    width: int


def as_cell(value: Cell | str | Text) -> Cell:
    """A Cell whose text is safe to draw: no line breaks, no control characters, whatever an image or message holds."""
    cell = value if isinstance(value, Cell) else Cell(value)
    if cell.plain.isprintable():
        return cell
    return Cell(clean(" ".join(cell.plain.splitlines()))[0], cell.token)


def place_columns(
    columns: Sequence[Column[Any]],
    natural: Sequence[int],
    total: int,
    gap: int = 2,
    needs: Mapping[int, int] | None = None,
) -> list[Placed]:
    """Give every column its place in `total` cells, dropping by priority what does not fit.

    Args:
        columns: The declared columns.
        natural: For each, the width its content asks for (header included).
        total: Cells to share.
        gap: Empty cells between two columns.
        needs: Least widths of some columns by index, over what they declare.
    """
    least = [
        max(_least(column, wish), (needs or {}).get(i, 0))
        for i, (column, wish) in enumerate(zip(columns, natural, strict=True))
    ]
    shown = list(range(len(columns)))
    while len(shown) > 1 and sum(least[i] for i in shown) + gap * (len(shown) - 1) > total:
        droppable = [i for i in shown if columns[i].priority > 0]
        if not droppable:
            break
        # The last of equals goes first, so that the left edge stays what it was.
        shown.remove(max(droppable, key=lambda i: (columns[i].priority, i)))
    widths = {i: least[i] for i in shown}
    room = total - sum(widths.values()) - gap * (len(shown) - 1)
    for i in sorted(shown, key=lambda i: columns[i].priority):
        more = min(max(0, _most(columns[i], natural[i]) - widths[i]), max(0, room))
        widths[i] += more
        room -= more
    weights = sum(columns[i].flex for i in shown)
    if room > 0 and weights:
        left = room
        for i in shown:
            share = room * columns[i].flex // weights
            widths[i] += share
            left -= share
        widths[next(i for i in shown if columns[i].flex)] += left
    placed: list[Placed] = []
    x = 0
    for i in shown:
        width = max(0, min(widths[i], total - x))
        placed.append(Placed(i, x, width))
        x += width + gap
    return placed


def _least(column: Column[Any], natural: int) -> int:
    if column.width is not None:
        return column.width
    if column.flex or column.cut == "middle":
        return max(1, min(column.min_width, natural))
    return max(column.min_width, min(natural, column.max_width))


def _most(column: Column[Any], natural: int) -> int:
    if column.width is not None:
        return column.width
    wish = min(natural, column.max_width)
    # What a growing column does not need now is for the content of others first; it gets a share of the rest.
    return wish if column.flex else max(column.min_width, wish)

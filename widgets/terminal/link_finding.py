"""Which link a cell belongs to: one that the program made (OSC 8), or an address in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from widgets.terminal.emulator import Row, Screen
from widgets.terminal.emulator.links import Link
from widgets.terminal.selection import Cell, Selection, logical_lines

_ADDRESS: Final = re.compile(r"\b(?:https?|ftp)://[^\s\x00-\x20<>\"'`{}|\\^]+", re.IGNORECASE)
_PAIRS: Final = {")": "(", "]": "["}
_MOST_LINES: Final = 64
"""Lines of one long line that are looked at for an address, on either side."""


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link: where it leads, where its text is, and the program's own link where it made one."""

    address: str
    start: Cell
    end: Cell
    link: Link | None = None

    def spans_on(self, number: int, row: Row) -> list[tuple[int, int]]:
        """The columns of the link on a line, first and one past the last. A link of the program's may be in pieces."""
        if self.link is not None:
            return [(start, end) for start, end, look in row.runs() if look.link == self.link]
        if not self.start[0] <= number <= self.end[0]:
            return []
        left = self.start[1] if number == self.start[0] else 0
        return [(left, self.end[1] + 1 if number == self.end[0] else len(row.text))]

    def shown(self, screen: Screen) -> str:
        """The text that it is under, for a link on one line or one that wrapped."""
        return Selection(self.start, self.end).text(screen)


def link_at(screen: Screen, cell: Cell, *, in_text: bool = True) -> FoundLink | None:
    """The link at a cell; with `in_text`, addresses that are just written there count too."""
    link = screen.link_at(*cell)
    if link is not None:
        return _made_link(screen, cell, link)
    if not in_text:
        return None
    return next((found for found in _written(screen, cell[0]) if found.start <= cell <= found.end), None)


def links_between(screen: Screen, first: int, last: int) -> list[FoundLink]:
    """All links of the lines from `first` to `last`, as they are read. One in several pieces comes once."""
    found: list[FoundLink] = []
    number = first
    while number <= last:
        begin, end = logical_lines(screen, number, _MOST_LINES)
        made: dict[Link, FoundLink] = {}
        for each in range(begin, end + 1):
            row = screen.line(each)
            for start, past, look in row.runs() if row is not None else ():
                if look.link is not None:
                    before = made.get(look.link)
                    origin = before.start if before is not None else (each, start)
                    made[look.link] = FoundLink(look.link.address, origin, (each, past - 1), look.link)
        taken = list(made.values())
        free = [
            each
            for each in _written(screen, number)
            if not any(other.start <= each.end and each.start <= other.end for other in taken)
        ]
        found += sorted([*taken, *free], key=lambda each: each.start)
        number = end + 1
    return found


def _made_link(screen: Screen, cell: Cell, link: Link) -> FoundLink:
    """The link with the cells around `cell` that lead there without a gap."""
    start = end = cell
    while (before := _neighbour(screen, start, -1)) is not None and screen.link_at(*before) == link:
        start = before
    while (after := _neighbour(screen, end, 1)) is not None and screen.link_at(*after) == link:
        end = after
    return FoundLink(link.address, start, end, link)


def _neighbour(screen: Screen, cell: Cell, by: int) -> Cell | None:
    line, column = cell[0], cell[1] + by
    row = screen.line(line)
    if row is not None and 0 <= column < len(row.text):
        return line, column
    other = screen.line(line + by)
    wrapped = row if by > 0 else other
    if other is None or wrapped is None or not wrapped.wrapped or not other.text:
        return None
    return line + by, 0 if by > 0 else len(other.text) - 1


def _written(screen: Screen, number: int) -> Iterator[FoundLink]:
    """Addresses in the text of a line, with all lines that it wrapped into."""
    first, last = logical_lines(screen, number, _MOST_LINES)
    rows = [row.text if (row := screen.line(each)) is not None else "" for each in range(first, last + 1)]
    for match in _ADDRESS.finditer("".join(rows)):
        address = _trimmed(match[0])
        yield FoundLink(
            address, _cell(first, rows, match.start()), _cell(first, rows, match.start() + len(address) - 1)
        )


def _trimmed(address: str) -> str:
    """Without what ends the sentence around it, and without a bracket that opened before it."""
    while address:
        last = address[-1]
        if last in ".,;:!?" or (last in _PAIRS and address.count(last) > address.count(_PAIRS[last])):
            address = address[:-1]
        else:
            break
    return address


def _cell(first: int, rows: list[str], at: int) -> Cell:
    for offset, text in enumerate(rows):
        if at < len(text):
            return first + offset, at
        at -= len(text)
    raise IndexError(at)

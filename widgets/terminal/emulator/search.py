"""Finding text on the screen and in its scrollback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Final

import regex

from widgets.terminal.emulator.kept import Kept
from widgets.terminal.emulator.row import STUB

if TYPE_CHECKING:
    from widgets.terminal.emulator.grid import Grid

MOST_MATCHES: Final = 10_000

_LONGEST = 100_000
"""Characters of one line, over all its wraps, that are looked through at a time."""

Found = Callable[[str], Iterator[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Match:
    """A place that was found: (absolute line, first column, one past the last column) for each line it is on."""

    spans: tuple[tuple[int, int, int], ...]

    @property
    def line(self) -> int:
        """The absolute line where it begins."""
        return self.spans[0][0]

    @property
    def column(self) -> int:
        """The column where it begins."""
        return self.spans[0][1]


def search(
    grid: Grid,
    pattern: str,
    *,
    as_regex: bool = False,
    match_case: bool = False,
    most: int = MOST_MATCHES,
    seconds: float = 1.0,
) -> list[Match]:
    """All places of a text, or of a regular expression, from the oldest line to the newest; lines that wrapped are one.

    Raises ValueError for what is no regular expression, and TimeoutError where one takes longer than `seconds`.
    """
    if not pattern:
        return []
    finder = _expression(pattern, match_case, seconds) if as_regex else _literal(pattern, match_case)
    found: list[Match] = []
    number = grid.history_first
    parts: list[Kept] = []
    size = 0
    for held in chain(grid.history, grid.rows):
        number += 1
        if not parts and isinstance(held, str):
            for start, end in finder(held):
                found.append(Match(((number - 1, start, end),)))
        else:
            parts.append(held)
            size += len(held if isinstance(held, str) else held.text)
            if not isinstance(held, str) and held.wrapped and size < _LONGEST:
                continue
            found += _in_parts(parts, number - len(parts), finder)
            parts, size = [], 0
        if len(found) >= most:
            return found[:most]
    if parts:
        found += _in_parts(parts, number - len(parts), finder)
    return found[:most]


def _literal(pattern: str, match_case: bool) -> Found:
    compiled = re.compile(re.escape(pattern), 0 if match_case else re.IGNORECASE)
    return lambda text: (match.span() for match in compiled.finditer(text))


def _expression(pattern: str, match_case: bool, seconds: float) -> Found:
    try:
        compiled = regex.compile(pattern, 0 if match_case else regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    deadline = monotonic() + seconds

    def find(text: str) -> Iterator[tuple[int, int]]:
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the search takes too long")
        for match in compiled.finditer(text, timeout=left):
            if match.end() > match.start():
                yield match.span()

    return find


def _in_parts(parts: list[Kept], first: int, find: Found) -> Iterator[Match]:
    """The places in lines that are one; `first` is the absolute number of the first of them."""
    texts: list[str] = []
    cells: list[tuple[int, int, int]] = []
    simple = len(parts) == 1 and (isinstance(parts[0], str) or not (parts[0].wide or parts[0].clusters))
    if simple:
        part = parts[0]
        for start, end in find(part if isinstance(part, str) else part.text):
            yield Match(((first, start, end),))
        return
    for line, part in enumerate(parts, first):
        text = part if isinstance(part, str) else part.text
        clusters = None if isinstance(part, str) else part.clusters
        for column, char in enumerate(text):
            if char == STUB:
                continue
            whole = char + (clusters or {}).get(column, "")
            width = 2 if text[column + 1 : column + 2] == STUB else 1
            texts.append(whole)
            cells += [(line, column, column + width)] * len(whole)
    for start, end in find("".join(texts)):
        spans: dict[int, tuple[int, int, int]] = {}
        for line, column, past in cells[start:end]:
            spans[line] = (line, spans[line][1] if line in spans else column, past)
        yield Match(tuple(spans.values()))

"""The lines a LogView holds: bounded, filtered, searched. No screen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from widgets.ansi_text import Span, clean

LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")
"""Known levels, rising. Lines of unknown level count as `info` where a filter asks."""
MARKER = "marker"
"""Level of a line that the view itself wrote (lines were dropped)."""

_ALIASES = {
    "warn": "warning",
    "err": "error",
    "critical": "fatal",
    "crit": "fatal",
    "panic": "fatal",
    "emerg": "fatal",
    "notice": "info",
    "verbose": "debug",
}
_RANKS = {level: rank for rank, level in enumerate(LEVELS)} | {MARKER: len(LEVELS)}
_UNKNOWN_RANK = _RANKS["info"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line as the caller has it: `timestamp` as it is to be shown, `source` for example the replica's name."""

    timestamp: str
    level: str
    source: str
    text: str


@dataclass(slots=True)
class Entry:
    """A line as it is drawn: `text` holds no control characters, `spans` its own colours."""

    timestamp: str
    level: str
    source: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did to the view: lines added at its end, lines gone from its start."""

    added: int
    trimmed: int


def normal_level(level: str) -> str:
    """One of LEVELS, `marker`, or "" for what is none."""
    level = level.lower()
    level = _ALIASES.get(level, level)
    return level if level in _RANKS else ""


class Needle:
    """A text to look for; case counts only where it has capitals."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._exact = text != text.lower()
        self._folded = text if self._exact else text.lower()

    def __bool__(self) -> bool:
        return bool(self.text)

    def within(self, text: str) -> bool:
        return self._folded in (text if self._exact else text.lower())

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of all matches."""
        if not self._folded:
            return []
        body = text if self._exact else text.lower()
        if len(body) != len(text):
            # A few letters change their length in lower case; then positions would not agree.
            body = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
        found: list[tuple[int, int]] = []
        at = body.find(self._folded)
        while at >= 0:
            found.append((at, at + len(self._folded)))
            at = body.find(self._folded, at + len(self._folded))
        return found


class LogStore:
    """At most `max_lines` lines, unless told to keep more. Every line has a number that stays its own: `first` is that
    of the oldest held."""

    def __init__(self, max_lines: int) -> None:
        self.max_lines = max_lines
        self.entries: list[Entry] = []
        self.first = 0
        self.view: list[int] = []
        self.matches: list[int] = []
        self.search = Needle("")
        self.filter = Needle("")
        self.minimum_level = ""
        self.source = ""
        self.sources: dict[str, None] = {}

    def __getitem__(self, number: int) -> Entry:
        return self.entries[number - self.first]

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.end

    @property
    def end(self) -> int:
        """The number that the next line will have."""
        return self.first + len(self.entries)

    def append(self, lines: Iterable[LogLine], *, trim: bool = True) -> Appended:
        """Add lines at the end. Without `trim` none goes from the start; then the caller sees to a bound."""
        number = self.end
        added = 0
        for line in lines:
            text, spans = clean(line.text)
            entry = Entry(clean(line.timestamp)[0], normal_level(line.level), line.source, text, spans)
            if entry.source and entry.source not in self.sources and len(self.sources) < 1000:
                self.sources[entry.source] = None
            self.entries.append(entry)
            if self._shown(entry):
                self.view.append(number)
                added += 1
                if self.search and self.search.within(text):
                    self.matches.append(number)
            number += 1
        return Appended(added, self._trim() if trim else 0)

    def _trim(self) -> int:
        excess = len(self.entries) - self.max_lines
        if excess <= 0:
            return 0
        del self.entries[:excess]
        self.first += excess
        trimmed = bisect_left(self.view, self.first)
        del self.view[:trimmed]
        del self.matches[: bisect_left(self.matches, self.first)]
        return trimmed

    def clear(self) -> None:
        self.first += len(self.entries)
        self.entries.clear()
        self.view.clear()
        self.matches.clear()
        self.sources.clear()

    def set_filter(self, text: str, minimum_level: str, source: str) -> None:
        """Show only lines with `text`, at least of `minimum_level`, of `source`; "" asks nothing."""
        self.filter = Needle(text)
        self.minimum_level = minimum_level
        self.source = source
        self.view = [number for number, entry in enumerate(self.entries, self.first) if self._shown(entry)]
        self.set_search(self.search.text)

    def set_search(self, text: str) -> None:
        self.search = Needle(text)
        self.matches = [number for number in self.view if self.search.within(self[number].text)] if self.search else []

    def _shown(self, entry: Entry) -> bool:
        if entry.level == MARKER:
            return True
        if self.minimum_level and _RANKS.get(entry.level, _UNKNOWN_RANK) < _RANKS[self.minimum_level]:
            return False
        if self.source and entry.source != self.source:
            return False
        return not self.filter or self.filter.within(entry.text)

"""How log lines look: prefix, level colours, the line's own colours, matches, selection."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from widgets.ansi_text import Span, clean
from widgets.log_rows import wrap_starts
from widgets.log_store import MARKER, Entry, LogStore
from widgets.middle_cut import middle_cuts
from widgets.style_tokens import token_style

if TYPE_CHECKING:
    from widgets.log_lines import LogLines

LETTERS = {"trace": "T", "debug": "D", "info": "I", "warning": "W", "error": "E", "fatal": "F", MARKER: "!"}
TINTED = frozenset({"trace", "debug", "warning", "error", "fatal", MARKER})
"""Levels that colour the whole text; the others only their letter."""
_LEAST_BODY = 24


class LogPainter:
    """Strips for rows of lines. Widths of the prefix only grow, so that columns do not wobble."""

    def __init__(self, lines: LogLines) -> None:
        self._lines = lines
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(1024)
        self._styles: dict[str, Style] = {}
        self._base = Style.null()
        self.reset()

    def reset(self) -> None:
        self._timestamp_width = 0
        self._sources: dict[str, str] = {}
        self._source_width = 0
        self._widest_text = 0
        self.measured_anew = False
        self.forget()

    def forget(self) -> None:
        """Styles, width or look changed."""
        self._strips.clear()
        self._styles.clear()

    def begin(self) -> None:
        """Called once for each repaint: what styles hang on is asked here, and not for every line."""
        base = self._lines.rich_style
        if base != self._base:
            self._base = base
            self.forget()

    def _style(self, token: str) -> Style:
        style = self._styles.get(token)
        if style is None:
            style = self._styles[token] = self._base + token_style(self._lines, token)
        return style

    def measure(self, store: LogStore, newest: int) -> bool:
        """Learn the widths of the newest lines; True where the prefix changed, so that all must be laid out again."""
        before = self._prefix_widths()
        for entry in store.entries[-newest:]:
            if len(entry.timestamp) > self._timestamp_width:
                self._timestamp_width = min(len(entry.timestamp), 35)
            if len(entry.text) * 2 > self._widest_text:
                self._widest_text = max(self._widest_text, cell_len(entry.text))
        if len(store.sources) != len(self._sources):
            names = list(store.sources)
            # Names that differ only far right stay apart; the column takes what that needs.
            self._sources = dict(zip(names, middle_cuts([clean(name)[0] for name in names], 16), strict=True))
            self._source_width = max(cell_len(cut) for cut in self._sources.values())
        self.measured_anew = self._prefix_widths() != before
        return self.measured_anew

    @property
    def widest(self) -> int:
        """Cells of the longest line so far, unwrapped."""
        return sum(self._prefix_widths()) + 2 + self._widest_text

    def _prefix_widths(self) -> tuple[int, int]:
        timestamp = self._timestamp_width + 1 if self._lines.show_timestamps and self._timestamp_width else 0
        source = self._source_width + 1 if len(self._sources) > 1 else 0
        return timestamp, source

    def _parts(self, width: int) -> tuple[int, int]:
        """Widths of timestamp and source as shown: on a narrow screen the text comes first."""
        timestamp, source = self._prefix_widths()
        if not self._lines.wrap:
            return timestamp, source
        if width - timestamp - source - 2 < _LEAST_BODY:
            timestamp = 0
        if width - timestamp - source - 2 < _LEAST_BODY:
            source = 0
        return timestamp, source

    def body_width(self, width: int) -> int:
        """Cells for the text in a window of `width`; 0 before the first layout."""
        return max(1, width - sum(self._parts(width)) - 2) if width > 0 else 0

    def row_text(self, number: int, row: int) -> tuple[str, str]:
        """Prefix (blank on continued rows) and text of a row, as drawn."""
        entry = self._lines.store[number]
        start, end = self._slice(entry, row)
        prefix = "".join(text for text, _ in self._prefix(entry)) if row == 0 else " " * self._prefix_width()
        return prefix, entry.text[start:end]

    def _prefix_width(self) -> int:
        return sum(self._parts(self._lines.scrollable_content_region.width)) + 2

    def _slice(self, entry: Entry, row: int) -> tuple[int, int]:
        if not self._lines.wrap:
            return 0, len(entry.text)
        starts = wrap_starts(entry.text, self.body_width(self._lines.scrollable_content_region.width))
        start = starts[row] if row < len(starts) else len(entry.text)
        return start, starts[row + 1] if row + 1 < len(starts) else len(entry.text)

    def _prefix(self, entry: Entry) -> list[tuple[str, Style]]:
        lines = self._lines
        timestamp, source = self._parts(lines.scrollable_content_region.width)
        parts: list[tuple[str, Style]] = []
        if timestamp:
            text = set_cell_size(entry.timestamp, timestamp - 1) + " "
            parts.append((text, self._style("log-timestamp")))
        if source:
            name = set_cell_size(self._sources.get(entry.source, "…"), source - 1) + " "
            parts.append((name, self._style("log-source")))
        letter = LETTERS.get(entry.level, " ") + " "
        parts.append((letter, self._style(f"log-{entry.level}" if entry.level else "")))
        return parts

    def strip(self, number: int, row: int, absolute_row: int, selected: tuple[int, int] | None) -> Strip:
        """One row of a line, with the offsets that selecting needs; `selected` are its selected cells (end -1: all).

        Where lines wrap, it fills the window; else it is as long as the line.
        """
        key = (number, row)
        strip = self._strips.get(key)
        if strip is None:
            # Offsets are absolute rows: they stay right while old lines go, and so does this cached strip.
            strip = self._strips[key] = self._paint(number, row).apply_offsets(0, absolute_row)
        if selected is not None:
            start, end = selected
            end = strip.cell_length if end < 0 else min(end, strip.cell_length)
            start = min(start, end)
            style = self._lines.screen.get_component_rich_style("screen--selection")
            strip = Strip.join([strip.crop(0, start), _restyled(strip.crop(start, end), style), strip.crop(end)])
        return strip

    def _paint(self, number: int, row: int) -> Strip:
        lines = self._lines
        entry = lines.store[number]
        base = self._base
        start, end = self._slice(entry, row)
        if row == 0:
            segments = [Segment(text, style) for text, style in self._prefix(entry)]
        else:
            segments = [Segment(" " * self._prefix_width(), base)]
        if entry.level in TINTED:
            base = self._style(f"log-{entry.level}")
        spans = list(entry.spans)
        if lines.store.search:
            match = token_style(lines, "match-background") + Style(bold=True, underline=True)
            if number == lines.current:
                match = lines.get_component_rich_style("log-lines--current-match")
            spans += [Span(*found, match) for found in lines.store.search.spans(entry.text)]
        segments += _styled(entry.text, start, end, base, spans)
        if lines.wrap:
            used = self._prefix_width() + (end - start if entry.text.isascii() else cell_len(entry.text[start:end]))
            room = lines.scrollable_content_region.width - used
            if room > 0:
                segments.append(Segment(" " * room, self._base))
                used += room
            return Strip(segments, used)
        return Strip(segments)


def _styled(text: str, start: int, end: int, base: Style, spans: list[Span]) -> list[Segment]:
    """Segments of text[start:end]; later spans lie over earlier ones."""
    here = [span for span in spans if span.start < end and span.end > start]
    if not here:
        return [Segment(text[start:end], base)] if end > start else []
    cuts = sorted({start, end, *(max(start, s.start) for s in here), *(min(end, s.end) for s in here)})
    segments = []
    for left, right in itertools.pairwise(cuts):
        style = base
        for span in here:
            if span.start <= left and span.end >= right:
                style += span.style
        segments.append(Segment(text[left:right], style))
    return segments


def _restyled(strip: Strip, style: Style) -> Strip:
    return Strip([Segment(text, (old or Style.null()) + style) for text, old, _ in strip], strip.cell_length)

"""What the line under a log tells: whether it follows, what is searched and filtered, how many lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from widgets.middle_cut import ELLIPSIS


@dataclass(frozen=True, slots=True)
class LogState:
    """Counts are of lines. `match` is the place of the current match, from 1; None where there is none."""

    following: bool = True
    new: int = 0
    lost: int = 0
    waiting: bool = False
    search: str = ""
    match: int | None = None
    matches: int = 0
    filter: str = ""
    level: str = ""
    source: str = ""
    shown: int = 0
    held: int = 0


def state_line(state: LogState, width: int) -> str:
    """The line in at most `width` cells. Where there is little room words go first, then what the user typed is cut,
    and the numbers last."""
    line = ""
    for brief, room in ((False, 0), (True, 0), (True, 24), (True, 12), (True, 6)):
        line = " · ".join(_parts(state, brief, room))
        if cell_len(line) <= width:
            return line
    return _cut(line, width)


def _parts(state: LogState, brief: bool, room: int) -> Iterator[str]:
    yield _follow(state, brief)
    if state.search:
        words = f"“{_cut(state.search, room)}”"
        if state.matches:
            at = "–" if state.match is None else f"{state.match:,}"
            yield f"{at}/{state.matches:,} {words}"
        else:
            yield f"0 {words}" if brief else f"no match for {words}"
    asked = [f"“{_cut(state.filter, room)}”"] if state.filter else []
    asked += [f"≥ {state.level}"] if state.level else []
    asked += [_cut(state.source, room) if brief else f"from {state.source}"] if state.source else []
    if asked:
        counts = f"{state.shown:,} of {state.held:,}"
        yield f"{', '.join(asked)}: {counts}" if brief else f"only {', '.join(asked)}: {counts} lines"
    else:
        yield f"{state.held:,} lines"


def _follow(state: LogState, brief: bool) -> str:
    if state.following:
        return "▼" if brief else "▼ following"
    news = f"{state.new:,} new"
    if state.lost:
        news += f", {state.lost:,} dropped"
    elif state.waiting:
        news += ", more wait"
    return f"❚❚ {news}" if brief else f"❚❚ paused · {news} (G follows)"


def _cut(text: str, room: int) -> str:
    """At most `room` cells, all where that is 0."""
    if not room or cell_len(text) <= room:
        return text
    while text and cell_len(text) >= room:
        text = text[:-1]
    return f"{text}{ELLIPSIS}"

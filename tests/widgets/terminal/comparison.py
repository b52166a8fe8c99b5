"""A program's output in our emulator and in Ghostty's: what differs, and why that may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from tests.widgets.terminal.ghostty_oracle import CLUSTERS, GhosttyOracle, Look, Picture, with_clusters
from tests.widgets.terminal.streams import Program
from widgets.terminal.emulator import DEFAULT, STUB, ByteStream, Row, Screen
from widgets.terminal.emulator.style import PROTECTED

HISTORY = 60
_PLAIN: Look = (-1, -1, 0, 0)
_BLANK = (" ", _PLAIN)
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U0001f000-\U0003ffff]"
)


class WatchedScreen(Screen):
    """Notes what terminals are known to do differently."""

    def __init__(self, columns: int, lines: int, scrollback: int) -> None:
        self.notes: set[str] = set()
        super().__init__(columns, lines, scrollback)

    @property
    def waits(self) -> bool:
        """Whether the next character goes to the next line."""
        return self.cursor.x >= self.columns or self.waiting == (self.cursor.x, self.cursor.y)

    def index(self) -> None:
        if self.waits:
            self.notes.add("down while waiting to wrap")
        super().index()

    def reverse_index(self) -> None:
        if self.waits:
            self.notes.add("down while waiting to wrap")
        super().reverse_index()

    def tab(self) -> None:
        if self.waits or self.cursor.x == self.columns - 1:
            self.notes.add("tab at the edge")
        super().tab()

    def draw(self, data: str) -> None:
        if self._table is not None and not data.isascii():
            self.notes.add("other text in the graphic set")
        super().draw(data)

    def update(self, parts: Iterable[str], act: Callable[[str], object], take: Callable[[str], bool]) -> str:
        left = chain(parts, ("",))
        text = next(left)
        rest = super().update([text], act, take)
        for sequence, text in zip(left, left, strict=False):
            if rest or not self.takes_updates:
                return rest + sequence + text + "".join(left)
            if sequence in ("\r\n", "\n") and self.waits:
                self.notes.add("down while waiting to wrap")
            rest = super().update(["", sequence, text], act, take)
        return rest

    def repeat(self, count: int | None = None, *rest: int) -> None:
        self.notes.add("repeat")
        super().repeat(count, *rest)

    def set_private_mode(self, *numbers: int) -> None:
        if 7 in numbers and self.waits:
            self.notes.add("autowrap while waiting to wrap")
        super().set_private_mode(*numbers)

    def reset_private_mode(self, *numbers: int) -> None:
        if 7 in numbers and self.waits:
            self.notes.add("autowrap while waiting to wrap")
        super().reset_private_mode(*numbers)

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        self.notes.add("another height" if columns == self.columns else "another width")
        super().resize(lines, columns)


@dataclass(frozen=True, slots=True)
class Case:
    """A program in both. `differs` names what is not the same: text, style, cursor, waits, wrapped."""

    program: Program
    ours: Picture
    theirs: Picture
    notes: frozenset[str]
    differs: frozenset[str]

    @property
    def data(self) -> bytes:
        """All output."""
        return b"".join(self.program.parts)

    @property
    def reason(self) -> str | None:
        """Why they may differ; None where nothing explains it."""
        return next((reason.why for reason in REASONS if reason.explains(self)), None)

    def __str__(self) -> str:
        lines = [f"{self.program!r}", f"differs in {', '.join(sorted(self.differs))}"]
        for y, (ours, theirs) in enumerate(zip(self.ours.rows, self.theirs.rows, strict=True)):
            if ours != theirs:
                lines += [f"  line {y}: ours   {_shown(ours)}", f"          theirs {_shown(theirs)}"]
        for who, picture in (("ours  ", self.ours), ("theirs", self.theirs)):
            wrapped = [y for y, wraps in enumerate(picture.wrapped) if wraps]
            lines.append(f"  {who} cursor {picture.cursor}{' waits' if picture.waits else ''}, wrapped lines {wrapped}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why terminals may differ, and in which cases."""

    why: str
    explains: Callable[[Case], bool]


def _noted(note: str, *aspects: str) -> Callable[[Case], bool]:
    return lambda case: note in case.notes and (not aspects or case.differs <= set(aspects))


def _output(pattern: bytes) -> Callable[[Case], bool]:
    found = re.compile(pattern, re.DOTALL)
    return lambda case: found.search(case.data) is not None


def _text(pattern: str) -> Callable[[Case], bool]:
    found = re.compile(pattern, re.DOTALL)
    return lambda case: found.search(case.data.decode("utf-8", "replace")) is not None


_MOVES = _output(rb"\x1b(M|\[[0-9;]*[LMSTr])")


def _narrowest(case: Case) -> int:
    return min(columns for columns, _ in (case.program.size, *case.program.sizes))


def _wraps_forgotten(case: Case) -> bool:
    """Only what is remembered of lines that wrapped: Ghostty knows less, or the lines were moved."""
    known = zip(case.ours.wrapped, case.theirs.wrapped, strict=True)
    return case.differs == {"wrapped"} and (all(ours or not theirs for ours, theirs in known) or _MOVES(case))


def _looks_of_blanks(case: Case) -> bool:
    """Only blanks differ, and not in their background, in a program with wide characters."""
    if case.differs != {"style"} or not _WIDE.search(case.data.decode("utf-8", "replace")):
        return False
    for ours, theirs in zip(case.ours.rows, case.theirs.rows, strict=True):
        for mine, other in zip_longest(ours, theirs, fillvalue=_BLANK):
            if mine != other and (mine[0], other[0], mine[1][1]) != (" ", " ", other[1][1]):
                return False
    return True


_HARD = _text(
    "[\u00ad\u0300-\u036f\u0e33\u1100-\u11ff\u200b-\u200f\u202a-\u202e\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"
)
_ANY_WIDE = _text(_WIDE.pattern)
_MORE_NUMBERS = rb"\x1b\[[0-9:]*[;:][0-9;:]*[@A-GIJKLMPSTXZ`abdegnstu]|\x1b\[[0-9:]*;[0-9:]*[;:][0-9;:]*[Hfr]"
_ODD_SGR = rb"\x1b\[[0-9;:]*([345]8|:|[0-9]{3}|6|10|26|50|99)[0-9;:]*m"


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


REASONS = (
    Reason("the look of blanks where a wide character found no room or lost a half", _looks_of_blanks),
    Reason("a line feed does not end the wait to wrap, as in tmux", _noted("down while waiting to wrap")),
    Reason("setting autowrap ends the wait to wrap, as in xterm", _noted("autowrap while waiting to wrap")),
    Reason("a tab at the edge ends the wait to wrap", _noted("tab at the edge")),
    Reason("Ghostty shows other text in the graphic set as blanks", _noted("other text in the graphic set")),
    Reason("what REP repeats after something else than text", _noted("repeat")),
    Reason("what is known of lines that wrapped, once they are moved or erased", _wraps_forgotten),
    Reason(
        "the alternate screen begins with the normal one's saved cursor, as in tmux",
        _output(rb"\x1b\[\?(47|1047|1049)h.*\x1b(\[u|8|\[\?104[89]l)"),
    ),
    Reason("Ghostty takes an empty last number of SGR for none", _output(rb"\x1b\[[0-9;:]*;m")),
    Reason("each lays lines out anew in its own way for another width", _noted("another width")),
    Reason("each takes lines back from the scrollback in its own way", _noted("another height")),
    Reason("Ghostty begins a new line for a prompt", _output(rb"\x1b\]133;[AN]")),
    Reason("Ghostty clears no tab stop without a number", _output(rb"\x1b\[g")),
    # What no program should print.
    Reason(
        "a wide character or a cluster in a single column",
        lambda case: _narrowest(case) < 2 and (_HARD(case) or _ANY_WIDE(case)),
    ),
    Reason("Ghostty shows DEL as a character", _output(rb"\x7f")),
    Reason(
        "Ghostty swallows what cuts an escape sequence short", _output(rb"\x1b[ -/]*[\x00-\x17\x19\x1c-\x1f\x80-\xff]")
    ),
    Reason("what ends a control sequence that is cut short", _output(rb"\x1b\[[ -?]*[\x00-\x1f\x80-\xff]")),
    Reason(
        "what ends a string besides ST", _output(rb"\x1b[\]PX^_k][^\x07\x1b]*[\x00-\x06\x08-\x1a\x1c-\x1f\x80-\x9f]")
    ),
    Reason("BEL in a string that it does not end", _output(rb"\x1b[PX^_k][^\x1b]*\x07")),
    Reason("titles between ESC k and ST, which Ghostty shows", _output(rb"\x1bk")),
    Reason("how many replacement characters stand for bytes that are no UTF-8", lambda case: not _is_text(case.data)),
    Reason("clusters: which characters join, and how wide they are then", _HARD),
    Reason("Ghostty ignores a sequence with more numbers than it takes", _output(_MORE_NUMBERS)),
    Reason("zero as a count", _output(rb"\x1b\[0+[;0-9]*[@A-Z`a-e]")),
    Reason("SGR with too few or unknown numbers", _output(_ODD_SGR)),
    Reason("modes that only one of them has", _output(rb"\x1b\[\?[0-9;]*(3|9|40|45|66|69|80|1034|2027|9999)[hlsr]")),
    Reason("sequences that only one of them has", _output(rb"\x1b\[[<=>?!]?[0-9;:]*[ -/]+[@-~]")),
    Reason("sequences with a mark that only one of them has", _output(rb"\x1b\[[<=>?][0-9;:]*[^0-9;:hl]")),
)


def compared(program: Program) -> Case:
    """The program in both terminals."""
    screen = WatchedScreen(*program.size, HISTORY)
    stream = ByteStream(screen)
    stream.feed(CLUSTERS + with_clusters(program.parts[0]))
    with GhosttyOracle(*program.size) as oracle:
        oracle.feed(program.parts[0])
        for (columns, lines), part in zip(program.sizes, program.parts[1:], strict=True):
            screen.resize(lines, columns)
            stream.feed(with_clusters(part))
            oracle.resize(columns, lines)
            oracle.feed(part)
        theirs = oracle.picture()
    ours = picture_of(screen)
    return Case(program, ours, theirs, frozenset(screen.notes), frozenset(_differences(ours, theirs)))


def picture_of(screen: WatchedScreen) -> Picture:
    """What our emulator shows."""
    place = (min(screen.cursor.x, screen.columns - 1), screen.cursor.y)
    rows = tuple(map(_cells, screen.rows))
    return Picture(rows, tuple(row.wrapped for row in screen.rows), place, screen.waits)


def _cells(row: Row) -> tuple[tuple[str, Look], ...]:
    cells: list[tuple[str, Look]] = []
    marks = row.clusters or {}
    for x, (char, look) in enumerate(zip(row.text, row.styles or [DEFAULT] * len(row.text), strict=True)):
        seen = (look.fg, look.bg, look.flags & ~PROTECTED, look.underline)
        cells.append(("" if char == STUB else char + marks.get(x, ""), seen))
    return _stripped(cells)


def _stripped(cells: Sequence[tuple[str, Look]]) -> tuple[tuple[str, Look], ...]:
    """Without blanks that have no look at the end."""
    end = len(cells)
    while end and cells[end - 1] == (" ", _PLAIN):
        end -= 1
    return tuple(cells[:end])


def _shown(row: tuple[tuple[str, Look], ...]) -> str:
    return repr("".join(text for text, _ in row)) + (" styled" if any(look != _PLAIN for _, look in row) else "")


def _differences(ours: Picture, theirs: Picture) -> set[str]:
    found = set()
    if list(map(_bare, ours.rows)) != list(map(_bare, theirs.rows)):
        found.add("text")
    elif ours.rows != theirs.rows:
        found.add("style")
    if ours.cursor != theirs.cursor:
        found.add("cursor")
    if ours.waits != theirs.waits:
        found.add("waits")
    if ours.wrapped != theirs.wrapped:
        found.add("wrapped")
    return found


def _bare(row: tuple[tuple[str, Look], ...]) -> list[str]:
    cells = [text for text, _ in row]
    while cells and cells[-1] == " ":
        cells.pop()
    return cells

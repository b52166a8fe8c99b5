"""The parser: text in, pyte's events out.

A tokenizer walks whole chunks with one regular expression instead of one character at a time. What is unfinished at
the end of a chunk is carried over, so that any split of the same text has the same effect. Everything carried is
bounded, and whatever is not understood is swallowed, never printed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pyte

from widgets.terminal.emulator.updates import update_parts

if TYPE_CHECKING:
    from widgets.terminal.emulator.screen import Screen

Handler = Callable[..., Any]

MAX_STRING: Final = 256 * 1024
"""Characters of an OSC, DCS, APC, PM or SOS string that are kept; longer ones are swallowed whole."""

MAX_SEQUENCE: Final = 1024
"""Characters of a CSI or escape sequence; longer ones are swallowed whole."""

_MAX_PARAMETERS = 32
_LARGEST = 65535
_MAX_KNOWN = 4096
_FLOOD = 40  # characters for each sequence, at least, in what is more text than updates
_FULL_SCREEN = "[?1049h"  # after which updates are likely

_TEXT = r"[^\x00-\x1f\x7f-\x9f]"
# ncurses ends each style with both of these.
_STYLES = rf"(?:\x1b\[[0-9;:]{{0,{MAX_SEQUENCE}}}+m|\x1b\(B)"
_TOKEN = re.compile(
    rf"({_STYLES}++)({_TEXT}*+)({_STYLES}*+)((?:{_TEXT}++{_STYLES}*+)*+)"  # 1 2 3 4: styles, text, styles, the rest
    rf"|({_TEXT}++)"  # 5: text
    rf"|\r\n((?:{_TEXT}*+(?:{_STYLES}{_TEXT}*+)*+\r\n)*+)"  # 6: the end of a line, and whole lines after it
    r"|\x1b(\[\??+[0-9;]{0,20}+[@-ln-~]|\([0A]|[78=>DEMc])"  # 7: a common sequence
    r"|\x1b\[([0-?]*+)([ -/]*+)([@-~])"  # 8 9 10: any control sequence
    r"|([\x00-\x1a\x1c-\x1f\x7f-\x9f])"  # 11: a control character
    r"|\x1b\[([^@-~\x18\x1a\x1b]*+)([@-~]|(?=[\x18\x1a\x1b]))"  # 12 13: a sequence with control characters in it
    r"|\x1b([ -/]*+)([0-OQ-WYZ\\`-jl-~])"  # 14 15: any escape sequence
    r"|\x1b([ -/]++)([P\[\]X^_k])"  # 16 17: the same with a final that alone would open a string
    r"|\x1b([P\]X^_k])"  # 18: a string begins
    r"|(\x1b(?:\[[^@-~\x18\x1a\x1b]*+|[ -/]*+)\Z)"  # 19: unfinished
    r"|(\x1b[ -/]*+)",  # 20: an escape that leads nowhere
    re.DOTALL,
)
_STRING_END = re.compile("[\x07\x18\x1a\x1b]")
_CONTROLS = re.compile("[\x00-\x1f]")
_NOT_A_SEQUENCE = re.compile("[\x00-\x1f\x7f-\U0010ffff]")
_CLEAN = re.compile(r"([0-?]*)([ -/]*)\Z")
_OVERLONG_CSI = "\x1b[" + ":" * (MAX_SEQUENCE + 1)
_OVERLONG_ESCAPE = "\x1b" + " " * (MAX_SEQUENCE + 1)


def _ignore(*_: int) -> None:
    """What an unknown sequence does."""


class Stream(pyte.Stream):
    """Feeds text to a screen. Never raises on any text, and keeps no more than `MAX_STRING` characters.

    Beyond pyte's events, sequences with a private marker or intermediates have tables of their own, keyed by marker,
    intermediates and final byte.
    """

    escape = {
        **pyte.Stream.escape,
        "E": "next_line",
        "=": "application_keypad",
        ">": "normal_keypad",
        "6": "back_index",
        "9": "forward_index",
    }

    csi = {
        **pyte.Stream.csi,
        "E": "cursor_down1",
        "I": "tab_forward",
        "S": "scroll_up",
        "T": "scroll_down",
        "Z": "tab_back",
        "b": "repeat",
        "s": "save_cursor_or_margins",
        "t": "window_operation",
        "u": "restore_cursor",
        "`": "cursor_to_column",
    }

    marked = {
        "?h": "set_private_mode",
        "?l": "reset_private_mode",
        "?J": "erase_selectively_in_display",
        "?K": "erase_selectively_in_line",
        "?n": "report_private_status",
        "?s": "save_private_mode",
        "?r": "restore_private_mode",
        ">c": "report_secondary_attributes",
        "=c": "report_tertiary_attributes",
        ">q": "report_version",
        "!p": "soft_reset",
        "$p": "report_ansi_mode",
        "?$p": "report_private_mode",
        " q": "set_cursor_style",
        '"q': "set_protection",
        ">u": "push_keyboard_flags",
        "<u": "pop_keyboard_flags",
        "=u": "set_keyboard_flags",
        "?u": "report_keyboard_flags",
        ">m": "set_key_modifiers",
        ">n": "disable_key_modifiers",
        "?m": "report_key_modifiers",
        "$v": "copy_rectangle",
        "$x": "fill_rectangle",
        "$z": "erase_rectangle",
        "${": "erase_rectangle_selectively",
        "$r": "restyle_rectangle",
        "$t": "reverse_rectangle",
        "*x": "set_rectangle_extent",
        "'}": "insert_columns",
        "'~": "delete_columns",
        " @": "scroll_left",
        " A": "scroll_right",
    }

    events = pyte.Stream.events | {
        *escape.values(),
        *csi.values(),
        *marked.values(),
        "draw_styled",
        "draw_lines",
        "update",
        "operating_command",
    }

    def __init__(self, screen: Screen | None = None) -> None:
        self._tail = ""
        self._string_kind = ""
        self._string: list[str] = []
        self._string_size = 0
        self._basic: dict[str, Handler] = {}
        self._escape: dict[str, Handler] = {}
        self._charset: Handler = _ignore
        self._csi: dict[str, Handler] = {}
        self._known: dict[str, tuple[Handler, tuple[Any, ...]]] = {}
        super().__init__(screen)

    def attach(self, screen: pyte.Screen) -> None:
        """Dispatch to this screen from now on."""
        super().attach(screen)
        self._known.clear()
        self._charset = screen.define_charset
        self._basic = {char: getattr(screen, event) for char, event in self.basic.items()}
        self._escape = {final: getattr(screen, event) for final, event in self.escape.items()}
        self._escape.update({"#" + final: getattr(screen, event) for final, event in self.sharp.items()})
        self._csi = {final: getattr(screen, event) for final, event in (self.csi | self.marked).items()}

    def _initialize_parser(self) -> None:
        """pyte's generator is not used."""

    def feed(self, data: str) -> None:
        """Take in a piece of the output, cut anywhere."""
        if self._tail:
            data = self._tail + data
            self._tail = ""
        listener: Any = self.listener
        at, tried = 0, False
        while at < len(data):
            if self._string_kind:
                at = self._take_string(data, at)
            elif tried or not listener.takes_updates:
                at = self._take_tokens(data, at)
            else:
                # Once only, so that a chunk in which updates end again and again is not cut apart each time.
                tried = True
                if data.count("\x1b", at) * _FLOOD < len(data) - at:
                    continue
                rest = listener.update(update_parts(data[at:]), self._act, self._take_piece)
                if not rest:
                    return
                data, self._tail, at = self._tail + rest, "", 0

    @property
    def unfinished_text(self) -> str:
        """What came of a sequence that has not ended yet: fed to another stream, it goes on there. A string that is
        too long already stays one that is swallowed."""
        if not self._string_kind:
            return self._tail
        if self._string_size > MAX_STRING:
            # BEL ends OSC and titles, but not the others.
            return ("\x1b]!" if self._string_kind in "]k" else "\x1bX") + self._tail
        return "\x1b" + self._string_kind + "".join(self._string) + self._tail

    def _take_tokens(self, data: str, at: int) -> int:
        """Dispatch up to the end or the start of a string; returns where it stopped."""
        listener: Any = self.listener
        draw, draw_styled, draw_spans, known = listener.draw, listener.draw_styled, listener.draw_spans, self._known
        for token in _TOKEN.finditer(data, at):
            kind = token.lastindex
            if kind == 4:
                if token[4]:
                    draw_spans(token[0])
                else:
                    draw_styled(token[1], token[2], token[3])
            elif kind == 5:
                draw(token[5])
            elif kind == 7:
                sequence = token[7]
                handler, numbers = known.get(sequence) or self._learn(sequence)
                handler(*numbers)
                if sequence == _FULL_SCREEN:
                    return token.end()
            elif kind == 6:
                listener.next_line()
                if lines := token[6]:
                    listener.draw_lines(lines)
            elif kind == 10:
                self._dispatch_sequence(*token.group(8, 9, 10))
            elif kind == 11:
                if (basic := self._basic.get(token[11])) is not None:
                    basic()
            elif kind == 13:
                self._take_dirty_sequence(token[12], token[13])
            elif kind == 15:
                self._dispatch_escape(token[14], token[15])
            elif kind == 18:
                self._string_kind = token[18]
                return token.end()
            elif kind == 19:
                self._keep(token[19])
        return len(data)

    def _take_piece(self, data: str) -> bool:
        """Take in a part of an update that may have anything in it. False where a sequence in it has not ended."""
        at = 0
        while at < len(data):
            at = self._take_string(data, at) if self._string_kind else self._take_tokens(data, at)
        return not (self._tail or self._string_kind)

    def _act(self, sequence: str) -> None:
        """Do a sequence or control that stands alone."""
        if (learnt := self._known.get(sequence[1:])) is not None and sequence[0] == "\x1b":
            handler, numbers = learnt
            handler(*numbers)
        else:
            self._take_tokens(sequence, 0)

    def _learn(self, sequence: str) -> tuple[Handler, tuple[Any, ...]]:
        """What to call for a common sequence, ESC left out. Remembered, as there are few and they come often."""
        final = sequence[-1]
        found: tuple[Handler, tuple[Any, ...]] = _ignore, ()
        if sequence[0] == "[":
            mark = "?" if sequence[1] == "?" else ""
            if (handler := self._csi.get(mark + final)) is not None:
                found = handler, self._parse(sequence[1 + len(mark) : -1])
        elif sequence[0] == "(":
            found = self._charset, (final, "(")
        elif (handler := self._escape.get(final)) is not None:
            found = handler, ()
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[sequence] = found
        return found

    def _keep(self, tail: str) -> None:
        if len(tail) > MAX_SEQUENCE + 2:
            tail = _OVERLONG_CSI if tail[1:2] == "[" else _OVERLONG_ESCAPE
        self._tail = tail

    def _parse(self, parameters: str) -> tuple[int, ...]:
        """The numbers; nothing for text that is no list of numbers (colons belong to SGR only)."""
        fields = parameters.split(";", _MAX_PARAMETERS)[:_MAX_PARAMETERS]
        return tuple(min(int(field), _LARGEST) if field.isdecimal() else 0 for field in fields)

    def _dispatch_sequence(self, parameters: str, between: str, final: str) -> None:
        if len(parameters) + len(between) > MAX_SEQUENCE:
            return
        if between or (parameters and parameters[0] > ";"):
            self._dispatch_marked(parameters, between, final)
        elif (handler := self._csi.get(final)) is not None:
            handler(*self._parse(parameters))

    def _dispatch_marked(self, parameters: str, between: str, final: str) -> None:
        mark = ""
        if parameters and parameters[0] > ";":
            mark, parameters = parameters[0], parameters[1:]
        handler = self._csi.get(mark + between + final)
        if handler is not None and (mark or between) and not parameters.strip("0123456789;"):
            handler(*self._parse(parameters))

    def _take_dirty_sequence(self, body: str, final: str) -> None:
        """A sequence with control characters inside: they act, then the sequence does."""
        if len(body) > MAX_SEQUENCE:
            return
        for char in _CONTROLS.findall(body):
            if (handler := self._basic.get(char)) is not None:
                handler()
        clean = _CLEAN.match(_NOT_A_SEQUENCE.sub("", body))
        if not final or clean is None:
            return
        parameters, between = clean.groups()
        if final == "m" and not between and parameters[:1] <= ";":
            listener: Any = self.listener
            listener.select_graphic_rendition_text(parameters)
        else:
            self._dispatch_sequence(parameters, between, final)

    def _dispatch_escape(self, between: str, final: str) -> None:
        listener: Any = self.listener
        if not between or between == "#":
            handler = self._escape.get(between + final)
            if handler is not None:
                handler()
        elif between in ("(", ")"):
            listener.define_charset(final, mode=between)

    def _take_string(self, data: str, at: int) -> int:
        """Collect an OSC, DCS, APC, PM or SOS string; returns where it stopped."""
        end = _STRING_END.search(data, at)
        stop = len(data) if end is None else end.start()
        self._string_size += stop - at
        if self._string_size <= MAX_STRING:
            self._string.append(data[at:stop])
        else:
            self._string.clear()
        if end is None:
            return stop
        terminator = end[0]
        if terminator == "\x1b":
            if stop + 1 == len(data):
                self._tail = "\x1b"
                return len(data)
            finished = data[stop + 1] == "\\"
            after = stop + 2 if finished else stop
        else:
            finished = terminator == "\x07"
            after = stop + 1
            if finished and self._string_kind in "PX^_":
                # BEL ends only what xterm lets it end; inside the others it is content.
                return after
        kind, text, whole = self._string_kind, "".join(self._string), self._string_size <= MAX_STRING
        self._string_kind, self._string, self._string_size = "", [], 0
        if finished and whole:
            self._dispatch_string(kind, text)
        return after

    def _dispatch_string(self, kind: str, text: str) -> None:
        listener: Any = self.listener
        if kind == "]":
            code, _, rest = text.partition(";")
            listener.operating_command(code, rest)
        elif kind == "k":
            listener.set_title(text)
        elif kind == "P":
            listener.device_control(text)


class ByteStream(Stream):
    """A stream that takes bytes: UTF-8, cut anywhere; what is no UTF-8 becomes U+FFFD."""

    def __init__(self, screen: Screen | None = None) -> None:
        super().__init__(screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> None:  # type: ignore[override]  # as pyte's own ByteStream does
        """Take in a piece of the output, cut anywhere, even inside a character."""
        super().feed(self._decoder.decode(data))

    @property
    def unfinished(self) -> bytes:
        """What came of a sequence or a character that has not ended yet: fed to another stream, it goes on there."""
        return self.unfinished_text.encode() + self._decoder.getstate()[0]

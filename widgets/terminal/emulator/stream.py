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

if TYPE_CHECKING:
    from widgets.terminal.emulator.screen import Screen

Handler = Callable[..., Any]

MAX_STRING: Final = 256 * 1024
"""Characters of an OSC, DCS, APC, PM or SOS string that are kept; longer ones are swallowed whole."""

MAX_SEQUENCE: Final = 1024
"""Characters of a CSI or escape sequence; longer ones are swallowed whole."""

_MAX_PARAMETERS = 32
_LARGEST = 65535

_TOKEN = re.compile(
    r"\x1b\[([0-9;:]*+)m([^\x00-\x1f\x7f-\x9f]*+)"  # 1 2: a style, and the text in it
    r"|((?:[ -~]*+\r\n){3,}+)"  # 3: a flood of plain lines
    r"|([^\x00-\x1f\x7f-\x9f]++)"  # 4: text
    r"|\x1b\[([0-?]*+)([ -/]*+)([@-~])"  # 5 6 7: a control sequence
    r"|([\x00-\x1a\x1c-\x1f\x7f-\x9f])"  # 8: a control character
    r"|\x1b\[([^@-~\x18\x1a\x1b]*+)([@-~]|(?=[\x18\x1a\x1b]))"  # 9 10: a sequence with control characters in it
    r"|\x1b([ -/]*+)([0-OQ-WYZ\\`-jl-~])"  # 11 12: an escape sequence
    r"|\x1b([ -/]++)([P\[\]X^_k])"  # 13 14: the same with a final that alone would open a string
    r"|\x1b([P\]X^_k])"  # 15: a string begins
    r"|(\x1b(?:\[[^@-~\x18\x1a\x1b]*+|[ -/]*+)\Z)"  # 16: unfinished
    r"|(\x1b[ -/]*+)",  # 17: an escape that leads nowhere
    re.DOTALL,
)
_STRING_END = re.compile("[\x07\x18\x1a\x1b]")
_CONTROLS = re.compile("[\x00-\x1f]")
_NOT_A_SEQUENCE = re.compile("[\x00-\x1f\x7f-\U0010ffff]")
_CLEAN = re.compile(r"([0-?]*)([ -/]*)\Z")
_OVERLONG_CSI = "\x1b[" + ":" * (MAX_SEQUENCE + 1)
_OVERLONG_ESCAPE = "\x1b" + " " * (MAX_SEQUENCE + 1)


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

    events = pyte.Stream.events | {*escape.values(), *csi.values(), *marked.values(), "draw_lines", "operating_command"}

    def __init__(self, screen: Screen | None = None) -> None:
        self._tail = ""
        self._string_kind = ""
        self._string: list[str] = []
        self._string_size = 0
        self._basic: dict[str, Handler] = {}
        self._escape: dict[str, Handler] = {}
        self._csi: dict[str, Handler] = {}
        self._parsed: dict[str, tuple[int, ...]] = {}
        super().__init__(screen)

    def attach(self, screen: pyte.Screen) -> None:
        """Dispatch to this screen from now on."""
        super().attach(screen)
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
        at = 0
        while at < len(data):
            at = self._take_string(data, at) if self._string_kind else self._take_tokens(data, at)

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
        draw, sgr, csi, basic = listener.draw, listener.select_graphic_rendition_text, self._csi, self._basic
        for token in _TOKEN.finditer(data, at):
            kind = token.lastindex
            if kind == 2:
                parameters, text = token.group(1, 2)
                if len(parameters) <= MAX_SEQUENCE:
                    sgr(parameters)
                if text:
                    draw(text)
            elif kind == 4:
                draw(token[4])
            elif kind == 7:
                parameters, between, final = token.group(5, 6, 7)
                if len(parameters) + len(between) > MAX_SEQUENCE:
                    continue
                if between or (parameters and parameters[0] > ";"):
                    self._dispatch_marked(parameters, between, final)
                elif final != "m" and (handler := csi.get(final)) is not None:
                    handler(*(self._parsed.get(parameters) or self._parse(parameters)))
            elif kind == 8:
                if (handler := basic.get(token[8])) is not None:
                    handler()
            elif kind == 3:
                listener.draw_lines(token[3])
            elif kind == 10:
                self._take_dirty_sequence(token[9], token[10])
            elif kind == 12:
                self._dispatch_escape(token[11], token[12])
            elif kind == 15:
                self._string_kind = token[15]
                return token.end()
            elif kind == 16:
                self._keep(token[16])
        return len(data)

    def _keep(self, tail: str) -> None:
        if len(tail) > MAX_SEQUENCE + 2:
            tail = _OVERLONG_CSI if tail[1:2] == "[" else _OVERLONG_ESCAPE
        self._tail = tail

    def _parse(self, parameters: str) -> tuple[int, ...]:
        """The numbers; nothing for text that is no list of numbers (colons belong to SGR only)."""
        fields = parameters.split(";", _MAX_PARAMETERS)[:_MAX_PARAMETERS]
        numbers = tuple((int(field) if len(field) < 6 else _LARGEST) if field.isdigit() else 0 for field in fields)
        if len(parameters) < 16:
            if len(self._parsed) > 4096:
                self._parsed.clear()
            self._parsed[parameters] = numbers
        return numbers

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
        listener: Any = self.listener
        parameters, between = clean.groups()
        if between or (parameters and parameters[0] > ";"):
            self._dispatch_marked(parameters, between, final)
        elif final == "m":
            listener.select_graphic_rendition_text(parameters)
        elif (handler := self._csi.get(final)) is not None:
            handler(*self._parse(parameters))

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

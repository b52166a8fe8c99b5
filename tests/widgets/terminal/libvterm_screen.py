"""What libvterm shows, in a process of its own because it hangs on some input.

Usage: libvterm_screen.py COLUMNS ROWS, with a JSON list of strings (a character for each byte) on standard input; for
each of them the lines and the cursor come out.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path

Shown = tuple[list[str], tuple[int, int]]
"""The lines without blanks at their ends, and the cursor (column, line)."""

_CELL_SIZE = 256
_CHARACTERS = 6
_GONE = 0xFFFFFFFF


class _Place(ctypes.Structure):
    _fields_ = [("row", ctypes.c_int), ("col", ctypes.c_int)]


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"


def _shown(library: ctypes.CDLL, data: bytes, columns: int, rows: int) -> Shown:
    terminal = ctypes.c_void_p(library.vterm_new(rows, columns))
    library.vterm_set_utf8(terminal, 1)
    screen = ctypes.c_void_p(library.vterm_obtain_screen(terminal))
    library.vterm_screen_enable_altscreen(screen, 1)
    library.vterm_screen_reset(screen, 1)
    library.vterm_input_write(terminal, data, ctypes.c_size_t(len(data)))
    lines = []
    cell = (ctypes.c_uint32 * (_CELL_SIZE // 4))()
    for row in range(rows):
        text = ""
        for column in range(columns):
            library.vterm_screen_get_cell(screen, _Place(row, column), cell)
            if cell[0] != _GONE:
                characters = list(cell[:_CHARACTERS])
                text += "".join(map(_character, characters[: [*characters, 0].index(0)])) or " "
        lines.append(text.rstrip())
    place = _Place()
    state = ctypes.c_void_p(library.vterm_obtain_state(terminal))
    library.vterm_state_get_cursorpos(state, ctypes.byref(place))
    library.vterm_free(terminal)
    return lines, (place.col, place.row)


def libvterm_screens(pieces: list[bytes], columns: int, rows: int, seconds: float = 20) -> list[Shown]:
    """What libvterm shows after each of these outputs, each from a fresh start. Raises subprocess.TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), str(columns), str(rows)],
        input=json.dumps([piece.decode("latin-1") for piece in pieces]).encode(),
        capture_output=True,
        check=True,
        timeout=seconds,
    )
    return [(lines, (x, y)) for lines, (x, y) in json.loads(done.stdout)]


def main() -> None:
    library = ctypes.CDLL("libvterm.so.0")
    for name in ("vterm_new", "vterm_obtain_screen", "vterm_obtain_state"):
        getattr(library, name).restype = ctypes.c_void_p
    columns, rows = map(int, sys.argv[1:3])
    pieces = json.load(sys.stdin)
    json.dump([_shown(library, piece.encode("latin-1"), columns, rows) for piece in pieces], sys.stdout)


if __name__ == "__main__":
    main()

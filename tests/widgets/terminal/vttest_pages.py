"""vttest's recorded pages, and what each emulator makes of them."""

from __future__ import annotations

import json
import lzma
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte
from pyghostty import Terminal

from tests.widgets.terminal.libvterm_screen import Shown, libvterm_screens
from tests.widgets.terminal.tmux_oracle import TmuxOracle
from widgets.terminal.emulator import ByteStream, Screen

COLUMNS, ROWS = 80, 24
FOLDER = Path(__file__).with_name("vttest")
_MENU = b"Enter choice number"


@dataclass(frozen=True)
class Page:
    """One page: all that was printed since the start of its item, up to the moment when vttest waits for a key."""

    item: str
    number: int
    output: bytes

    @property
    def name(self) -> str:
        return f"{self.item}#{self.number}"


def items() -> list[str]:
    """The recorded paths of menu choices, in vttest's order."""
    return sorted((path.stem for path in FOLDER.glob("*.xz")), key=lambda item: [int(part) for part in item.split(".")])


def pages(item: str) -> list[Page]:
    """The pages of an item; menus are none."""
    pieces = [piece.encode("latin-1") for piece in json.loads(lzma.decompress((FOLDER / f"{item}.xz").read_bytes()))]
    whole = accumulate(pieces)
    return [
        Page(item, number, output)
        for number, (output, piece) in enumerate(zip(whole, pieces, strict=True))
        if _MENU not in piece and piece
    ]


def ours(outputs: list[bytes]) -> list[Shown]:
    shown: list[Shown] = []
    for output in outputs:
        screen = Screen(COLUMNS, ROWS)
        ByteStream(screen).feed(output)
        shown.append(([line.rstrip() for line in screen.display], (screen.cursor.x, screen.cursor.y)))
    return shown


def stock_pyte(outputs: list[bytes]) -> list[Shown]:
    """Of pages on which pyte raises, what it shows is nothing."""
    shown: list[Shown] = []
    for output in outputs:
        screen = pyte.Screen(COLUMNS, ROWS)
        try:
            pyte.ByteStream(screen).feed(output)
            shown.append(([line.rstrip() for line in screen.display], (screen.cursor.x, screen.cursor.y)))
        except Exception:
            shown.append(([], (-1, -1)))
    return shown


def ghostty(outputs: list[bytes]) -> list[Shown]:
    shown: list[Shown] = []
    for output in outputs:
        with Terminal(COLUMNS, ROWS) as terminal:
            terminal.feed(output)
            lines = [line.rstrip() for line in terminal.text().split("\n")]
            x, y = terminal.cursor[:2]
            shown.append(((lines + [""] * ROWS)[:ROWS], (x, y)))
    return shown


def libvterm(outputs: list[bytes]) -> list[Shown]:
    """Nothing is shown of all pages of an item that it hangs on."""
    try:
        return libvterm_screens(outputs, COLUMNS, ROWS)
    except subprocess.TimeoutExpired:
        return [([], (-1, -1))] * len(outputs)


EMULATORS: dict[str, Callable[[list[bytes]], list[Shown]]] = {
    "ours": ours,
    "pyte": stock_pyte,
    "libvterm": libvterm,
    "ghostty": ghostty,
}


def main() -> None:
    """Count the pages on which each emulator shows what tmux shows: `python -m tests.widgets.terminal.vttest_pages`."""
    counts = dict.fromkeys(EMULATORS, 0)
    total = 0
    with TemporaryDirectory() as folder, TmuxOracle(Path(folder)) as oracle:
        for item in items():
            outputs = [page.output for page in pages(item)]
            pictures = [oracle.picture(output, COLUMNS, ROWS) for output in outputs]
            expected = [(picture.lines, picture.cursor) for picture in pictures]
            total += len(outputs)
            for name, show in EMULATORS.items():
                counts[name] += sum(map(same, show(outputs) if outputs else [], expected))
    print(f"{total} pages:", ", ".join(f"{name} {count}" for name, count in counts.items()))


def same(one: Shown, other: Shown) -> bool:
    """Equal text and cursor; emulators differ in where a cursor is that waits to wrap."""
    last = COLUMNS - 1
    return (one[0], min(one[1][0], last), one[1][1]) == (other[0], min(other[1][0], last), other[1][1])


if __name__ == "__main__":
    main()

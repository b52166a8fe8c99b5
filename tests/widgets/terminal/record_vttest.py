"""Records vttest's pages anew, into vttest/: `python -m tests.widgets.terminal.record_vttest [ITEM...]`.

Needs Debian's vttest. An item is a path of menu choices, as "11.6.2"; its file holds the pages it shows, in order.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
from pathlib import Path

from tests.widgets.terminal.recording import Recorder

FOLDER = Path(__file__).with_name("vttest")
COLUMNS, ROWS = 80, 24

SKIPPED = frozenset(
    {
        *("5", "12", "11.1.4", "11.1.7"),  # keyboards, parameters and printers
        *("11.2.1", "11.3.1", "11.4.1", "11.2.6.1", "11.3.8.1", "11.4.2.1", "11.4.6.1", "11.8.1"),  # the menus before
        *("11.8.4", "11.8.5", "11.8.6", "11.8.8", "11.8.9"),  # fonts, mice, Tektronix and windows
        *("11.1.1", "11.2.5", "11.3.7", "11.4.5", "11.8.2", "11.8.3"),  # answers that vttest spells out
        *("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.13", "11.6.1"),  # choices that show nothing
    }
)
_MOST_PAGES = 40
_CHOICE = re.compile(r"^ +([1-9][0-9]*)\. ", re.MULTILINE)
_TITLE = re.compile(r"^ +Menu .*|^ +VT[0-9]+.*", re.MULTILINE)
_MENU = "Enter choice number"


def recorded(item: str) -> tuple[list[bytes], list[str]]:
    """What vttest prints up to each moment at which it waits for a key, from its main menu on; and, where the item
    is a menu, its items."""
    with Recorder(["vttest", f"{ROWS}x{COLUMNS}.{COLUMNS}"], COLUMNS, ROWS, Path("/"), {}) as recorder:
        choices = [choice for choice in item.split(".") if choice]
        pages: list[bytes] = []
        while len(pages) < _MOST_PAGES:
            before = sum(map(len, pages))
            try:
                recorder.settle(0.4)
            except OSError:
                break
            pages.append(bytes(recorder.output[before:]))
            shown = "\n".join(recorder.screen.display)
            if _MENU not in shown:
                recorder.send(b"\r")
            elif choices:
                title = _TITLE.findall(shown)
                recorder.send(choices.pop(0).encode() + b"\r")
                depth = len(pages)
            elif not item or len(pages) == depth + 1:
                if item and title == _TITLE.findall(shown):
                    # A choice that changes how the menu's other tests are done.
                    return [], []
                prefix = f"{item}." if item else ""
                return [], [prefix + number for number in _CHOICE.findall(shown)]
            else:
                break
        return pages, []


def take(item: str) -> None:
    """Record an item, or those of a menu."""
    if item in SKIPPED:
        return
    pages, items = recorded(item)
    for each in items:
        take(each)
    if pages:
        packed = lzma.compress(json.dumps([page.decode("latin-1") for page in pages]).encode(), preset=9)
        (FOLDER / f"{item}.xz").write_bytes(packed)
        print(f"{item}: {len(pages)} pages, {sum(map(len, pages))} bytes, {len(packed)} packed", flush=True)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for item in sys.argv[1:] or [""]:
        take(item)


if __name__ == "__main__":
    main()

"""Anything at any time: output, keys, mouse, sizes, searches. What is drawn has its width, and nothing raises."""

from __future__ import annotations

import random

import pytest
from rich.cells import cell_len
from textual import events
from textual.geometry import Offset

from tests.widgets.terminal.terminal_app import TerminalApp, mouse, script, until
from widgets.terminal.commands import COMMANDS
from widgets.terminal.copy_mode import COPY_KEYS

OUTPUT = (
    "plain text and more\r\n" * 7,
    "\x1b[31;44mstyled\x1b[0m 漢字 e\u0301 👩\u200d👧 ",
    "x" * 300,
    "\x1b]8;;https://example.com/a\x1b\\a link that is long enough to wrap " * 3 + "\x1b]8;;\x1b\\",
    "\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07out\r\nput\r\n\x1b]133;D;0\x07",
    "\x1b[?1049h\x1b[2J full \x1b[5;5Hscreen",
    "\x1b[?1049l",
    "\x1b[2J\x1b[3J\x1b[H",
    "\x1b[?1003;1006;1004h",
    "\x1b[?1003;1004l",
    "\x1b[?2026h",
    "\x1b[?2026l",
    "\x1b[?5h",
    "\x1b[?5l\x1b[4 q\x1b[?25l",
    "\x1b[6 q\x1b[?25h\x1b[>5u",
    "\x1bc",
    "https://other.example/" + "path/" * 30,
)
KEYS = (
    *(key for keys, _, _ in COPY_KEYS for key in keys),
    *"abz019",
    "ctrl+shift+space",
    "ctrl+shift+f",
    "shift+pageup",
)
MOUSE = (events.MouseDown, events.MouseMove, events.MouseUp, events.MouseScrollUp, events.MouseScrollDown)


@pytest.mark.parametrize("seed", range(2))
async def test_at_random(seed: int) -> None:
    chance = random.Random(seed)
    app = TerminalApp(script("cat >/dev/null"))
    async with app.run_test(size=(40, 12)) as pilot:
        terminal = app.terminal
        await until(pilot, lambda: terminal.source is not None)
        for _ in range(200):
            match chance.randrange(8):
                case 0 | 1 | 2:
                    app.feed(chance.choice(OUTPUT))
                case 3 | 4:
                    key = chance.choice(KEYS)
                    terminal.post_message(events.Key(key, key if len(key) == 1 else None))
                case 5:
                    place = Offset(chance.randrange(-3, 50), chance.randrange(-3, 18))
                    held = {chance.choice(["shift", "meta", "ctrl"]): chance.random() < 0.5}
                    terminal.post_message(mouse(chance.choice(MOUSE), place, chance.randrange(4), **held))
                case 6:
                    await terminal.run_action(chance.choice(COMMANDS).action)
                case 7 if chance.random() < 0.3:
                    await pilot.resize_terminal(chance.randrange(2, 90), chance.randrange(1, 30))
                case _:
                    terminal.search_for(chance.choice(["a", "te", "漢", ""]))
            if chance.random() < 0.3:
                await pilot.pause()
            for y in range(terminal.size.height):
                strip = terminal.render_line(y)
                assert strip.cell_length == terminal.size.width == sum(cell_len(text) for text, _, _ in strip)
        await pilot.pause()

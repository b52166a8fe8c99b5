"""What is typed before the program is there."""

from __future__ import annotations

import asyncio
import string

import pytest
from textual import events

from tests.widgets.terminal.terminal_app import TerminalApp, script, shown, type_text, until
from widgets.terminal.source import TerminalSource

_SHOWS_BYTES = "stty raw -echo; printf ready; exec cat -v"


class _Gate:
    """A factory that waits."""

    def __init__(self, text: str) -> None:
        self._factory = script(text)
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, columns: int, rows: int) -> TerminalSource:
        self.asked.set()
        await self.open.wait()
        source = await self._factory(columns, rows)
        seen = b""
        while b"ready" not in seen:  # until then the kernel makes of keys what it will
            seen += await source.read()
        return source


@pytest.mark.parametrize("opens_at", [0, 1, 20, 40])
async def test_it_comes_in_order_whenever_the_program_does(opens_at: int) -> None:
    gate = _Gate(_SHOWS_BYTES)
    app = TerminalApp(gate)
    text = string.ascii_letters
    async with app.run_test(size=(80, 24)) as pilot:
        await gate.asked.wait()
        for number, char in enumerate(text):
            if number == opens_at:
                gate.open.set()
            app.terminal.post_message(events.Key(char, char))
            await asyncio.sleep(0)
            if number % 10 == 0:
                await asyncio.sleep(0.002)
        await until(pilot, lambda: "Z" in shown(app))
        assert text in shown(app)
        assert app.keys == []


async def test_keys_and_pastes_are_sent_as_the_program_wants_them() -> None:
    gate = _Gate(_SHOWS_BYTES)
    app = TerminalApp(gate)
    async with app.run_test(size=(80, 24)) as pilot:
        await gate.asked.wait()
        await pilot.press("a", "up", "ctrl+c")
        app.terminal.post_message(events.Paste("pasted"))
        await pilot.press("b", "enter")
        await pilot.press("ctrl+backslash")
        gate.open.set()
        await until(pilot, lambda: "^M" in shown(app))
        assert "a^[[A^Cpastedb^M" in shown(app)
        assert app.keys == ["ctrl+backslash"]


async def test_lines_pasted_too_early_are_not_run_one_by_one() -> None:
    gate = _Gate(_SHOWS_BYTES)
    app = TerminalApp(gate)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await gate.asked.wait()
        app.terminal.post_message(events.Paste("rm one\nrm two"))
        await pilot.press("a")
        gate.open.set()
        await until(pilot, lambda: "a" in shown(app))
        assert shown(app).strip() == "a"
        assert [notice.message for notice in app._notifications] == ["Nothing runs yet that could take the paste"]


async def test_what_was_meant_for_a_program_that_did_not_come_goes_to_no_other() -> None:
    gate = _Gate(_SHOWS_BYTES)
    fails = True

    async def factory(columns: int, rows: int) -> TerminalSource:
        source = await gate(columns, rows)
        if fails:
            await source.close()
            raise ConnectionError("no way")
        return source

    app = TerminalApp(factory)
    async with app.run_test(size=(80, 24)) as pilot:
        await gate.asked.wait()
        await type_text(pilot, "lost")
        gate.open.set()
        await until(pilot, lambda: app.of(app.terminal.Exited))
        assert not app.terminal.takes_keys
        fails = False
        app.terminal.restart()
        await type_text(pilot, "kept")
        await until(pilot, lambda: "kept" in shown(app))
        assert "lost" not in shown(app)

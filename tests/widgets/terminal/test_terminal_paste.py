"""Big pastes: all of it, at the program's pace, and no longer than the user wants."""

from __future__ import annotations

import hashlib

from textual import events

from tests.widgets.terminal.terminal_app import TerminalApp, script, shell, shown, until

SIZE = 3_000_000
TEXT = "".join(f"line {number} äöü漢\n" for number in range(SIZE // 16))
SUMS = (
    "import hashlib, os, sys, tty; tty.setraw(0); print('ready', flush=True); h = hashlib.sha256(); n = {size}\n"
    "while n > 0: data = os.read(0, 65536); h.update(data); n -= len(data)\n"
    "print('sum', h.hexdigest()[:16], n, flush=True); os.read(0, 1)"
)


async def test_all_of_a_big_paste_comes() -> None:
    sent = TEXT.replace("\n", "\r").encode()
    app = TerminalApp(shell("python3", "-c", SUMS.format(size=len(sent))))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.terminal.post_message(events.Paste(TEXT))
        await until(pilot, lambda: f"sum {hashlib.sha256(sent).hexdigest()[:16]} 0" in shown(app), 30)


async def test_a_program_that_does_not_read_holds_the_paste_back_and_ctrl_c_drops_it() -> None:
    app = TerminalApp(script("stty raw -echo isig; printf ready; trap 'printf over; head -c 1; exit' INT; sleep 60"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.terminal.post_message(events.Paste(TEXT))
        await until(pilot, lambda: 0 < app.terminal.pasting < len(TEXT))
        held = -1
        # What the kernel has room for goes first.
        while app.terminal.pasting != held:
            held = app.terminal.pasting
            await pilot.pause(0.3)
        assert held > len(TEXT) - 200_000
        await until(pilot, lambda: f"pasting, {held // 1024} K left" in shown(app))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.terminal.pasting == 0 and "pasting" not in shown(app))

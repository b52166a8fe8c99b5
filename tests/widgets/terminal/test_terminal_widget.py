"""The widget in an app, with real programs in a local PTY."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.geometry import Offset

from tests.widgets.terminal.recording import EDITOR
from tests.widgets.terminal.terminal_app import TerminalApp, shell, shown, type_text, until
from widgets.terminal import LocalPty, Terminal


async def test_a_shell_answers_to_typing() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await type_text(pilot, "echo $((40+2))\n")
        await until(pilot, lambda: "\n42" in shown(app))


async def test_the_end_is_told_with_its_status_and_keys_are_the_apps_then() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await type_text(pilot, "exit 7\n")
        await until(pilot, lambda: any(isinstance(told, Terminal.Exited) and told.code == 7 for told in app.told))
        assert app.terminal.source is None
        before = len(app.keys)
        await pilot.press("x")
        assert app.keys[before:] == ["x"]
        app.terminal.restart()
        await until(pilot, lambda: app.terminal.source is not None and "$" in shown(app))


async def test_a_source_that_cannot_be_opened_is_told() -> None:
    app = TerminalApp(shell("/nowhere/at/all"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.told and isinstance(app.told[-1], Terminal.Exited))
        last = app.told[-1]
        assert isinstance(last, Terminal.Exited) and last.code is None and "/nowhere" in (last.error or "")


async def test_the_program_learns_the_size_and_its_changes() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await type_text(pilot, "stty size\n")
        await until(pilot, lambda: "24 80" in shown(app))
        await pilot.resize_terminal(132, 43)
        await until(pilot, lambda: app.terminal.emulator.columns == 132)
        await type_text(pilot, "stty size\n")
        await until(pilot, lambda: "43 132" in shown(app))
        assert any(isinstance(told, Terminal.Resized) and told.columns == 132 for told in app.told)


async def test_an_editor_opens_edits_and_leaves(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    target.write_text("".join(f"row {number}\n" for number in range(100)))
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        app.terminal.send_text(f"{' '.join(EDITOR)} {target}\r")
        await until(pilot, lambda: app.terminal.emulator.alternate and "row 21" in shown(app))
        await pilot.press("G")
        await until(pilot, lambda: "row 99" in shown(app))
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: "row 75" in shown(app))
        await pilot.press("O")
        await type_text(pilot, "written here")
        await pilot.press("escape")
        await type_text(pilot, ":wq\n")
        await until(pilot, lambda: not app.terminal.emulator.alternate)
        await until(pilot, lambda: "written here" in target.read_text())
        assert "row 99" not in shown(app)


async def test_scrollback_keeps_its_place_while_output_goes_on() -> None:
    app = TerminalApp(shell("/bin/sh", "-c", "seq 1 500; read x; seq 501 600; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "500" in shown(app))
        await pilot.press("shift+pageup")
        assert "455" in shown(app) and "500" not in shown(app) and "lines up" in shown(app)
        before = app.terminal.first_line
        app.terminal.send(b"\r")
        await until(pilot, lambda: app.terminal.emulator.history_total >= 570)
        assert app.terminal.first_line == before and "455" in shown(app)
        app.terminal.post_message(events.MouseScrollDown(app.terminal, 1, 1, 0, 1, 0, False, False, False))
        await until(pilot, lambda: app.terminal.first_line == before + 3)
        await pilot.press("shift+end")
        assert "600" in shown(app)
        await pilot.press("shift+home")
        assert shown(app).startswith("1 ")


async def test_the_mouse_selects_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widgets.terminal.input._CLICK_SECONDS", 5.0)
    app = TerminalApp(shell("/bin/sh", "-c", "printf 'alpha beta-gamma.txt\\r\\nsecond line\\r\\n'; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "second" in shown(app))
        await pilot.mouse_down(Terminal, offset=Offset(6, 0))
        await pilot.hover(Terminal, offset=Offset(5, 1))
        await pilot.mouse_up(Terminal, offset=Offset(5, 1))
        await until(pilot, lambda: app.clipboard == "beta-gamma.txt\nsecond")
        await pilot.click(Terminal, offset=Offset(8, 0), times=2)
        await until(pilot, lambda: app.clipboard == "beta-gamma.txt")
        await pilot.click(Terminal, offset=Offset(9, 0), times=3)
        await until(pilot, lambda: app.clipboard == "alpha beta-gamma.txt")
        assert app.terminal.copy_selection() == "alpha beta-gamma.txt"


async def test_a_program_gets_the_mouse_it_asked_for() -> None:
    app = TerminalApp(
        shell(
            "/bin/sh",
            "-c",
            "stty raw -echo; printf '\\033[?1002;1006hready'; dd bs=1 count=9 2>/dev/null | tr '\\033' E",
        )
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        await pilot.mouse_down(Terminal, offset=Offset(4, 2))
        await until(pilot, lambda: "E[<0;5;3M" in shown(app))


async def test_some_keys_are_left_to_the_app() -> None:
    app = TerminalApp(shell("/bin/sh", "-c", "stty raw -echo; printf ready; od -An -c"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        await pilot.press("ctrl+backslash", "a")
        await pilot.pause()
        assert app.keys == ["ctrl+backslash"]


async def test_title_and_bell_are_told() -> None:
    app = TerminalApp(shell("/bin/sh", "-c", "printf '\\033]2;my title\\007\\007'; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any(isinstance(told, Terminal.BellRang) for told in app.told))
        assert any(isinstance(told, Terminal.TitleChanged) and told.title == "my title" for told in app.told)


async def test_a_paste_is_bracketed_where_asked_for() -> None:
    app = TerminalApp(
        shell(
            "/bin/sh",
            "-c",
            "stty raw -echo; printf '\\033[?2004hready'; dd bs=1 count=19 2>/dev/null | tr '\\033\\r' ER",
        )
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.terminal.post_message(events.Paste("one\x1b\ntwo"))
        await until(pilot, lambda: "E[200~oneRtwoE[201~" in shown(app))


async def test_a_flood_leaves_the_app_alive_and_ctrl_c_ends_it() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await type_text(pilot, "yes flood\n")
        await until(pilot, lambda: app.terminal.emulator.history_total > 5000)
        assert len(app.terminal.emulator.history) <= 10_000
        await pilot.press("ctrl+c")
        # A shell forgets what was typed before it took note of the interrupt.
        await until(pilot, lambda: shown(app).rstrip().endswith("$"))
        await type_text(pilot, "echo ov''er\n")
        await until(pilot, lambda: "\nover" in shown(app))


async def test_a_hidden_terminal_asks_for_no_repaint() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        app.terminal.display = False
        await until(pilot, lambda: not app.terminal.in_view)
        app.terminal._exchange_repaint_regions()
        app.terminal.send_text("echo hid''den\r")
        await until(pilot, lambda: any(row.text.startswith("hidden") for row in app.terminal.emulator.rows))
        assert not app.terminal._exchange_repaint_regions()
        app.terminal.display = True
        await until(pilot, lambda: "hidden" in shown(app))


async def test_no_colour_keeps_cursor_and_selection_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        cursor = app.terminal.emulator.cursor
        cell = app.terminal.render_line(cursor.y).crop(cursor.x, cursor.x + 1)
        assert [segment.style.reverse for segment in cell if segment.style] == [True]


async def test_detaching_hangs_up_and_another_source_can_come() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        source = app.terminal.source
        assert isinstance(source, LocalPty)
        await app.terminal.detach()
        assert await source.exit_code() is not None
        app.terminal.attach(await shell("/bin/echo", "second source")(80, 24))
        await until(pilot, lambda: "second source" in shown(app))


async def test_programs_that_ask_learn_the_colours() -> None:
    app = TerminalApp(
        shell("/bin/sh", "-c", "stty raw -echo; printf '\\033]11;?\\007'; dd bs=1 count=22 2>/dev/null | tr '\\033' E")
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "E]11;rgb:" in shown(app))

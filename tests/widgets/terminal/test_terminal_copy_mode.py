"""Copy mode and search in an app, over output that goes on."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset

from tests.widgets.terminal.terminal_app import TerminalApp, mouse, script, shell, shown, type_text, until
from widgets.terminal import Terminal

COUNTING = "seq 1 300; printf 'prompt> '; read x; seq 301 900; printf 'done> '; read x"


async def test_keys_select_and_copy() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space")
        assert "COPY" in shown(app).splitlines()[-1] and app.terminal.copying
        assert "prompt>" in shown(app), "the newest line is seen over the status line"
        await pilot.press("k", "0", "V", "k", "k")
        assert "LINES" in shown(app) and app.terminal.selected_text == "298\n299\n300"
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "298\n299\n300")
        assert not app.terminal.copying and "COPY" not in shown(app)
        assert [told.copying for told in app.of(Terminal.CopyModeChanged)] == [True, False]


async def test_the_view_and_the_selection_stay_while_output_goes_on() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space", "k", "0", "v", "dollar_sign")
        before = shown(app).splitlines()[:-1]
        app.terminal.send(b"\r")
        await until(pilot, lambda: app.terminal.emulator.history_total > 800)
        assert shown(app).splitlines()[1:-1] == before[1:]
        assert app.terminal.selected_text == "300"
        await pilot.press("q")
        await until(pilot, lambda: "done>" in shown(app))


async def test_keys_of_the_copy_mode_are_not_the_programs() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await pilot.press("ctrl+shift+space", "j", "k", "x", "z", "escape")
        assert not app.terminal.copying
        await type_text(pilot, "echo fr''ee\n")
        await until(pilot, lambda: "\nfree" in shown(app))
        assert "jkxz" not in shown(app)


async def test_search_finds_shows_all_hits_and_goes_on() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+f", "2", "9", "9")
        await until(pilot, lambda: "1 of 1" in shown(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "13 of 13" in shown(app))
        assert shown(app).splitlines()[-1].startswith("?29")
        line = app.terminal.own_cursor
        assert line is not None and line[0] == 298
        await pilot.press("enter", "n")
        await until(pilot, lambda: "12 of 13" in shown(app))
        await pilot.press("N", "N", "N")
        await until(pilot, lambda: "2 of 13" in shown(app))
        assert app.terminal.own_cursor == (128, 1)
        line = app.terminal.render_line(128 - app.terminal.first_line)
        looks = {text: style for text, style, _ in line.crop(0, 3) if style is not None}
        assert list(looks) == ["1", "2", "9"] and looks["9"].bold and not looks["1"].bold
        assert looks["9"].bgcolor != looks["1"].bgcolor
        await pilot.press("escape")
        assert "of 13" not in shown(app) and app.terminal.copying


async def test_giving_a_search_up_goes_back() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space")
        before = app.terminal.own_cursor
        await pilot.press("question_mark", "1", "7")
        await until(pilot, lambda: app.terminal.own_cursor != before)
        await pilot.press("escape")
        assert app.terminal.own_cursor == before and app.terminal.copying


async def test_what_comes_later_is_found_too() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        app.terminal.search_for("899")
        await until(pilot, lambda: "0 found" in shown(app))
        app.terminal.send(b"\r")
        await until(pilot, lambda: app.terminal.emulator.history_total > 870)
        await pilot.press("n")
        await until(pilot, lambda: "1 of 1" in shown(app))


async def test_the_mouse_moves_the_copy_cursor() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space")
        await pilot.click(Terminal, offset=(1, 5))
        first = app.terminal.first_line
        assert app.terminal.own_cursor == (first + 5, 1)
        await pilot.press("V", "y")
        await until(pilot, lambda: app.clipboard == str(first + 6))


async def test_a_new_size_ends_the_copy_mode() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space", "v", "k")
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: not app.terminal.copying and app.terminal.selection is None)
        assert "prompt>" in shown(app)


async def test_an_ended_terminal_can_still_be_read() -> None:
    app = TerminalApp(script("seq 1 100"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.of(Terminal.Exited))
        await pilot.press("ctrl+shift+space", "g", "v", "l", "y")
        assert not app.terminal.copying and app.clipboard == "1"


async def test_the_other_screen_has_nothing_selected() -> None:
    app = TerminalApp(script("printf 'text '; read x; printf '\\033[?1049hother'; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "text" in shown(app))
        await pilot.press("ctrl+shift+space", "0", "v", "l", "y")
        app.terminal.select_line((0, 0))
        app.terminal.send(b"\r")
        await until(pilot, lambda: "other" in shown(app))
        assert app.terminal.selection is None and app.clipboard == "te"


async def test_the_wheel_takes_the_cursor_along() -> None:
    app = TerminalApp(script(COUNTING))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "prompt>" in shown(app))
        await pilot.press("ctrl+shift+space", "k", "0", "v")
        for _ in range(10):
            app.terminal.post_message(mouse(events.MouseScrollUp, Offset(1, 1)))
        await pilot.pause()
        cursor = app.terminal.own_cursor
        assert cursor is not None and cursor[0] == app.terminal.first_line + 22
        assert app.terminal.selected_text.startswith(str(cursor[0] + 1))

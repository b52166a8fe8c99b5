"""The mouse: what programs are told, and what is selected with it."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset

from tests.widgets.terminal.terminal_app import TerminalApp, drag, marked, mouse, script, shown, until
from widgets.terminal import Terminal

TELLS = "stty raw -echo; printf '\\033[?{modes}hready'; cat -v"
COUNTS = "seq 1 300; read x"
TEXT = "printf 'alpha beta gamma\\r\\ndelta epsilon zeta\\r\\neta theta iota\\r\\n'; read x"


async def test_programs_are_told_presses_releases_drags_and_wheels() -> None:
    app = TerminalApp(script(TELLS.format(modes="1002;1006")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        await drag(pilot, (4, 2), (5, 2), (5, 2), (6, 3), ctrl=True)
        await until(pilot, lambda: "^[[<16;5;3M^[[<48;6;3M^[[<48;7;4M^[[<16;7;4m" in shown(app).replace("\n", ""))
        app.terminal.post_message(mouse(events.MouseMove, Offset(9, 9)))
        app.terminal.post_message(mouse(events.MouseScrollUp, Offset(1, 1), meta=True))
        app.terminal.post_message(mouse(events.MouseScrollRight, Offset(1, 1)))
        await until(pilot, lambda: "^[[<72;2;2M^[[<67;2;2M" in shown(app).replace("\n", ""))
        assert "10;10" not in shown(app), "1002 tells no moves without a button"


async def test_1003_tells_each_cell_once() -> None:
    app = TerminalApp(script(TELLS.format(modes="1003;1006")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        for place in ((3, 3), (3, 3), (4, 3)):
            app.terminal.post_message(mouse(events.MouseMove, Offset(*place)))
        await until(pilot, lambda: "^[[<35;5;4M" in shown(app))
        assert shown(app).count("^[[<35;4;4M") == 1


async def test_shift_selects_where_the_program_has_the_mouse() -> None:
    app = TerminalApp(script(TELLS.format(modes="1000;1006")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        await drag(pilot, (0, 0), (4, 0), shift=True)
        await until(pilot, lambda: app.clipboard == "ready")
        assert "^[[<" not in shown(app)


async def test_focus_is_told() -> None:
    app = TerminalApp(script(TELLS.format(modes="1004")))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.screen.set_focus(None)
        await until(pilot, lambda: "^[[O" in shown(app))
        app.terminal.focus()
        await until(pilot, lambda: "^[[O^[[I" in shown(app))


async def test_the_wheel_is_arrow_keys_on_the_alternate_screen() -> None:
    app = TerminalApp(script("stty raw -echo; printf '\\033[?1049;1hready'; cat -v"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.terminal.post_message(mouse(events.MouseScrollDown, Offset(1, 1)))
        await until(pilot, lambda: "^[OB^[OB^[OB" in shown(app))
        app.feed("\x1b[?1007l")
        app.terminal.post_message(mouse(events.MouseScrollDown, Offset(1, 1)))
        app.terminal.send(b"end")
        await until(pilot, lambda: "end" in shown(app))
        assert shown(app).count("^[OB") == 3


async def test_alt_selects_a_block() -> None:
    app = TerminalApp(script(TEXT))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "iota" in shown(app))
        await drag(pilot, (6, 0), (8, 2), meta=True)
        await until(pilot, lambda: app.clipboard == "bet\neps\neta"[:7] + "\n" + "eta theta iota"[6:9])
        assert [marked(app, y) for y in range(3)] == ["bet", "eps", "eta theta iota"[6:9]]


async def test_words_and_lines_are_dragged_on() -> None:
    app = TerminalApp(script(TEXT))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "iota" in shown(app))
        down, up = mouse(events.MouseDown, Offset(8, 0), 1), mouse(events.MouseUp, Offset(8, 0), 1)
        app.terminal.post_message(down)
        app.terminal.post_message(up)
        await drag(pilot, (8, 0), (7, 1))
        await until(pilot, lambda: app.clipboard == "beta gamma\ndelta epsilon")
        await drag(pilot, (2, 2), (2, 2))
        await drag(pilot, (2, 2), (2, 2))
        await drag(pilot, (2, 2), (3, 1))
        await until(pilot, lambda: app.clipboard == "delta epsilon zeta\neta theta iota")


async def test_shift_goes_on_with_what_is_selected() -> None:
    app = TerminalApp(script(TEXT))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "iota" in shown(app))
        await drag(pilot, (6, 0), (9, 0))
        await until(pilot, lambda: app.clipboard == "beta")
        await drag(pilot, (4, 1), shift=True)
        await until(pilot, lambda: app.clipboard == "beta gamma\ndelta")


async def test_the_view_scrolls_while_the_mouse_stays_beyond_an_edge() -> None:
    app = TerminalApp(script(COUNTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "300" in shown(app))
        app.terminal.post_message(mouse(events.MouseDown, Offset(0, 3), 1))
        app.terminal.post_message(mouse(events.MouseMove, Offset(0, -4), 1))
        await until(pilot, lambda: app.terminal.first_line < 200)
        app.terminal.post_message(mouse(events.MouseMove, Offset(0, 5), 1))
        await pilot.pause()
        stayed = app.terminal.first_line
        await pilot.pause(0.2)
        assert app.terminal.first_line == stayed
        app.terminal.post_message(mouse(events.MouseMove, Offset(2, 40), 1))
        await until(pilot, lambda: "300" in shown(app))
        app.terminal.post_message(mouse(events.MouseUp, Offset(2, 40), 1))
        await until(pilot, lambda: app.clipboard.startswith("281\n") and app.clipboard.rstrip().endswith("300"))
        assert app.terminal._autoscroll is None


async def test_the_middle_button_pastes() -> None:
    app = TerminalApp(script("stty raw -echo; printf ready; cat"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready" in shown(app))
        app.copy_to_clipboard("one two")
        await pilot.click(Terminal, offset=(3, 3), button=2)
        await until(pilot, lambda: "readyone two" in shown(app))

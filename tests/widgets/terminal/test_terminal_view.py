"""What is painted, and when."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

import pytest
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.widgets import Label, Static

from tests.widgets.terminal.terminal_app import TerminalApp, marked, script, shell, shown, until
from widgets.terminal import Terminal
from widgets.terminal.paint import RowStrip


async def fresh(pilot: object, app: TerminalApp) -> None:
    await until(pilot, lambda: app.terminal.source is not None)  # type: ignore[arg-type]
    app.terminal.paint()
    app.terminal._exchange_repaint_regions()


async def test_only_lines_that_changed_are_painted() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        app.terminal._stream.feed(b"\x1b[5;1Hfive\x1b[9;1Hnine")
        app.terminal.paint()
        lines = {region.y for region in app.terminal._exchange_repaint_regions()}
        assert {4, 8} <= lines and len(lines) <= 3


async def test_an_echo_is_painted_before_anything_else_happens() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        for _ in range(3):
            await pilot.pause(0.05)
            await app.terminal._take(b"a")
            assert not app.terminal._due


async def test_rows_are_drawn_without_rich_and_in_place() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        app.feed("\x1b[31mred\x1b[0m plain")
        strips = app.terminal.render_lines(Region(0, 0, 80, 24))
        assert all(type(strip) is RowStrip for strip in strips[1:])
        assert strips[2] is app.terminal.render_lines(Region(0, 0, 80, 24))[2]
        (part,) = app.terminal.render_lines(Region(2, 0, 5, 1))
        assert part.text == "d pla" and part.cell_length == 5
        app.terminal.styles.padding = 1
        await pilot.pause()
        assert [strip.text[:6] for strip in app.terminal.render_lines(Region(0, 0, 80, 3))][1] == " red p"


async def test_a_synchronized_frame_is_shown_whole_but_not_waited_for_for_ever() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        await pilot.pause(0.1)
        app.terminal._exchange_repaint_regions()
        app.feed("\x1b[?2026hhalf a frame")
        assert not app.terminal._exchange_repaint_regions()
        app.feed(" and the rest\x1b[?2026l")
        assert app.terminal._exchange_repaint_regions()
        app.feed("\x1b[?2026hforgotten")
        await until(pilot, lambda: app.terminal._held_since is None)


@pytest.mark.parametrize(
    ("style", "text", "mark"),
    [(0, "ab", "a"), (2, "ab", "a"), (4, "ab", ""), (6, "ab", "a"), (6, "  ", "▏"), (2, "漢b", "漢")],
)
async def test_cursor_shapes(style: int, text: str, mark: str) -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        app.feed(f"\x1b[{style} q{text}\r")
        if mark == "▏":
            assert app.terminal.render_line(0).text.startswith("▏")
        else:
            assert marked(app, 0) == mark
        under = [part for part, look, _ in app.terminal.render_line(0) if look is not None and look.underline]
        assert under == (["a"] if style == 4 else [])


async def test_without_the_focus_the_cursor_is_an_underline() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        app.screen.set_focus(None)
        await pilot.pause()
        assert marked(app, 0) == ""
        assert any(look is not None and look.underline for _, look, _ in app.terminal.render_line(0))


async def test_input_methods_learn_where_the_cursor_is() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.mount(Static("line above"), before=0)
        await fresh(pilot, app)
        app.feed("\x1b[7;12H")
        await until(pilot, lambda: app.cursor_position == Offset(11, 7))


async def test_a_hidden_flood_is_taken_in_and_not_painted() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        app.terminal.display = False
        await until(pilot, lambda: not app.terminal.in_view)
        app.terminal._exchange_repaint_regions()
        app.terminal.send_text("yes flood | head -n 200000; echo en''d\r")
        await until(pilot, lambda: any(row.text.startswith("end") for row in app.terminal.emulator.rows), 60)
        assert not app.terminal._exchange_repaint_regions()
        app.terminal.display = True
        await until(pilot, lambda: "end" in shown(app))


async def test_on_a_screen_that_is_left_nothing_is_painted_either() -> None:
    app = TerminalApp(shell())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "$" in shown(app))
        await app.push_screen(Screen())
        await until(pilot, lambda: not app.terminal.in_view)
        app.terminal._exchange_repaint_regions()
        app.terminal.send_text("echo beh''ind\r")
        await until(pilot, lambda: any(row.text.startswith("behind") for row in app.terminal.emulator.rows))
        assert not app.terminal._exchange_repaint_regions()
        await app.pop_screen()
        await until(pilot, lambda: any("behind" in strip.text for strip in app.screen._compositor.render_strips()))


async def test_colours_that_the_program_sets_are_used() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        app.feed("\x1b]4;1;#0a0b0c\x07\x1b[31mred\r\n")
        red = next(look for text, look, _ in app.terminal.render_line(0) if text == "red")
        assert red is not None and red.color is not None and red.color.triplet == (10, 11, 12)
        app.feed("\x1b]104\x07")
        red = next(look for text, look, _ in app.terminal.render_line(0) if text == "red")
        assert red is not None and red.color is not None and red.color.triplet != (10, 11, 12)


async def test_a_click_on_how_far_up_it_is_goes_down() -> None:
    app = TerminalApp(script("seq 1 200; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "200" in shown(app))
        await pilot.press("shift+home")
        assert "lines up" in shown(app).splitlines()[0]
        await pilot.click(Terminal, offset=(75, 0))
        assert "200" in shown(app) and "lines up" not in shown(app)


async def test_typing_goes_down_too() -> None:
    app = TerminalApp(script("seq 1 200; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "200" in shown(app))
        await pilot.press("shift+pageup", "a")
        await until(pilot, lambda: "200" in shown(app))


async def test_each_command_has_its_action() -> None:
    app = TerminalApp(script("seq 1 200; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "200" in shown(app))
        keys = [key for command in Terminal.commands() for key in command.keys]
        assert len(keys) == len(set(keys)) and not set(keys) & Terminal.pass_keys
        for command in Terminal.commands():
            assert command.title and command.help
            await app.terminal.run_action(command.action)
            app.terminal.stop_copying()
        assert not app.terminal.emulator.history


async def test_output_behind_a_look_back_repaints_only_how_far_up_it_is() -> None:
    app = TerminalApp(script("seq 1 200; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "200" in shown(app))
        await pilot.press("shift+home")
        app.feed("one\r\n")
        app.terminal._exchange_repaint_regions()
        app.feed("two\r\n")
        assert {(region.y, region.height) for region in app.terminal._exchange_repaint_regions()} == {(0, 1)}
        assert app.terminal.render_line(3) is app.terminal.render_line(3)
        app.feed("x\r\n" * 10_000)
        assert shown(app).splitlines()[1].split()[0] != "2", "what left the scrollback is not shown"


async def test_all_is_selected_but_for_blank_lines_at_the_end() -> None:
    app = TerminalApp(script("seq 1 200; read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "200" in shown(app))
        await pilot.press("ctrl+shift+a", "ctrl+shift+c")
        assert app.clipboard == "\n".join(str(number) for number in range(1, 201))


async def test_a_paint_at_once_forgets_no_other_widget() -> None:
    """Textual takes all that waits for the screen's tick for painted once something is."""
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await fresh(pilot, app)
        label = Label("before")
        await app.mount(label, before=0)
        await pilot.pause(0.1)
        painted: list[Region] = []
        compositor = app.screen._compositor
        render = compositor.render_update

        def render_update(**options: Any) -> Any:
            painted.extend(compositor._dirty_regions)
            return render(**options)

        compositor.render_update = render_update  # type: ignore[method-assign]
        for number in range(5):
            painted.clear()
            label.update(f"after {number}", layout=False)
            for _ in range(1000):
                if label in app.screen._dirty_widgets:
                    break
                await asyncio.sleep(0)
            app.terminal._painted_at = 0
            app.terminal._stream.feed(b"x")
            app.terminal.paint(eager=True)
            await until(pilot, lambda: any(region.overlaps(label.region) for region in painted))


async def test_a_frame_that_a_program_forgot_to_end_comes_as_soon_as_the_outer_terminal_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind = True
    asked = 0

    def outer_is_behind(_: object) -> bool:
        nonlocal asked
        asked += 1
        return behind

    monkeypatch.setattr("widgets.terminal.view.outer_is_behind", outer_is_behind)
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        await pilot.pause(0.1)
        app.feed("\x1b[?2026hforgotten")
        await until(pilot, lambda: app.terminal._held_since == -inf)
        asked = 0
        # It looks at each frame's time, not once in each hold.
        await until(pilot, lambda: asked > 5)
        behind = False
        await until(pilot, lambda: app.terminal._held_since is None)
        assert "forgotten" in shown(app)

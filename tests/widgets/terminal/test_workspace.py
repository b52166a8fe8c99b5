"""Tabs and splits with real shells: keys behind the leader, the mouse, marks, ends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual import events

from tests.widgets.screen_text import screen_lines
from tests.widgets.terminal.terminal_app import shell
from tests.widgets.terminal.workspace_app import (
    SIZE,
    WorkspaceApp,
    command,
    opened,
    shown_in,
    text_of,
    type_text,
    until,
)
from widgets.terminal.source import TerminalSource
from widgets.terminal.tab_line import TabLine
from widgets.terminal.terminal_pane import TerminalPlan
from widgets.terminal.workspace import Workspace


async def test_tabs_by_key_and_mouse(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        assert "No terminals" in text_of(app)
        await opened(pilot, app, "one", "two", "three")
        assert screen_lines(app)[0].startswith(" 1 one  2 two  3 three ")
        await type_text(pilot, "echo in-three\n")
        await until(pilot, lambda: "\nin-three" in text_of(app))
        await command(pilot, "1")
        await type_text(pilot, "echo in-one\n")
        await until(pilot, lambda: "\nin-one" in text_of(app))
        assert "in-three" not in text_of(app)
        await command(pilot, "p")
        await until(pilot, lambda: "in-three" in text_of(app))
        await command(pilot, "less_than_sign")
        await pilot.press("less_than_sign", "escape")
        await until(pilot, lambda: screen_lines(app)[0].startswith(" 1 three  2 one  3 two "))
        await pilot.click(TabLine, offset=(11, 0))
        await until(pilot, lambda: "in-one" in text_of(app))
        await command(pilot, "r")
        await pilot.press("ctrl+u")
        await type_text(pilot, "mine")
        await pilot.press("enter")
        await until(pilot, lambda: " 2 mine " in screen_lines(app)[0])
        await type_text(pilot, "echo typed-on\n")
        await until(pilot, lambda: "\ntyped-on" in text_of(app))
        await command(pilot, "r")
        await pilot.press("x", "escape")
        await until(pilot, lambda: " 2 mine " in screen_lines(app)[0])


async def test_splits_focus_borders_and_zoom(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        first = app.panes()[0]
        assert first.terminal.size == (80, 23)
        await command(pilot, "vertical_line")
        await until(pilot, lambda: len(app.panes()) == 2 and "$" in shown_in(app.panes()[1]))
        second = app.panes()[1]
        assert (first.terminal.size, second.terminal.size) == ((40, 22), (39, 22))
        await command(pilot, "minus")
        await until(pilot, lambda: len(app.panes()) == 3 and "$" in shown_in(app.panes()[2]))
        third = app.panes()[2]
        assert second.terminal.size.height + third.terminal.size.height == 21
        await command(pilot, "left")
        assert first.terminal.has_focus
        await command(pilot, "l")
        assert second.terminal.has_focus
        await command(pilot, "j")
        assert third.terminal.has_focus
        await command(pilot, "H", "H", "K", "escape")
        assert third.terminal.has_focus
        assert first.terminal.size.width == 36
        assert third.terminal.size.height == 12
        await type_text(pilot, "stty size\n")
        await until(pilot, lambda: "12 43" in shown_in(third))
        await command(pilot, "z")
        await until(pilot, lambda: third.terminal.size == (80, 22))
        assert "⛶" in screen_lines(app)[0]
        await command(pilot, "up")
        await until(pilot, lambda: second.terminal.has_focus and first.terminal.size.width == 36)
        await pilot.click(first.terminal)
        assert first.terminal.has_focus
        await command(pilot, "exclamation_mark")
        assert screen_lines(app)[0].startswith(" 1 one  2 one ")
        assert first.terminal.size == (80, 23)


async def test_borders_are_dragged_with_the_mouse(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await command(pilot, "vertical_line")
        await command(pilot, "minus")
        await until(pilot, lambda: len(app.panes()) == 3)
        first, second, third = app.panes()
        await pilot.mouse_down(offset=(40, 5))
        await pilot.hover(offset=(30, 5))
        await pilot.mouse_up(offset=(30, 5))
        await until(pilot, lambda: first.terminal.size.width == 30)
        await pilot.mouse_down(third.title_bar, offset=(5, 0))
        await pilot.hover(offset=(45, 6))
        await pilot.mouse_up(offset=(45, 6))
        await until(pilot, lambda: second.size.height == 5)


async def test_the_same_key_shows_the_same_terminal(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        plan = TerminalPlan("one", shell(), key="host:one")
        first = await app.workspace.open(plan)
        await opened(pilot, app, "two")
        assert await app.workspace.open(plan) is first
        assert app.workspace.active is first
        assert len(app.panes()) == 2
        await command(pilot, "vertical_line")
        assert len(app.panes()) == 3


async def test_what_is_typed_goes_to_all_marked_ones_and_they_are_told_apart(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one", "two", "three")
        await command(pilot, "m")
        await command(pilot, "1")
        await command(pilot, "m")
        assert "⇶" in screen_lines(app)[0]
        assert "typed into with all marked ones" in screen_lines(app)[1]
        await type_text(pilot, "echo to-both\n")
        one, two, three = app.panes()
        await until(pilot, lambda: "\nto-both" in shown_in(one) and "\nto-both" in shown_in(three))
        assert "to-both" not in shown_in(two)
        one.terminal.post_message(events.Paste("echo pasted"))
        await until(pilot, lambda: "echo pasted" in shown_in(one) and "echo pasted" in shown_in(three))
        app.copy_to_clipboard(" by-a-key")
        await pilot.press("shift+insert")
        await until(pilot, lambda: "by-a-key" in shown_in(one) and "by-a-key" in shown_in(three))
        assert "by-a-key" not in shown_in(two)
        assert shown_in(one).count("by-a-key") == shown_in(three).count("by-a-key") == 1
        await command(pilot, "2")
        await type_text(pilot, "echo alone\n")
        await until(pilot, lambda: "\nalone" in shown_in(two))
        assert "alone" not in shown_in(one) + shown_in(three)
        await command(pilot, "1")
        await command(pilot, "M")
        assert app.workspace.marked == []
        assert "⇶" not in text_of(app)


@pytest.mark.parametrize("typed_in", ["opening", "open"])
async def test_a_marked_terminal_that_is_being_opened_gets_all_of_what_is_typed(
    app: WorkspaceApp, typed_in: str
) -> None:
    gate = asyncio.Event()

    async def late(columns: int, rows: int) -> TerminalSource:
        await gate.wait()
        return await shell()(columns, rows)

    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "open")
        await app.workspace.open(TerminalPlan("opening", late), split="row")
        there, opening = app.panes()
        app.workspace.mark([there, opening], True)
        app.screen.set_focus((opening if typed_in == "opening" else there).terminal)
        await type_text(pilot, "echo hea")
        await until(pilot, lambda: "echo hea" in shown_in(there))
        gate.set()
        await until(pilot, lambda: "hea" in shown_in(opening))
        await type_text(pilot, "d-and-tail\n")
        await until(pilot, lambda: all("\nhead-and-tail" in shown_in(pane) for pane in (there, opening)))


async def test_hidden_terminals_live_and_say_so(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await type_text(pilot, "sleep 1; echo later; sleep 3; printf '\\a'\n")
        await opened(pilot, app, "two")
        await until(pilot, lambda: "•" in screen_lines(app)[0])
        await until(pilot, lambda: "\nlater" in shown_in(app.panes()[0]))
        await until(pilot, lambda: "!" in screen_lines(app)[0])
        await command(pilot, "1")
        await until(pilot, lambda: "!" not in screen_lines(app)[0] and "•" not in screen_lines(app)[0])


async def test_the_end_is_told_and_enter_begins_again(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await type_text(pilot, "exit 3\n")
        await until(pilot, lambda: "It ended with code 3." in text_of(app))
        assert "✗" in screen_lines(app)[0]
        await type_text(pilot, "xq echo")
        assert "It ended with code 3." in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "It ended" not in text_of(app) and "$" in text_of(app))
        await type_text(pilot, "exit\n")
        await until(pilot, lambda: "It ended with code 0." in text_of(app))
        await command(pilot, "x")
        await until(pilot, lambda: "No terminals" in text_of(app))
        assert not any(isinstance(told, Workspace.CloseWanted) for told in app.told)


async def test_what_cannot_be_opened_says_why(app: WorkspaceApp) -> None:
    async def refused(columns: int, rows: int) -> TerminalSource:
        raise OSError("There is no such replica.")

    async with app.run_test(size=SIZE) as pilot:
        await app.workspace.open(TerminalPlan("gone", refused))
        await until(pilot, lambda: "There is no such replica. Enter begins again" in text_of(app))


async def test_closing_asks_where_something_runs_and_hangs_up(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await type_text(pilot, "echo $$\n")
        await until(pilot, lambda: re.search(r"^\d+$", shown_in(app.panes()[0]).replace(" ", ""), re.MULTILINE))
        found = re.search(r"^(\d+)$", shown_in(app.panes()[0]).replace(" ", ""), re.MULTILINE)
        assert found
        process = Path("/proc") / found[1]
        assert process.exists()
        await command(pilot, "x")
        await until(pilot, lambda: any(isinstance(told, Workspace.CloseWanted) for told in app.told))
        assert app.panes()
        await app.workspace.close(app.panes())
        await until(pilot, lambda: not process.exists())


async def test_a_session_that_goes_on_is_closed_without_a_question(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await app.workspace.open(TerminalPlan("held", shell(), reconnects=True, stays=True))
        await until(pilot, lambda: "$" in text_of(app))
        await command(pilot, "x")
        await until(pilot, lambda: "No terminals" in text_of(app))
        assert app.words() == ["held goes on without a terminal"]


async def test_many_tabs_keep_the_one_in_front_in_sight(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        for number in range(12):
            await app.workspace.open(TerminalPlan(f"terminal {number}", shell()))
        await until(pilot, lambda: "terminal 11" in screen_lines(app)[0])
        await command(pilot, "1")
        await until(pilot, lambda: screen_lines(app)[0].startswith(" 1 terminal 0"))


async def test_the_title_of_the_active_pane_stands_out_also_while_the_menu_has_the_keys(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await command(pilot, "vertical_line")
        await until(pilot, lambda: len(app.panes()) == 2)

        def bold() -> list[bool]:
            return [bool(pane.title_bar.styles.text_style.bold) for pane in app.panes()]

        await until(pilot, lambda: bold() == [False, True])
        await pilot.press("ctrl+backslash")
        await until(pilot, lambda: app.workspace.choosing)
        assert bold() == [False, True]
        await pilot.press("left")
        await until(pilot, lambda: bold() == [True, False])

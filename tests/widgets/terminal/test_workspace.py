"""Tabs and splits with real shells: keys behind the leader, the mouse, marks, recordings, ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.widgets.screen_text import screen_lines
from tests.widgets.terminal.terminal_app import shell
from widgets.terminal.asciicast import CastEvent, Recording, read_cast
from widgets.terminal.movable import Movable, moving
from widgets.terminal.pane import Pane
from widgets.terminal.replay_pane import ReplayBar, ReplayPane
from widgets.terminal.source import TerminalSource
from widgets.terminal.tab_line import TabLine
from widgets.terminal.terminal_pane import TerminalPane, TerminalPlan
from widgets.terminal.widget import Terminal
from widgets.terminal.workspace import Workspace

SIZE = (80, 24)


class WorkspaceApp(App[None]):
    """A workspace, and what it told."""

    def __init__(self, recordings: Path) -> None:
        super().__init__()
        self.workspace = Workspace(recordings=recordings)
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.workspace

    def on_workspace_view_told(self, message: Workspace.Told) -> None:
        self.told.append(message)

    def on_workspace_leave_wanted(self, message: Workspace.LeaveWanted) -> None:
        self.told.append(message)

    def on_workspace_new_wanted(self, message: Workspace.NewWanted) -> None:
        self.told.append(message)

    def on_workspace_close_wanted(self, message: Workspace.CloseWanted) -> None:
        self.told.append(message)

    def on_terminal_link_requested(self, message: Terminal.LinkRequested) -> None:
        self.told.append(message)

    def words(self) -> list[str]:
        return [message.text for message in self.told if isinstance(message, Workspace.Told)]

    def panes(self) -> list[TerminalPane]:
        return [pane for pane in self.workspace.panes if isinstance(pane, TerminalPane)]


@pytest.fixture
def app(tmp_path: Path) -> WorkspaceApp:
    return WorkspaceApp(tmp_path / "recordings")


def text_of(app: App[None]) -> str:
    return "\n".join(screen_lines(app))


def shown_in(pane: Pane) -> str:
    """What the emulator of a pane has, also of one that is hidden."""
    assert isinstance(pane, TerminalPane)
    return "\n".join(pane.terminal.emulator.display)


async def until(pilot: Pilot[None], reached: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not reached():
        assert asyncio.get_running_loop().time() < deadline, text_of(pilot.app)
        await pilot.pause(0.02)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Keys to what has the focus, without a pause between them."""
    focused = pilot.app.focused
    assert focused is not None
    for char in text:
        focused.post_message(events.Key("enter", "\r") if char == "\n" else events.Key(char, char))
    await pilot.pause()


async def command(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("ctrl+backslash", *keys)
    await pilot.pause()


async def opened(pilot: Pilot[None], app: WorkspaceApp, *titles: str) -> None:
    for title in titles:
        pane = await app.workspace.open(TerminalPlan(title, shell()))
        await until(pilot, lambda pane=pane: "$" in shown_in(pane))


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
        await command(pilot, "2")
        await type_text(pilot, "echo alone\n")
        await until(pilot, lambda: "\nalone" in shown_in(two))
        assert "alone" not in shown_in(one) + shown_in(three)
        await command(pilot, "1")
        await command(pilot, "M")
        assert app.workspace.marked == []
        assert "⇶" not in text_of(app)


async def test_hidden_terminals_live_and_say_so(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await type_text(pilot, "sleep 0.3; echo later; sleep 0.3; printf '\\a'\n")
        await opened(pilot, app, "two")
        await until(pilot, lambda: "•" in screen_lines(app)[0])
        await until(pilot, lambda: "\nlater" in shown_in(app.panes()[0]))
        await until(pilot, lambda: "!" in screen_lines(app)[0])
        await command(pilot, "1")
        await until(pilot, lambda: "!" not in screen_lines(app)[0] and "•" not in screen_lines(app)[0])


async def test_titles_are_the_programs_own(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        program = shell("/bin/sh", "-c", r"printf '\033]2;  its  own \007'; cat")
        pane = await app.workspace.open(TerminalPlan("plain", program))
        await until(pilot, lambda: " 1 its own " in screen_lines(app)[0])
        assert pane.title == "its own"


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
        await app.workspace.open(TerminalPlan("held", shell(), reconnects=True, repaints=True))
        await until(pilot, lambda: "$" in text_of(app))
        await command(pilot, "x")
        await until(pilot, lambda: "No terminals" in text_of(app))
        assert app.words() == ["held goes on without a terminal"]


async def test_commands_that_the_app_must_do_are_asked_for(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await command(pilot, "ctrl+backslash")
        await command(pilot, "c")
        assert [type(told) for told in app.told] == [Workspace.LeaveWanted, Workspace.NewWanted]
        await command(pilot)
        assert app.workspace.choosing
        assert "split right" in text_of(app)
        await pilot.press("escape")
        assert not app.workspace.choosing
        await type_text(pilot, "echo back\n")
        await until(pilot, lambda: "\nback" in text_of(app))
        await type_text(pilot, "cat\nas-it-came\n")
        # Said twice: by the terminal and by the program, which is there then to be quit.
        await until(pilot, lambda: text_of(app).count("as-it-came") == 2)
        await command(pilot, "backslash")
        await until(pilot, lambda: "Quit" in text_of(app))


async def test_a_session_is_recorded_and_what_is_typed_unseen_is_not(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "my shell")
        await type_text(pilot, "echo before\n")
        await until(pilot, lambda: "\nbefore" in text_of(app))
        await command(pilot, "R")
        await until(pilot, lambda: app.words() and "Recording to" in app.words()[-1])
        assert "●" in screen_lines(app)[0]
        await type_text(pilot, "stty -echo; echo ready; read secret; stty echo\n")
        await until(pilot, lambda: "\nready" in text_of(app))
        await type_text(pilot, "hunter2\n")
        await type_text(pilot, "echo after\n")
        await until(pilot, lambda: "\nafter" in text_of(app))
        await command(pilot, "R")
        await until(pilot, lambda: "Recorded to" in app.words()[-1])
        path = Path(app.words()[-1].removeprefix("Recorded to\n"))
        recording = read_cast(path)
        output = "".join(event.data for event in recording.events)
        assert (recording.columns, recording.rows, recording.title) == (80, 23, "my shell")
        assert "before" in output
        assert "after" in output
        assert "hunter2" not in "".join(event.data for event in recording.events)


async def test_a_session_moves_from_one_terminal_to_another_with_its_screen(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        movable: list[Movable] = []

        async def start(columns: int, rows: int) -> TerminalSource:
            movable.append(Movable(await shell()(columns, rows)))
            return movable[-1]

        old = await app.workspace.open(TerminalPlan("old", start))
        assert isinstance(old, TerminalPane)
        await until(pilot, lambda: "$" in shown_in(old))
        await type_text(pilot, "x=kept; echo one; echo two\n")
        await until(pilot, lambda: "\ntwo" in text_of(app))
        plan = TerminalPlan("new", shell(), first=moving(movable[0], lambda: old.terminal.emulator))
        new = await app.workspace.open(plan, split="row")
        await until(pilot, lambda: "\ntwo" in shown_in(new))
        await type_text(pilot, "echo $x; stty size\n")
        await until(pilot, lambda: "\nkept" in shown_in(new) and "22 39" in shown_in(new))
        assert not old.running
        await app.workspace.close([old])
        await type_text(pilot, "echo still\n")
        await until(pilot, lambda: "\nstill" in shown_in(new))


async def test_many_tabs_keep_the_one_in_front_in_sight(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        for number in range(12):
            await app.workspace.open(TerminalPlan(f"terminal {number}", shell()))
        await until(pilot, lambda: "terminal 11" in screen_lines(app)[0])
        await command(pilot, "1")
        await until(pilot, lambda: screen_lines(app)[0].startswith(" 1 terminal 0"))


async def test_a_recording_is_replayed_in_its_own_size(app: WorkspaceApp) -> None:
    happened = (
        CastEvent(0.0, "o", "\x1b[5;1Hfirst"), CastEvent(60.0, "r", "30x6"), CastEvent(60.0, "o", "\x1b[6;1Hsecond"),
        CastEvent(120.0, "o", "\x1b[2Jend"),
    )  # fmt: skip
    recording = Recording(40, 10, "", happened, left_out=2)
    async with app.run_test(size=SIZE) as pilot:
        pane = ReplayPane(app.workspace.new_name(), recording, title="some.cast")
        await app.workspace.add(pane)
        await until(pilot, lambda: "first" in text_of(app) and "▶ 0:00 / 2:00" in text_of(app))
        assert "2 lines of the file made no sense" in text_of(app)
        assert "Space pause  ← → 5 s" in text_of(app), "as many keys as there is room for"
        assert pane.terminal.size == (40, 10)
        await pilot.press("space", "plus")
        await until(pilot, lambda: "⏸" in text_of(app) and "1.5×" in text_of(app))
        await pilot.press("6")
        await until(pilot, lambda: "second" in text_of(app) and pane.terminal.size == (30, 6))
        await pilot.press("left", "left", "left")
        await until(pilot, lambda: "second" not in text_of(app) and pane.terminal.size == (40, 10))
        await pilot.press("end")
        await until(pilot, lambda: "■ 2:00" in text_of(app))
        await pilot.click(ReplayBar, offset=(60, 0))
        await pilot.pause()
        assert "■ 2:00" in text_of(app), "the words of the keys are no place in the recording"
        await pilot.click(ReplayBar, offset=(22, 0))
        await until(pilot, lambda: "first" in text_of(app))
        await command(pilot, "x")
        await until(pilot, lambda: "No terminals" in text_of(app))


async def test_what_a_terminal_tells_after_a_command_goes_to_the_app(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, "one")
        await type_text(pilot, "echo http://localhost:3000/x\n")
        await until(pilot, lambda: shown_in(app.panes()[0]).count("3000/x") == 2)
        await command(pilot, "o")
        await until(pilot, lambda: app.told)
        (told,) = app.told
        assert isinstance(told, Terminal.LinkRequested)
        assert told.address == "http://localhost:3000/x"


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

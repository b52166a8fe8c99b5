"""What a workspace does with sessions besides showing them: records, replays, moves, tells the app."""

from __future__ import annotations

from pathlib import Path

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
from widgets.terminal.asciicast import CastEvent, Recording, read_cast
from widgets.terminal.movable import Movable, moving
from widgets.terminal.replay_pane import ReplayBar, ReplayPane
from widgets.terminal.source import TerminalSource
from widgets.terminal.terminal_pane import TerminalPane, TerminalPlan
from widgets.terminal.widget import Terminal
from widgets.terminal.workspace import Workspace


async def test_titles_are_the_programs_own(app: WorkspaceApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        program = shell("/bin/sh", "-c", r"printf '\033]2;  its  own \007'; cat")
        pane = await app.workspace.open(TerminalPlan("plain", program))
        await until(pilot, lambda: " 1 its own " in screen_lines(app)[0])
        assert pane.title == "its own"


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

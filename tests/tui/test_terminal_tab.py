"""The end of a shell: what is typed on must not become commands of the app."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, type_text, until, until_shown
from tui.app import PilothouseApp
from tui.panels.terminal import TerminalPanel


async def test_what_is_typed_after_the_end_of_a_shell_goes_nowhere(
    app: PilothouseApp, backend: RunningBackend, static_image: str
) -> None:
    with backend.tcp(backend.owner_token()) as api:
        made = [
            api.post("/v1/deployments", json={"appName": name, "image": static_image, "port": 80}).json()["id"]
            for name in ("first", "second")
        ]
        try:
            await _type_on(app, api, made)
        finally:
            for deployment in made:
                api.delete(f"/v1/deployments/{deployment}")


async def _type_on(app: PilothouseApp, api: Any, made: list[str]) -> None:
    def known() -> dict[str, Any]:
        return app.main.state.deployments if app.main.state else {}

    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await until(pilot, lambda: [d.status for d in known().values()] == ["running"] * 2, "both apps")
        app.main.table.select(made[0])
        await pilot.press("5")
        await until_shown(pilot, "^\\ leaves")
        await type_text(pilot, "exit")
        await pilot.press("enter")
        await until_shown(pilot, "The shell ended.")
        footer = text_of(pilot).splitlines()[-1]
        assert "Enter New shell" in footer and "Esc Back" in footer and "Stop" not in footer
        await type_text(pilot, "xsDqn:1[")
        await pilot.press("tab", "delete")
        assert len(app.screen_stack) == 1 and app.is_running
        assert app.main.detail.has_focus_within and app.main.detail.tab == "terminal"
        assert {d.status for d in known().values()} == {"running"}

        await pilot.press("enter")
        await until_shown(pilot, "^\\ leaves", "Leave the shell")
        # A shell that is in front without the focus gets nothing.
        await pilot.press("ctrl+backslash")
        await until(pilot, lambda: app.main.table.has_focus, "the list")
        panel = app.main.query_one(TerminalPanel)
        app.main.set_focus(panel)
        await pilot.press("question_mark")
        await until(pilot, lambda: len(app.screen_stack) == 2, "the help")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "no more help")
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is not panel, "the shell")
        await until_shown(pilot, "^\\ leaves", "Leave the shell")
        await type_text(pilot, "echo here-$((6*7))")
        await pilot.press("enter")
        await until_shown(pilot, "here-42")
        assert "?" not in text_of(pilot).split("echo here")[0].splitlines()[-1]

        api.delete(f"/v1/deployments/{made[0]}")
        await until_shown(pilot, "this shell was in is gone")
        await type_text(pilot, "xD")
        await pilot.press("enter")
        await type_text(pilot, "xD")
        assert len(app.screen_stack) == 1
        assert known()[made[1]].status == "running"
        await pilot.press("escape")
        await until(pilot, lambda: app.main.table.has_focus, "the list")
        await until_shown(pilot, "Press Enter for a shell in second")


@pytest.mark.parametrize("key", ["escape", "ctrl+backslash"])
async def test_the_ended_shell_is_left_by_either_key(
    app: PilothouseApp, backend: RunningBackend, static_image: str, key: str
) -> None:
    with backend.tcp(backend.owner_token()) as api:
        made = api.post("/v1/deployments", json={"appName": "left", "image": static_image, "port": 80}).json()["id"]
        try:
            async with app.run_test(size=(160, 40), notifications=True) as pilot:
                await until_shown(pilot, "● running")
                await pilot.press("5")
                await until_shown(pilot, "^\\ leaves")
                await type_text(pilot, "exit")
                await pilot.press("enter")
                await until_shown(pilot, "The shell ended.")
                await pilot.press(key)
                await until(pilot, lambda: app.main.table.has_focus, "the list")
        finally:
            api.delete(f"/v1/deployments/{made}")


async def test_an_editor_in_the_tab_survives_the_backend_and_is_asked_for_at_the_end(
    app: PilothouseApp, backend: RunningBackend, static_image: str
) -> None:
    with backend.tcp(backend.owner_token()) as api:
        made = api.post("/v1/deployments", json={"appName": "kept", "image": static_image, "port": 80}).json()["id"]
    try:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await until_shown(pilot, "● running")
            await pilot.press("5")
            await until_shown(pilot, "^\\ leaves")
            await type_text(pilot, "vi /tmp/notes")
            await pilot.press("enter")
            await until_shown(pilot, "/tmp/notes 1/1")
            await type_text(pilot, "ifirst words")
            await until_shown(pilot, "first words")
            assert await asyncio.to_thread(backend.terminate) == 0
            await until_shown(pilot, "Next attempt in")
            await asyncio.to_thread(backend.start)
            await until_shown(pilot, "replica g1-0", "first words")
            await type_text(pilot, " and more")
            await until_shown(pilot, "first words and more")
            await pilot.press("ctrl+q")
            await until_shown(pilot, "Leave, and close 1 terminal?", "kept: what runs in it ends")
            await pilot.press("n")
            await until_shown(pilot, "first words and more")
    finally:
        with backend.tcp(backend.owner_token()) as api:
            api.delete(f"/v1/deployments/{made}")

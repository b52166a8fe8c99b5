"""What is typed into an input stays on the screen where it is longer than the input, in each place that has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.widgets import Input

from tests.tui.driving import text_of, until, until_shown
from tui.app import PilothouseApp

LONG = "registry.example/" + "-".join(f"part{number}" for number in range(14)) + "-end"


async def deploy_form(pilot: Any) -> None:
    await pilot.press("n")
    await until_shown(pilot, "Deploy an image")


async def list_filter(pilot: Any) -> None:
    await pilot.press("slash")


async def command_line(pilot: Any) -> None:
    await pilot.press("colon")


async def log_search(pilot: Any) -> None:
    await pilot.press("3")
    await until(pilot, lambda: pilot.app.focused and type(pilot.app.focused).__name__ == "LogLines", "the log")
    await pilot.press("slash")


@pytest.mark.parametrize("opened", [deploy_form, list_filter, command_line, log_search])
async def test_a_text_longer_than_its_input_is_seen_at_the_cursor(
    app: PilothouseApp, opened: Callable[[Any], Awaitable[None]]
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await opened(pilot)
        await until(pilot, lambda: isinstance(app.focused, Input), "an input")
        await pilot.press(*LONG)
        await until_shown(pilot, "part13-end")
        await pilot.press("home")
        await until(pilot, lambda: LONG[:30] in text_of(pilot), "the beginning of the text")

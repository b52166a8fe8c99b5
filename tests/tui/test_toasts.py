"""Toasts stay out of the way: short where rows are few, off a dialog's fields and buttons, never twice the same."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input

from tests.tui.driving import text_of, until, until_gone, until_shown
from tui.app import PilothouseApp
from tui.presentation.notices import short
from tui.screens.confirm import quit_question

REASON = "generation 3 did not become ready within its time, and the version before it serves again as it did " * 3


def tell(app: PilothouseApp, name: str) -> None:
    """As a rollback is told, for long enough to be looked at."""
    app.notify(short(REASON), title=f"{name} was rolled back", severity="error", timeout=600, markup=False)


def lines_with_toasts(pilot: Any, without: list[str]) -> list[int]:
    """Rows of the screen that look otherwise than without toasts."""
    return [y for y, line in enumerate(text_of(pilot).splitlines()) if line != without[y]]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_a_dialog_on_a_small_screen_keeps_its_fields_and_buttons(
    app: PilothouseApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        await pilot.press("n")
        await until_shown(pilot, "Deploy an image", "Cancel (esc)", "Deploy (ctrl+s)")
        await until(pilot, lambda: isinstance(app.focused, Input), "the first field")
        before = text_of(pilot).splitlines()
        tell(app, "web")
        await until_shown(pilot, "web was rolled back")
        app.notify("The newest is in front", timeout=600)
        await until_shown(pilot, "The newest is in front")
        assert lines_with_toasts(pilot, before) == [0]
        # What was cut for the dialog's sake is there once it is closed.
        await pilot.press("escape")
        await until_shown(pilot, "web was rolled back", "generation 3 did not become ready")


async def test_a_question_in_the_middle_keeps_its_buttons(app: PilothouseApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        app.push_screen(quit_question([f"shell {number}" for number in range(20)]))
        await until_shown(pilot, "Leave, and close 20 terminals?", "Cancel (n)", "Leave (y)")
        before = text_of(pilot).splitlines()
        tell(app, "web")
        await until_shown(pilot, "web was rolled back")
        assert lines_with_toasts(pilot, before) == [0]


async def test_a_toast_has_no_blank_rows_on_a_small_screen(app: PilothouseApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        before = text_of(pilot).splitlines()
        tell(app, "web")
        await until_shown(pilot, "web was rolled back")
        assert len(lines_with_toasts(pilot, before)) <= 3


async def test_the_same_toast_is_there_once(app: PilothouseApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        app.notify("Something else", timeout=600)
        for _ in range(3):
            app.notify("Select a deployment first", severity="warning", timeout=600)
        app.notify("The last one", timeout=600)
        await until_shown(pilot, "The last one", "Select a deployment first", "Something else")
        assert text_of(pilot).count("Select a deployment first") == 1
        app.clear_notifications()
        await until_gone(pilot, "The last one")

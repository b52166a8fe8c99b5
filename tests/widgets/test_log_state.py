"""The line under a log keeps its numbers where there is little room."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.widgets.test_log_view import LogApp, give, line, numbered
from widgets.log_state import LogState, state_line

FULL = LogState(
    following=False,
    new=10_000,
    lost=123_456,
    search="connection refused by the upstream",
    match=7,
    matches=1_234,
    filter="region=eu-central",
    level="warning",
    source="web-1",
    shown=4_321,
    held=20_000,
)
NUMBERS = ("10,000 new", "123,456 dropped", "7/1,234", "≥ warning", "4,321 of 20,000")


def test_all_is_said_in_words_where_there_is_room() -> None:
    assert state_line(LogState(held=20), 80) == "▼ following · 20 lines"
    assert state_line(LogState(search="x", held=20), 80) == "▼ following · no match for “x” · 20 lines"
    assert state_line(LogState(following=False, new=3, waiting=True), 80) == (
        "❚❚ paused · 3 new, more wait (G follows) · 0 lines"
    )
    assert "“region=eu-central”, ≥ warning, from web-1: 4,321 of 20,000 lines" in state_line(FULL, 200)


@pytest.mark.parametrize("width", [200, 120, 100])
def test_words_go_before_numbers(width: int) -> None:
    text = state_line(FULL, width)
    assert cell_len(text) <= width
    assert all(number in text for number in NUMBERS)


def test_what_cannot_be_said_ends_in_an_ellipsis() -> None:
    assert state_line(FULL, 30).endswith("…") and cell_len(state_line(FULL, 30)) <= 30
    assert state_line(LogState(search="界" * 30, held=5), 23) == "▼ · 0 “界界…” · 5 lines"


async def test_the_count_of_a_filtered_and_searched_log_is_there_at_80_columns_and_after_a_resize() -> None:
    app = LogApp()
    async with app.run_test(size=(160, 24)) as pilot:
        give(app, [*numbered(0, 17), *(line(f"connection refused {n}", "warning") for n in range(3))])
        app.view.set_filter("connection refused", level="warning")
        app.view.search("connection refused")
        await pilot.pause()
        assert "only “connection refused”, ≥ warning: 3 of 20 lines" in app.state
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "3/3" in app.state and "≥ warning: 3 of 20" in app.state and "0 new" in app.state


async def test_a_log_of_nothing_says_so_and_follows_nothing() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.idle_text = "Nothing selected."
        await pilot.pause()
        assert [text for text in app.shown if text] == ["Nothing selected."]
        assert app.state == ""
        app.view.idle_text = ""
        await pilot.pause()
        assert "No output yet" in app.shown[0] and "following" in app.state

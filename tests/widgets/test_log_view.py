"""LogView: bounded in a flood, follows and pauses, finds, filters, wraps, copies."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.message import Message
from textual.selection import Selection

from tests.widgets.screen_text import lines_of
from widgets.log_lines import LogLines
from widgets.log_view import LogLine, LogView


class LogApp(App[None]):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.view = LogView(**options)
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def on_log_view_follow_changed(self, event: LogView.FollowChanged) -> None:
        self.told.append(event)

    def on_log_view_copied(self, event: LogView.Copied) -> None:
        self.told.append(event)

    @property
    def lines(self) -> LogLines:
        return self.query_one(LogLines)

    @property
    def shown(self) -> list[str]:
        return lines_of(self.lines)

    @property
    def state(self) -> str:
        return lines_of(self.query_one(".log-view--state"))[0]


def line(text: str, level: str = "info", source: str = "api-1", timestamp: str = "12:00:00") -> LogLine:
    return LogLine(timestamp, level, source, text)


def numbered(start: int, end: int) -> list[LogLine]:
    return [line(f"line {i}") for i in range(start, end)]


def give(app: LogApp, lines: list[LogLine], dropped: int = 0) -> None:
    app.view.append(lines, dropped=dropped)
    app.lines.flush()


async def test_the_newest_line_is_in_view() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 100))
        await pilot.pause()
        assert app.shown[-1].split() == ["12:00:00", "I", "line", "99"]
        assert "following" in app.state and "100 lines" in app.state


async def test_a_flood_keeps_its_bounds() -> None:
    app = LogApp(max_lines=1000)
    async with app.run_test(size=(80, 24)) as pilot:
        for start in range(0, 50_000, 500):
            app.view.append(numbered(start, start + 500))
        app.lines.flush()
        await pilot.pause()
        assert app.view.line_count == app.view.shown_count == len(app.lines.rows) == 1000
        assert "line 49999" in app.shown[-1]
        assert app.view.export_text().splitlines()[0].endswith("line 49000")


async def test_many_appends_make_few_repaints() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 1))
        for start in range(200):
            app.view.append(numbered(start, start + 5))
        assert app.view.line_count == 1
        app.lines.flush()
        await pilot.pause()
        assert app.view.line_count == 1001


async def test_scrolling_up_pauses_and_the_view_stays_while_lines_come_and_go() -> None:
    app = LogApp(max_lines=200)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 200))
        await pilot.press("k", "k")
        before = app.shown
        assert not app.view.following
        give(app, numbered(200, 250))
        await pilot.pause()
        assert app.shown == before
        assert app.view.new_lines == 50
        assert "paused · 50 new" in app.state
        await pilot.press("G")
        await pilot.pause()
        assert app.view.following and "line 249" in app.shown[-1]
        assert [event.following for event in app.told] == [False, True]


async def test_reaching_the_end_by_scrolling_follows_again() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 100))
        await pilot.press("pageup")
        assert not app.view.following
        await pilot.press("pagedown")
        assert app.view.following
        await pilot.press("g")
        await pilot.pause()
        assert "line 0" in app.shown[0] and not app.view.following


async def test_search_finds_counts_and_goes_round() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [line(f"{'Error' if i % 50 == 0 else 'fine'} {i}") for i in range(200)])
        await pilot.press("slash", *"error", "enter")
        await pilot.pause()
        assert app.view.match_count == 4
        assert "4/4 “error”" in app.state
        assert any("Error 150" in text for text in app.shown)
        await pilot.press("n")
        await pilot.pause()
        assert "1/4" in app.state and any("Error 0" in text for text in app.shown)
        await pilot.press("N", "N")
        await pilot.pause()
        assert "3/4" in app.state and any("Error 100" in text for text in app.shown)
        give(app, [line("another error")])
        assert app.view.match_count == 5
        assert app.view.search("ERROR") == 0
        assert app.view.search("Error") == 4
        await pilot.press("escape")
        await pilot.pause()
        assert app.view.match_count == 0 and "Error" not in app.state


async def test_matches_in_view_are_highlighted() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [line("needle in hay, needle again")])
        app.view.search("needle")
        await pilot.pause()
        strip = app.lines.render_line(0)
        assert [segment.text for segment in strip if segment.text == "needle"] == ["needle", "needle"]


async def test_filters_by_level_text_and_source() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(
            app,
            [
                line("one", "debug", "a"),
                line("two", "WARN", "a"),
                line("three", "error", "b"),
                line("four", "", "b"),
            ],
        )
        app.view.set_filter(level="warning")
        await pilot.pause()
        assert [text.split()[-1] for text in app.shown if text] == ["two", "three"]
        app.view.set_filter(source="b")
        assert app.view.shown_count == 1
        give(app, [line("five", "critical", "b"), line("six", "info", "b")])
        assert app.view.shown_count == 2
        app.view.set_filter("three", level="", source="")
        assert app.view.shown_count == 1
        assert app.view.export_text() == "12:00:00 b error three\n"
        assert len(app.view.export_text(shown_only=False).splitlines()) == 6
        app.view.set_filter("")
        assert app.view.shown_count == 6
        with pytest.raises(ValueError, match="levels are"):
            app.view.set_filter(level="loud")


async def test_the_filter_key_asks_for_a_text() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 20))
        await pilot.press("ampersand", *"line 1", "enter")
        await pilot.pause()
        assert app.view.shown_count == 11
        assert "11 of 20 lines" in app.state
        await pilot.press("j", "escape")
        assert app.view.shown_count == 20


async def test_wrapping_shows_all_of_a_long_line_and_can_be_switched_off() -> None:
    app = LogApp()
    text = "".join(f"{i:04d}" for i in range(60))
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [line(text), line("last")])
        await pilot.pause()
        prefix = len("12:00:00 I ")
        assert "".join(row[prefix:] for row in app.shown[:4]) == text
        assert app.shown[1].startswith(" " * prefix) and app.shown[4].endswith("last")
        await pilot.press("w")
        await pilot.pause()
        assert app.shown[1].endswith("last")
        await pilot.press("right")
        await pilot.pause()
        assert app.shown[0].startswith(" I 00000001")


async def test_wide_characters_wrap_without_loss() -> None:
    app = LogApp(show_timestamps=False)
    text = "a" + "界" * 60
    async with app.run_test(size=(40, 10)) as pilot:
        give(app, [line(text)])
        await pilot.pause()
        assert "".join(row[2:].strip() for row in app.shown) == text


async def test_timestamps_can_be_hidden() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [line("text")])
        await pilot.press("t")
        await pilot.pause()
        assert app.shown[0] == "I text"


async def test_sources_are_named_once_there_are_two_and_stay_apart() -> None:
    app = LogApp()
    async with app.run_test(size=(100, 24)) as pilot:
        give(app, [line("x", source="customer-facing-web-1")])
        await pilot.pause()
        assert "customer" not in app.shown[0]
        give(app, [line("y", source="customer-facing-web-2")])
        await pilot.pause()
        names = [row.split()[1] for row in app.shown[:2]]
        assert len(set(names)) == 2 and all(name.startswith("customer") for name in names)


async def test_hostile_text_cannot_move_the_terminal() -> None:
    app = LogApp(show_timestamps=False)
    hostile = "a\x1b[2Jb\x1b]0;title\x07c\x1b[31mred\x1b[0m\x00\x9b5A\x1bc‮end"
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [line(hostile), line("\x1b[10;10H"), line("50%\r100%"), line("a\tb")])
        await pilot.pause()
        text = "\n".join(app.shown)
        assert not any(ord(c) < 32 and c != "\n" for c in text) and "‮" not in text
        assert app.shown[0] == "I abcred␀�end"
        assert app.shown[2:4] == ["I 100%", "I a       b"]
        red = next(segment for segment in app.lines.render_line(0) if segment.text == "red")
        assert red.style is not None and red.style.color is not None


async def test_dropped_lines_leave_a_marker() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 1))
        give(app, numbered(5, 6), dropped=1234)
        app.view.set_filter(level="error")
        await pilot.pause()
        assert "1,234 lines dropped" in app.shown[0]


async def test_copying_takes_the_selection_or_the_current_line() -> None:
    app = LogApp(show_timestamps=False)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, [*numbered(0, 50), line("the \x1b[1mlast\x1b[0m one")])
        await pilot.press("c")
        await pilot.pause()
        assert app.clipboard == "the last one"
        app.view.search("line 7")
        await pilot.press("c")
        assert app.clipboard == "line 7"
        top = app.lines.rows.first
        app.screen.selections = {app.lines: Selection(Offset(2, top + 8), Offset(8, top + 9))}
        await pilot.press("c")
        assert app.clipboard == "line 8\nI line 9"
        assert [event.text for event in app.told if isinstance(event, LogView.Copied)][-1] == app.clipboard


async def test_dragging_the_mouse_selects_text() -> None:
    app = LogApp(show_timestamps=False)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 10))
        await pilot.pause()
        await pilot.mouse_down(app.lines, offset=(2, 3))
        await pilot.hover(app.lines, offset=(6, 3))
        await pilot.mouse_up(app.lines, offset=(6, 3))
        await pilot.pause()
        assert (app.screen.get_selected_text() or "").strip() in ("line", "line ")


async def test_the_mouse_wheel_pauses_and_follows_again() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 100))
        app.lines.scroll_relative(y=-5, duration=0.05)
        await pilot.wait_for_animation()
        assert not app.view.following
        app.lines.scroll_relative(y=5, duration=0.05)
        await pilot.wait_for_animation()
        await pilot.pause()
        assert app.view.following


async def test_a_window_that_grows_goes_on_following() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 12)) as pilot:
        give(app, numbered(0, 100))
        await pilot.resize_terminal(80, 40)
        await pilot.pause()
        assert app.view.following and "line 99" in app.shown[-1]
        await pilot.resize_terminal(80, 10)
        await pilot.pause()
        assert app.view.following and "line 99" in app.shown[-1]


async def test_resizing_lays_out_again_and_keeps_following() -> None:
    app = LogApp()
    async with app.run_test(size=(120, 24)) as pilot:
        give(app, [line("x" * 90) for _ in range(100)] + [line("end")])
        await pilot.pause()
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert app.shown[-1].endswith("end")
        assert app.lines.rows.count == 201


async def test_clearing_forgets_all() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 100))
        await pilot.press("g")
        app.view.clear()
        await pilot.pause()
        assert app.view.line_count == 0 and app.view.following
        assert [line for line in app.shown if line] == ["No output yet"]
        give(app, numbered(0, 3))
        await pilot.pause()
        assert "line 2" in app.shown[2]


async def test_lines_may_come_before_the_screen() -> None:
    app = LogApp()
    app.view.append(numbered(0, 50))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "line 49" in app.shown[-1]


async def test_esc_goes_on_to_the_screen_where_there_is_nothing_to_leave() -> None:
    class Outer(LogApp):
        BINDINGS = [("escape", "back", "Back")]
        left = 0

        def action_back(self) -> None:
            self.left += 1

    app = Outer()
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, 10))
        await pilot.press("slash", *"line", "escape")
        assert app.left == 0 and app.lines.has_focus and app.view.match_count == 0
        await pilot.press("slash", *"line", "enter", "escape")
        assert app.left == 0 and app.view.match_count == 0
        await pilot.press("escape")
        assert app.left == 1


async def test_a_hidden_log_takes_lines_and_is_right_when_shown() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.display = False
        await pilot.pause()
        give(app, [line("x" * 200) for _ in range(50)] + [line("end")])
        app.view.display = True
        await pilot.pause()
        assert app.shown[-1].endswith("end") and app.view.following
        assert app.lines.rows.count == 151

"""A paused LogView stands still, whatever comes meanwhile, and within bounds."""

from __future__ import annotations

from tests.widgets.test_log_view import LogApp, give, numbered

MOST = 200


async def test_what_is_on_the_screen_and_above_it_stays_in_a_flood() -> None:
    app = LogApp(max_lines=MOST)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, MOST))
        await pilot.press("space")
        before = app.shown
        for start in range(MOST, 5000, 70):
            give(app, numbered(start, start + 70))
        await pilot.pause()
        assert not app.view.following and app.shown == before
        await pilot.press("g")
        await pilot.pause()
        assert app.shown[0].endswith("line 0")
        assert app.view.search(f"line {MOST - 1}") == 1


async def test_only_new_lines_that_can_be_scrolled_to_are_counted() -> None:
    app = LogApp(max_lines=MOST)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, MOST))
        await pilot.press("space")
        give(app, numbered(MOST, MOST + 30))
        await pilot.pause()
        assert "paused · 30 new (G" in app.state
        give(app, numbered(MOST + 30, 2 * MOST + 40))
        await pilot.pause()
        assert "paused · 200 new, more wait (G" in app.state and app.view.line_count == 2 * MOST
        give(app, numbered(2 * MOST + 40, 5 * MOST))
        await pilot.pause()
        assert f"paused · 200 new, {3 * MOST - (MOST - 1)} dropped (G" in app.state
        assert app.view.line_count == 2 * MOST
        app.view.set_filter("line 21")
        assert app.view.new_lines == 10


async def test_going_on_shows_the_newest_lines_and_tells_of_the_lost_ones() -> None:
    app = LogApp(max_lines=MOST)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, MOST))
        await pilot.press("space")
        for start in range(MOST, 5000, 100):
            app.view.append(numbered(start, start + 100))
        await pilot.press("space")
        app.lines.flush()
        await pilot.pause()
        assert app.view.following and app.shown[-1].endswith("line 4999")
        assert app.view.line_count == MOST
        lines = app.view.export_text().splitlines()
        assert lines[0].endswith(f"─── {5000 - 2 * MOST - (MOST - 1):,} lines dropped: while paused ───")
        assert [text.rpartition(" ")[2] for text in lines[1:]] == [str(n) for n in range(5000 - MOST + 1, 5000)]


async def test_going_on_after_a_short_pause_loses_nothing_that_is_held() -> None:
    app = LogApp(max_lines=MOST)
    async with app.run_test(size=(80, 24)) as pilot:
        give(app, numbered(0, MOST))
        await pilot.press("space")
        give(app, numbered(MOST, MOST + 50))
        await pilot.press("space")
        app.lines.flush()
        await pilot.pause()
        lines = app.view.export_text().splitlines()
        assert len(lines) == MOST and lines[0].endswith("line 50") and lines[-1].endswith("line 249")
        assert app.view.new_lines == 0

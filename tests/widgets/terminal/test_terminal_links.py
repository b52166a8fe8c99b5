"""Links: found, shown under the mouse, and never opened by themselves."""

from __future__ import annotations

import pytest
from textual.geometry import Offset

from tests.widgets.terminal.terminal_app import TerminalApp, script, shown, until
from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal import Terminal
from widgets.terminal.link_finding import link_at, links_between

LINKED = (
    "\x1b]8;id=1;https://example.com/a\x1b\\click here\x1b]8;;\x1b\\ and https://other.example/b?c=(d). \r\nplain\r\n"
)


def test_links_of_the_program_and_of_the_text() -> None:
    screen = fed(LINKED, 60, 4)
    found = link_at(screen, (0, 3))
    assert found is not None and found.address == "https://example.com/a" and found.shown(screen) == "click here"
    written = link_at(screen, (0, 20))
    assert written is not None and written.address == "https://other.example/b?c=(d)" and written.link is None
    assert link_at(screen, (0, 20), in_text=False) is None
    assert link_at(screen, (0, 11)) is None and link_at(screen, (1, 2)) is None
    assert [each.address for each in links_between(screen, 0, 3)] == [found.address, written.address]


def test_links_go_on_where_they_wrapped() -> None:
    screen = fed("see https://example.com/a/long/path ok", 20, 4)
    for cell in ((0, 6), (1, 3)):
        found = link_at(screen, cell)
        assert found is not None and found.address == "https://example.com/a/long/path"
        assert (found.start, found.end) == ((0, 4), (1, 14))
    linked = fed("\x1b]8;;https://example.com\x1b\\" + "x" * 30 + "\x1b]8;;\x1b\\ no", 20, 4)
    whole = link_at(linked, (1, 2))
    assert whole is not None and (whole.start, whole.end) == ((0, 0), (1, 9))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://a.example/x, and", "https://a.example/x"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("https://a.example/wiki/A_(b)", "https://a.example/wiki/A_(b)"),
        ("HTTP://A.example/", "HTTP://A.example/"),
    ],
)
def test_what_ends_an_address(text: str, address: str) -> None:
    assert [each.address for each in links_between(fed(text, 60, 2), 0, 0)] == [address]


def under(app: TerminalApp, y: int) -> str:
    return "".join(text for text, style, _ in app.terminal.render_line(y) if style is not None and style.underline)


async def test_a_click_asks_and_a_double_click_selects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widgets.terminal.input._CLICK_SECONDS", 5.0)
    monkeypatch.setattr("widgets.terminal.linking._SECOND_CLICK", 2.0)
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24), tooltips=True) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(LINKED)
        await pilot.hover(Terminal, offset=(3, 0))
        assert under(app, 0) == "click here" and str(app.terminal.tooltip) == "https://example.com/a"
        await pilot.hover(Terminal, offset=(3, 1))
        assert under(app, 0) == "" and app.terminal.tooltip is None
        await pilot.click(Terminal, offset=(3, 0))
        await until(pilot, lambda: app.of(Terminal.LinkRequested))
        asked = app.of(Terminal.LinkRequested)[0]
        assert (asked.address, asked.shown) == ("https://example.com/a", "click here")
        await pilot.click(Terminal, offset=(6, 0), times=2)
        await until(pilot, lambda: app.clipboard == "here")
        await pilot.pause(2.5)
        assert len(app.of(Terminal.LinkRequested)) == 1


async def test_addresses_in_the_text_need_ctrl_and_a_program_with_the_mouse_does_not_matter() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(LINKED + "\x1b[?1000;1006h")
        await pilot.click(Terminal, offset=(22, 0), control=True)
        await until(pilot, lambda: app.of(Terminal.LinkRequested))
        assert app.of(Terminal.LinkRequested)[0].address == "https://other.example/b?c=(d)"
        assert "0;23;1" not in shown(app)


async def test_links_by_keys() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed(LINKED)
        await pilot.press("ctrl+shift+l")
        await until(pilot, lambda: len(app.of(Terminal.LinkRequested)) == 1)
        assert app.of(Terminal.LinkRequested)[0].address == "https://other.example/b?c=(d)"
        await pilot.press("ctrl+shift+space", "g", "tab", "shift+tab")
        assert app.terminal.own_cursor == (0, 0) and under(app, 0)[:10].endswith("lick here")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.of(Terminal.LinkRequested)) == 2)
        assert app.of(Terminal.LinkRequested)[1].address == "https://example.com/a"
        await pilot.press("tab", "x")
        await until(pilot, lambda: len(app.of(Terminal.LinkRequested)) == 3)
        await pilot.press("tab")
        assert "no further link" in shown(app)


async def test_an_overlong_link_leaves_its_place() -> None:
    app = TerminalApp(script("read x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.terminal.source is not None)
        app.feed("\x1b]8;;javascript:alert(1)\x1b\\" + "x" * 200 + "\x1b]8;;\x1b\\")
        await pilot.hover(Terminal, offset=Offset(5, 1))
        assert under(app, 0) == "x" * 80 and under(app, 2) == "x" * 40
        await pilot.pause(0.5)
        assert not app.of(Terminal.LinkRequested)

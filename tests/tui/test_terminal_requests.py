"""What programs in terminals want of the app is done where it may be, and told."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.pilot import Pilot

from tests.tui.driving import until
from tui.terminal_requests import TerminalRequests
from widgets.terminal import Terminal
from widgets.terminal.link_dialog import LinkDialog


class Small(TerminalRequests):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield Terminal()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        self.opened.append(url)


def feed(app: Small, text: str) -> None:
    terminal = app.query_one(Terminal)
    terminal._stream.feed(text.encode())
    terminal._tell_news()


def told(app: Small) -> list[str]:
    return [notice.message for notice in app._notifications]


async def asked(pilot: Pilot[None], app: Small, address: str) -> None:
    app.query_one(Terminal).link_requested(address, "a link")
    await until(pilot, lambda: isinstance(app.screen, LinkDialog), "the question")
    assert not app.opened


@pytest.fixture(autouse=True)
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("SSH_TTY", raising=False)


async def test_a_link_is_opened_after_its_address_was_seen() -> None:
    app = Small()
    async with app.run_test() as pilot:
        await asked(pilot, app, "https://example.com/x")
        await pilot.press("y")
        await until(pilot, lambda: app.opened == ["https://example.com/x"], "the browser")
        await asked_again(pilot, app)


async def asked_again(pilot: Pilot[None], app: Small) -> None:
    app.opened.clear()
    await asked(pilot, app, "https://example.com/y")
    await pilot.press("escape")
    await pilot.pause()
    assert not app.opened and app.clipboard == ""


@pytest.mark.parametrize("address", ["file:///etc/passwd", "vnc://host", "https://[oops/"])
async def test_what_is_no_web_page_is_copied(address: str) -> None:
    app = Small()
    async with app.run_test() as pilot:
        await asked(pilot, app, address)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == address, "the copy")
        assert not app.opened and "Only web pages" in told(app)[-1]


async def test_over_ssh_the_address_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "a 1 b 2")
    app = Small()
    async with app.run_test() as pilot:
        await asked(pilot, app, "https://example.com/x")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "https://example.com/x", "the copy")
        assert not app.opened


async def test_a_program_copies_and_the_user_is_told_once() -> None:
    app = Small()
    async with app.run_test() as pilot:
        feed(app, "\x1b]52;c;aGVsbG8=\x07")
        await until(pilot, lambda: app.clipboard == "hello", "the copy")
        feed(app, "\x1b]52;c;eW91\x07")
        await until(pilot, lambda: app.clipboard == "you", "the second copy")
        assert told(app) == ["The program copied 5 characters"]


async def test_notifications_are_shown_as_they_are() -> None:
    app = Small()
    async with app.run_test() as pilot:
        feed(app, "\x1b]777;notify;Build;[b]done\x07")
        await until(pilot, lambda: told(app) == ["[b]done"], "the notification")

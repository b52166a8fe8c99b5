"""Press keys, read the screen, wait for what should come."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.css.query import NoMatches
from textual.pilot import Pilot

from tests.widgets.screen_text import screen_lines

DEADLINE_SECONDS = 100.0


def text_of(pilot: Pilot[None]) -> str:
    """All that the screen shows."""
    return "\n".join(screen_lines(pilot.app))


async def until(pilot: Pilot[None], reached: Callable[[], object], what: str) -> None:
    """Lets the app run until `reached()` is true; what it asks of may be yet to come."""

    def so_far() -> object:
        try:
            return reached()
        except NoMatches:
            return False

    deadline = time.monotonic() + DEADLINE_SECONDS
    while not so_far():
        assert time.monotonic() < deadline, f"{what} did not come; the screen shows:\n{text_of(pilot)}"
        await pilot.pause(0.05)


async def until_shown(pilot: Pilot[None], *words: str) -> None:
    """Until the screen shows all the words."""
    await until(pilot, lambda: all(word in text_of(pilot) for word in words), " and ".join(words))


async def until_gone(pilot: Pilot[None], *words: str) -> None:
    await until(pilot, lambda: not any(word in text_of(pilot) for word in words), f"the end of {' and '.join(words)}")


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Text into the focused input, as a user types it."""
    await pilot.press(*text)

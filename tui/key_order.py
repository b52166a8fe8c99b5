"""Keys one after the other: the next one is handed out when what the one before it set off is done.

Textual hands a key to the widget that has the focus when the key *arrives*, while bindings act later, at the end of its
way through the widgets. Where many keys come in one read (fast typing, a slow line, a paste without brackets), keys
behind one that moves the focus or opens a screen would go to the wrong place: text meant for a form would stop
deployments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump

OPENS_SCREEN = "opens-screen"
"""The group of workers that ask the backend before they open a screen: keys wait for that screen."""

LONGEST_SECONDS = 0.25
"""A key waits no longer for the one before it, whatever hangs."""

LONGEST_FOR_SCREEN_SECONDS = 2.0
"""The same where a screen is on its way."""

_ONE_SECONDS = 0.02
# A pass goes up from the focused widget to the app, so what a widget tells its parents is done within it; what comes
# back down from there takes another.
_QUIET_PASSES = 3
_MOST_PASSES = 6


class KeyOrder:
    """Holds keys and pastes back until it is their turn. `run` must be running."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._waiting: asyncio.Queue[events.Key | events.Paste] = asyncio.Queue()
        self._turn: events.Key | events.Paste | None = None
        self._taken = asyncio.Event()
        self._settled = True

    def keeps(self, event: events.Key | events.Paste) -> bool:
        """Whether the event is held back; it comes again by the app's queue. False where it is to be handled now."""
        if event is self._turn:
            self._turn = None
            self._taken.set()
            return False
        if self._settled and self._waiting.empty() and self._moves_nothing(event):
            return False
        self._waiting.put_nowait(event)
        return True

    async def run(self) -> None:
        """Hands out what waits, until cancelled."""
        while True:
            event = await self._waiting.get()
            self._settled = False
            before, simple = self._pumps(), self._moves_nothing(event)
            self._turn = event
            self._taken.clear()
            if self._app.post_message(event):
                # However long it takes: an app that is busy takes no later key either.
                await self._taken.wait()
                if not simple:
                    await self._settle(before)
            self._settled = True

    def _moves_nothing(self, event: events.Key | events.Paste) -> bool:
        """Whether the focused widget keeps the event for itself: text for an input, anything for a program in a
        terminal. These are not waited for. A terminal is told by what it has, since its module is not imported before
        the first one."""
        focused = self._app.focused
        if focused is None:
            return False
        if getattr(focused, "takes_keys", False):
            return isinstance(event, events.Paste) or event.key not in getattr(focused, "pass_keys", ())
        return isinstance(event, events.Key) and focused.check_consume_key(event.key, event.character)

    def _pumps(self) -> Sequence[MessagePump]:
        """Those that a key passes: the focused widget, what it is in, the screen, the app."""
        app = self._app
        if not app.screen_stack:
            return [app]
        return [*(app.focused or app.screen).ancestors_with_self]

    async def _settle(self, before: Sequence[MessagePump]) -> None:
        """Returns when the queues on the key's way are done, also those of a screen that it opened."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        pumps, quiet, passes = before, 0, 0
        while quiet < _QUIET_PASSES and passes < _MOST_PASSES:
            clean = True
            for pump in pumps:
                clean = clean and pump.message_queue_size == 0
                if not await _reached(pump):
                    # Busy, not yet mounted, or gone with its queue: look again at what there is now.
                    clean, passes = False, -1
                    break
            now = self._pumps()
            opening = self._opens_screen()
            changed = list(now) != list(pumps)
            quiet = quiet + 1 if clean and not changed and not opening else 0
            passes = 0 if changed or opening else passes + 1
            pumps = now
            waited = loop.time() - began
            if waited > (LONGEST_FOR_SCREEN_SECONDS if opening else LONGEST_SECONDS):
                return
            await asyncio.sleep(_ONE_SECONDS if opening else 0)

    def _opens_screen(self) -> bool:
        app = self._app
        if app.screen_stack and not app.screen.is_mounted:
            return True
        return any(worker.group == OPENS_SCREEN and not worker.is_finished for worker in app.workers)


async def _reached(pump: MessagePump) -> bool:
    """Whether the pump soon got through all that is in its queue now."""
    there = asyncio.Event()
    if not pump.call_later(there.set):
        return True  # it is closed
    try:
        async with asyncio.timeout(_ONE_SECONDS):
            await there.wait()
    except TimeoutError:
        return False
    return True

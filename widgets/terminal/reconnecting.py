"""A source that comes back: where the network dropped it, another one is opened, and the screen stays."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

from widgets.terminal.source import SourceFactory, TerminalSource, is_resumed

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
LASTED: Final = 10.0
"""A connection that held this many seconds was a good one: after it the waits begin anew."""

FROM_SCRATCH: Final = b"\x1bc\x1b[3J"
"""Before the output of a resumed source, which has the whole screen in it: nothing of what stood there stays."""

_RESET: Final = (
    # No mouse, focus or paste reports, no application keys, no kitty keyboard, plain colours, the whole screen scrolls.
    b"\x1b[?9;1000;1002;1003;1004;1005;1006;1015;2004;2026l\x1b[?1;66l\x1b>\x1b[<9u\x1b[>4m"
    b"\x1b[0m\x1b(B\x0f\x1b7\x1b[r\x1b[?6l\x1b8\x1b[?7h\x1b[4l\x1b[20l\x1b[?25h\r\n"
    + "\x1b[2m── connected again, in a new shell ──\x1b[0m\r\n".encode()
)


def afresh(alternate: bool) -> bytes:
    """What a new process finds on the screen of a lost one: none of the modes that the lost one had set, below all that
    stands. `alternate`: the lost one was on the alternate screen."""
    return (b"\x1b[?1049l" if alternate else b"") + _RESET


class Reconnecting:
    """A `TerminalSource` over others of one factory. The first one is opened by `open`.

    A ConnectionError from `read` means that the source was dropped: the next one is opened, with longer and longer
    waits while that fails by ConnectionError or TimeoutError. Any other end is the end. What is typed meanwhile is
    dropped: it was meant for what was on the screen.
    """

    def __init__(self, factory: SourceFactory, tell: Callable[[str], None], *, alternate: Callable[[], bool]) -> None:
        """`tell` is handed a sentence for the user at each step, and "" when all is well again. `alternate` tells
        whether the lost program is on the alternate screen, which the next one does not find itself on."""
        self._factory = factory
        self._tell = tell
        self._alternate = alternate
        self._source: TerminalSource | None = None
        self._size = (80, 24)
        self._failures = 0
        self._opened_at = 0.0
        self._closed = False
        self._hurry = asyncio.Event()
        self._opening: asyncio.Task[TerminalSource] | None = None

    async def open(self, columns: int, rows: int, *, first: SourceFactory | None = None) -> Reconnecting:
        """Opens the first source, by `first` where given. Raises OSError where it cannot be: what never worked is not
        tried again and again."""
        self._size = (columns, rows)
        self._source = await (first or self._factory)(columns, rows)
        self._opened_at = asyncio.get_running_loop().time()
        return self

    @property
    def connected(self) -> bool:
        """Whether there is a source now."""
        return self._source is not None

    def reconnect_now(self) -> None:
        """Ends the wait for the next attempt."""
        self._hurry.set()

    async def read(self) -> bytes:
        while not self._closed:
            if self._source is None:
                data = await self._come_back()
                if data:
                    return data
                continue
            try:
                return await self._source.read()
            except ConnectionError as error:
                await self._lose(str(error))
        return b""

    async def _lose(self, why: str) -> None:
        lost, self._source = self._source, None
        if asyncio.get_running_loop().time() - self._opened_at > LASTED:
            self._failures = 0
        self._tell(f"{why or 'The connection is lost'}. Connecting again")
        if lost is not None:
            await lost.close()

    async def _come_back(self) -> bytes:
        """Waits, then tries once. What the screen needs before the new source's output; empty where it failed."""
        if self._opening is None:
            if self._failures:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2**self._failures) * random.uniform(0.8, 1.2)
                self._hurry.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), wait)
            # A task of its own: a reader that is cancelled meanwhile does not lose the source.
            self._opening = asyncio.create_task(self._opened())
        try:
            source = await asyncio.shield(self._opening)
        except (ConnectionError, TimeoutError) as error:
            self._opening = None
            self._failures += 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**self._failures)
            self._tell(f"{str(error) or 'No answer'}. Next attempt in {wait:.0f} s")
            return b""
        self._opening = None
        if self._closed:
            await source.close()
            return b""
        self._source = source
        self._opened_at = asyncio.get_running_loop().time()
        self._failures += 1  # until it has lasted
        self._tell("")
        await self.resize(*self._size)
        return FROM_SCRATCH if is_resumed(source) else afresh(self._alternate())

    async def _opened(self) -> TerminalSource:
        return await self._factory(*self._size)

    async def write(self, data: bytes) -> None:
        source = self._source
        if source is None:
            return
        try:
            await source.write(data)
        except ConnectionError:
            # The reading side meets the same end, and mends it.
            return

    async def resize(self, columns: int, rows: int) -> None:
        self._size = (columns, rows)
        source = self._source
        if source is None:
            return
        try:
            await source.resize(columns, rows)
        except ConnectionError:
            return

    async def exit_code(self) -> int | None:
        return await self._source.exit_code() if self._source is not None else None

    async def close(self) -> None:
        self._closed = True
        self._hurry.set()
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            if not opening.cancelled() and opening.exception() is None:
                await opening.result().close()
        source = self._source
        if source is not None:
            await source.close()

"""A source that can leave one terminal for another while its process goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from widgets.terminal.source import SourceFactory, TerminalSource, is_resumed

if TYPE_CHECKING:
    from widgets.terminal.emulator import Screen


class Movable:
    """A `TerminalSource` around another one. `leave` ends it for its reader, without closing what it is around."""

    def __init__(self, source: TerminalSource, *, first: bytes = b"") -> None:
        """`first` is read before the source's own output."""
        self.source = source
        self._first = first
        self._pending: asyncio.Task[bytes] | None = None
        self._leaving = asyncio.Event()
        self._left = asyncio.Event()
        self._closed = False

    @property
    def resumed(self) -> bool:
        return is_resumed(self.source)

    async def leave(self) -> Movable:
        """The same source for another reader. Returns once all that this one's reader was given has been taken in: a
        reader asks for more only then. Raises ConnectionError where it was closed meanwhile."""
        self._leaving.set()
        await self._left.wait()
        if self._closed:
            raise ConnectionError("The connection to the terminal ended")
        heir = Movable(self.source)
        heir._pending, self._pending = self._pending, None
        return heir

    async def read(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        if not self._leaving.is_set():
            if self._pending is None:
                self._pending = asyncio.ensure_future(self.source.read())
            leaving = asyncio.ensure_future(self._leaving.wait())
            try:
                await asyncio.wait((self._pending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
        if self._leaving.is_set():
            self._left.set()
            return b""
        assert self._pending is not None
        pending, self._pending = self._pending, None
        return pending.result()

    async def write(self, data: bytes) -> None:
        if not self._leaving.is_set():
            await self.source.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        if not self._leaving.is_set():
            await self.source.resize(columns, rows)

    async def exit_code(self) -> int | None:
        return None if self._leaving.is_set() else await self.source.exit_code()

    async def close(self) -> None:
        if self._leaving.is_set():
            self._left.set()
            return
        self._closed = True
        self._left.set()
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        await self.source.close()


def moving(source: Movable, screen: Callable[[], Screen]) -> SourceFactory:
    """A factory that takes over what another terminal shows, once: its source, and `screen` with all of its scrollback,
    laid out for the new size."""

    async def take_over(columns: int, rows: int) -> TerminalSource:
        from widgets.terminal.emulator.repaint import repaint

        heir = await source.leave()
        shown = screen()
        shown.resize(rows, columns)
        heir._first = repaint(shown, len(shown.history))
        await heir.resize(columns, rows)
        return heir

    return take_over

"""A source that lets others hear what passes: marks on tabs and recordings."""

from __future__ import annotations

from typing import Protocol

from widgets.terminal.source import TerminalSource


class Listener(Protocol):
    """Hears what passes, at once and on the event loop; it must neither wait nor raise."""

    def output(self, data: bytes) -> None: ...

    def typed(self, data: bytes) -> None: ...

    def resized(self, columns: int, rows: int) -> None: ...


class Tapped:
    """A `TerminalSource` around another one."""

    def __init__(self, source: TerminalSource, listener: Listener) -> None:
        self.source = source
        self._listener = listener

    async def read(self) -> bytes:
        data = await self.source.read()
        if data:
            self._listener.output(data)
        return data

    async def write(self, data: bytes) -> None:
        self._listener.typed(data)
        await self.source.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        self._listener.resized(columns, rows)
        await self.source.resize(columns, rows)

    async def exit_code(self) -> int | None:
        return await self.source.exit_code()

    async def close(self) -> None:
        await self.source.close()

"""Where a terminal's bytes come from and go to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class TerminalSource(Protocol):
    """A process with a terminal, wherever it runs. One reader and one writer use it at the same time."""

    async def read(self) -> bytes:
        """The next bytes of output; empty when the process ended. May be cancelled without losing any. Raises
        ConnectionError where the way to the process broke, so that opening another source may help, and any other
        OSError where it would not."""

    async def write(self, data: bytes) -> None:
        """Send input; waits where the process does not read. Raises OSError where it is gone."""

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the new size, in cells. Raises OSError where the process is gone."""

    async def exit_code(self) -> int | None:
        """The exit status, asked once output ended; None where it is not known. A negative one is a signal."""

    async def close(self) -> None:
        """Hang up. May be called more than once."""


def is_resumed(source: TerminalSource) -> bool:
    """Whether a source goes on with a process that ran before it was opened, and sends its whole screen first: by its
    attribute `resumed`, which most do not have."""
    return getattr(source, "resumed", False) is True


SourceFactory = Callable[[int, int], Awaitable[TerminalSource]]
"""Opens a source for a screen of this many columns and rows. Raises OSError where it cannot: a ConnectionError or a
TimeoutError where trying again may help."""

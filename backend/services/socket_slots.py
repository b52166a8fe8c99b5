"""How many sockets a user may have open at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from backend.domain.errors import TooMany

# A guess: when one of the others is closed, nobody knows.
_RETRY_SECONDS = 10.0


class SocketSlots:
    """Counts within this process."""

    def __init__(self, limit: int) -> None:
        """`limit` 0 is none."""
        self._limit = limit
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, user_id: str) -> Iterator[None]:
        """One socket of this user. Raises TooMany where all are taken."""
        if self._limit and self._held[user_id] >= self._limit:
            raise TooMany(
                f"{self._limit} sockets of yours are open, which is as many as may be: close one first",
                retry_after=_RETRY_SECONDS,
            )
        self._held[user_id] += 1
        try:
            yield
        finally:
            self._held[user_id] -= 1
            if not self._held[user_id]:
                del self._held[user_id]

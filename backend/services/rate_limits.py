"""Rate limits: never more than the limit of a class within any minute, for each caller and surface.

A sliding window that remembers when each request was let in: unlike a leaky bucket or fixed windows it never lets a
burst of twice the limit through. Requests that are refused are not counted, so that a caller who keeps asking still
gets its share.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Protocol

from backend.domain.errors import Unavailable
from backend.domain.rate_limits import WINDOW_SECONDS, Allowance, RateClass

log = logging.getLogger(__name__)

DEFAULT_LIMITS: Mapping[RateClass, int] = {
    RateClass.AUTHENTICATION: 10,
    RateClass.DEPLOYMENT_OPERATIONS: 30,
    RateClass.READ: 100,
    RateClass.LOGS_AND_METRICS: 60,
}
# The DevPocket document's.
DEVPOCKET_LIMITS: Mapping[RateClass, int] = {
    RateClass.AUTHENTICATION: 5,
    RateClass.GENERAL: 100,
    RateClass.CONNECTIONS: 10,
}
MAX_CALLERS = 100_000
RETRY_SHARED_SECONDS = 2.0


class SharedWindows(Protocol):
    """Windows that several backends count in together."""

    async def take(self, key: str, limit: int) -> Allowance:
        """Count one request. Raises Unavailable."""

    async def close(self) -> None:
        """Let its connections go."""


class ProcessWindows:
    """Windows in this process's memory, of at most `max_callers` callers: past that, who was let in longest ago is
    forgotten."""

    def __init__(self, *, max_callers: int = MAX_CALLERS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._max_callers = max_callers
        # In the order in which each was last let in, so that the idle ones are at the front.
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, key: str, limit: int) -> Allowance:
        """Count one request; `limit` is at least 1."""
        now = self._clock()
        start = now - WINDOW_SECONDS
        self._forget_idle(start)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = deque()
        while window and window[0] <= start:
            window.popleft()
        if len(window) >= limit:
            # More than the limit are there where the limit was lower once.
            return Allowance(False, limit, 0, window[len(window) - limit] + WINDOW_SECONDS - now)
        window.append(now)
        self._windows.move_to_end(key)
        return Allowance(True, limit, limit - len(window), window[0] + WINDOW_SECONDS - now)

    def _forget_idle(self, start: float) -> None:
        while self._windows:
            window = next(iter(self._windows.values()))
            if len(self._windows) < self._max_callers and window[-1] > start:
                return
            self._windows.popitem(last=False)


class RateLimiter:
    """The limits of every surface. While shared windows do not answer, this process counts for itself: a fault of
    theirs neither stops the API nor opens its logins to guessing."""

    def __init__(
        self,
        limits: Mapping[tuple[str, RateClass], int],
        shared: SharedWindows | None = None,
        *,
        own: ProcessWindows | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limits` are requests a minute by surface and class; none, or 0, is no limit."""
        self._limits = dict(limits)
        self._shared = shared
        self._own = own or ProcessWindows(clock=clock)
        self._clock = clock
        self._retry_at = 0.0
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why this process counts for itself although it should not; empty where all is well."""
        return self._fault

    def limit(self, surface: str, kind: RateClass) -> int:
        """Requests a minute; 0 for no limit."""
        return self._limits.get((surface, kind), 0)

    async def take(self, surface: str, kind: RateClass, caller: str) -> Allowance | None:
        """Count one request of a caller. None where there is no limit."""
        limit = self.limit(surface, kind)
        if not limit:
            return None
        key = f"{surface}:{kind}:{caller}"
        if self._shared is not None and self._clock() >= self._retry_at:
            try:
                found = await self._shared.take(key, limit)
            except Unavailable as error:
                self._retry_at = self._clock() + RETRY_SHARED_SECONDS
                if not self._fault:
                    log.warning("rate limits are counted by this process alone for now: %s", error.message)
                self._fault = error.message
            else:
                if self._fault:
                    log.info("rate limits are shared again")
                    self._fault = ""
                return found
        return self._own.take(key, limit)

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()

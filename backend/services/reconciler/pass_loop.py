"""Looking and acting again and again: when woken, after a pause that was asked for, and later and later on failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from backend.domain.errors import DomainError, EngineUnavailable
from backend.services.reconciler.lease import LeaseLost
from backend.services.reconciler.pauses import growing_pause

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0
SLOWEST_RETRY_SECONDS = 60.0


class PassLoop:
    """Runs passes one after another; `wake` asks for another. Ends with the pass that answers True."""

    def __init__(self, what: str, one_pass: Callable[[], Awaitable[bool]], report: Callable[[str, str], None]) -> None:
        """`what` names the object in logs, e.g. `deployment 6f...`; `report` takes a reason and a message for people
        where a pass failed."""
        self._what = what
        self._pass = one_pass
        self._report = report
        self._wake = asyncio.Event()
        self._retry_after: float | None = None
        self._failures = 0

    def wake(self) -> None:
        self._wake.set()

    def retry_in(self, seconds: float) -> None:
        """Run another pass then, unless one comes sooner."""
        self._retry_after = seconds if self._retry_after is None else min(seconds, self._retry_after)

    async def woken_during(self, work: asyncio.Task[Any]) -> bool:
        """Wait until the work is done or somebody wakes us; True for a wake while it still goes on, which is taken."""
        nudge = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait((work, nudge), return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudge.cancel()
        if work.done() or not self._wake.is_set():
            return False
        self._wake.clear()
        return True

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._retry_after):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self._retry_after = None
            try:
                ended = await self._pass()
                self._failures = 0
            except asyncio.CancelledError:
                raise
            except (EngineUnavailable, LeaseLost) as error:
                log.info("%s waits: %s", self._what, error.message)
                self._back_off()
            except DomainError as error:
                log.warning("%s: %s", self._what, error.message)
                self._report("retrying", error.message)
                self._back_off()
            except Exception:
                log.exception("reconciling %s failed", self._what)
                self._back_off()
            else:
                if ended:
                    return

    def _back_off(self) -> None:
        self.retry_in(growing_pause(FIRST_RETRY_SECONDS, self._failures, SLOWEST_RETRY_SECONDS))
        self._failures += 1

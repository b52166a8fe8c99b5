"""Sessions that have output to take in, each in its turn: one that floods keeps no other waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import Protocol

TURN_SECONDS = 0.004
"""Of work, before what arrived meanwhile has its turn: an echo in another session waits no longer than this."""


class Worker(Protocol):
    def take_slice(self) -> bool:
        """Do a little; whether more is to do."""


class FairShare:
    """Round robin in the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Worker] = deque()
        self._known: set[Worker] = set()
        self._scheduled = False

    def add(self, worker: Worker) -> None:
        """It has something to do. Nothing where it waits already."""
        if worker in self._known:
            return
        self._known.add(worker)
        self._waiting.append(worker)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        deadline = monotonic() + TURN_SECONDS
        while self._waiting:
            worker = self._waiting.popleft()
            self._known.discard(worker)
            if worker.take_slice():
                self._known.add(worker)
                self._waiting.append(worker)
            if monotonic() > deadline:
                break
        if self._waiting:
            self._schedule()

"""Pulling images, once for all who need the same one at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from backend.domain.deployments import RegistryAuth
from backend.domain.engine import Engine, PullProgress, ResolvedImage

Report = Callable[[PullProgress], None]


class ImagePuller:
    """Concurrent asks for one digest share one pull, each told of its progress."""

    def __init__(self, engine: Engine, *, at_once: int = 3) -> None:
        self._engine = engine
        self._slots = asyncio.Semaphore(at_once)
        self._pulls: dict[str, tuple[asyncio.Task[None], list[Report]]] = {}

    async def present(self, pinned: str) -> bool:
        return await self._engine.has_image(pinned)

    async def pull(self, reference: str, pinned: str, auth: RegistryAuth | None, report: Report) -> None:
        """Returns when the image is there. Raises ImageRejected, EngineUnavailable."""
        # Credentials are part of the key: a pull with wrong ones must not fail those who have the right ones.
        key = f"{pinned}|{auth.username}|{hash(auth.password)}" if auth else pinned
        if key not in self._pulls:
            reports: list[Report] = []
            task = asyncio.create_task(
                self._run(ResolvedImage(reference, pinned, local=False), auth, reports), name=f"pull-{reference}"
            )
            self._pulls[key] = (task, reports)
            task.add_done_callback(lambda ended: self._forget(key, ended))
        task, reports = self._pulls[key]
        reports.append(report)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            reports.remove(report)
            if not reports:
                # Forgotten before it has ended, so that nobody joins a pull that is being given up.
                self._forget(key, task)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            raise

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if key in self._pulls and self._pulls[key][0] is task:
            del self._pulls[key]

    async def _run(self, image: ResolvedImage, auth: RegistryAuth | None, reports: list[Report]) -> None:
        async with self._slots:
            async for progress in self._engine.pull(image, auth):
                for report in tuple(reports):
                    report(progress)

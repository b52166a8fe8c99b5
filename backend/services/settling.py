"""Changes of deployments that answer once they have come true, or after a bounded time with the truth so far."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment, DeploymentStatus
from backend.services.deployments import DeploymentService
from backend.services.replicas import ChangeFeed, ReplicaView

T = TypeVar("T")

DEFAULT_PATIENCE_SECONDS = 60.0
_FINAL = frozenset({DeploymentStatus.RUNNING, DeploymentStatus.STOPPED, DeploymentStatus.FAILED})


def is_final(deployment: Deployment) -> bool:
    """Whether it rests: nothing that was asked for is still under way."""
    return deployment.status in _FINAL


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deployment as it was when it was deleted; `gone` is False where containers were still left after the wait."""

    deployment: Deployment
    gone: bool


class SettlingService:
    """Waits on announcements of changes, never by asking again and again. What was asked for stays asked for when the
    time is over: only the waiting ends."""

    def __init__(
        self, deployments: DeploymentService, view: ReplicaView, *, patience_seconds: float = DEFAULT_PATIENCE_SECONDS
    ) -> None:
        self._deployments = deployments
        self._view = view
        self._patience = patience_seconds

    async def scale(self, who: Principal, deployment_id: str, replicas: int) -> Deployment:
        """Raises as the change itself does; NotFound where somebody deletes it meanwhile."""
        return await self._settled(who, lambda: self._deployments.scale(who, deployment_id, replicas))

    async def stop(self, who: Principal, deployment_id: str) -> Deployment:
        return await self._settled(who, lambda: self._deployments.stop(who, deployment_id))

    async def start(self, who: Principal, deployment_id: str) -> Deployment:
        return await self._settled(who, lambda: self._deployments.start(who, deployment_id))

    async def delete(self, who: Principal, deployment_id: str) -> Deletion:
        deployment = await self._deployments.get(who, deployment_id)
        async with self._view.subscribe() as changes:
            await self._deployments.delete(who, deployment.id)
            gone = await self._within_patience(self._until_gone(deployment.id, changes))
        return Deletion(deployment, gone is not None)

    async def _settled(self, who: Principal, change: Callable[[], Awaitable[Deployment]]) -> Deployment:
        # Listening begins before the change, so that no announcement is missed.
        async with self._view.subscribe() as changes:
            asked = await change()
            settled = await self._within_patience(self._until_final(who, asked.id, changes))
        return settled or await self._deployments.get(who, asked.id)

    async def _until_final(self, who: Principal, deployment_id: str, changes: ChangeFeed) -> Deployment:
        found = await self._deployments.get(who, deployment_id)
        if is_final(found):
            return found
        async for changed in changes:
            if changed == deployment_id:
                found = await self._deployments.get(who, deployment_id)
                if is_final(found):
                    return found
        raise AssertionError("a feed of changes does not end")

    async def _until_gone(self, deployment_id: str, changes: ChangeFeed) -> bool:
        if not await self._deployments.exists(deployment_id):
            return True
        async for changed in changes:
            if changed == deployment_id and not await self._deployments.exists(deployment_id):
                return True
        raise AssertionError("a feed of changes does not end")

    async def _within_patience(self, waiting: Awaitable[T]) -> T | None:
        """None where the time is over."""
        try:
            async with asyncio.timeout(self._patience):
                return await waiting
        except TimeoutError:
            return None

"""The live socket: hello, a snapshot, numbered deltas, and what the client subscribes to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from backend.domain.accounts import Principal
from backend.domain.errors import Conflict, DomainError, Invalid, TooMany
from backend.domain.journal import JournalEntry
from backend.services.event_bus import Lagged
from backend.services.journal import SYSTEM
from backend.services.live import LiveFeed
from backend.surfaces.credentials import credential_of
from backend.surfaces.error_text import wire_message
from backend.surfaces.pilothouse import convert
from backend.surfaces.pilothouse.errors import error_answer, error_code
from backend.surfaces.pilothouse.live_environments import environment_frames, environment_log_frames
from backend.surfaces.pilothouse.live_frames import LiveFrames
from backend.surfaces.services import Services
from backend.surfaces.sockets import TRY_LATER, Socket, SocketEnd, accept, refuse, run_socket, send_text, watch_session
from backend.wire import pilothouse as wire

log = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 64
MAX_TAIL = 10_000
MAX_ENTRIES = 500


def live_routes(services: Services) -> list[Any]:
    frames = LiveFrames(services)

    @websocket("/v1/live")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        try:
            credential = credential_of(socket, allow_query=True)
            who = await services.accounts.authenticate(credential)
        except DomainError as error:
            await refuse(socket, *error_answer(error))
            return
        await accept(socket)
        client = _Client(socket, services, who)
        try:
            await run_socket(
                socket,
                client.show(frames),
                client.listen(),
                watch_session(services.accounts, credential, who),
            )
        finally:
            await client.close()

    return [live]


class _Client:
    """One connection: its feed, and a task for each subscription."""

    def __init__(self, socket: Socket, services: Services, who: Principal) -> None:
        self._socket = socket
        self._services = services
        self._who = who
        self._feed: LiveFeed | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def show(self, frames: LiveFrames) -> None:
        """Send hello, then what the feed tells, at the pace of the client. One that is too slow is closed."""
        facts = self._services.facts
        await self._send(wire.HelloFrame(version=facts.version, installation=facts.installation))
        viewer = frames.viewer(self._who)
        try:
            async with self._services.live.open(self._who) as feed:
                self._feed = feed
                async for change in feed:
                    await send_text(self._socket, viewer.frame(change))
        except Lagged as error:
            raise SocketEnd(TRY_LATER, error.message) from error

    async def listen(self) -> None:
        """Take what the client asks for. Raises WebSocketDisconnect when it goes."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(detail="the client went away")
            if message["type"] != "websocket.receive":
                continue
            try:
                op = wire.CLIENT_OP.validate_json(message.get("text") or message.get("bytes") or b"")
            except ValidationError as error:
                await self._refuse(None, Invalid(f"this is no operation: {error.errors()[0]['msg']}"))
                continue
            await self._take(op)

    async def _take(self, op: wire.ClientOp) -> None:
        if isinstance(op, wire.ResyncOp):
            if self._feed is not None:
                self._feed.resync()
        elif isinstance(op, wire.UnsubscribeOp):
            task = self._tasks.pop(op.id, None)
            if task is not None:
                task.cancel()
        elif op.id in self._tasks:
            await self._refuse(None, Conflict(f"subscription {op.id} is there already: unsubscribe it first"))
        elif len(self._tasks) >= MAX_SUBSCRIPTIONS:
            await self._refuse(
                op.id, TooMany(f"there are {MAX_SUBSCRIPTIONS} subscriptions: end one first", retry_after=1)
            )
        else:
            self._tasks[op.id] = asyncio.create_task(self._serve(op), name=f"live-{op.topic}")

    async def _serve(self, op: wire.SubscribeOp) -> None:
        """Send a subscription's frames until it ends; a failure ends only this one, and is told."""
        sources = {
            "logs": self._logs,
            "metrics": self._metrics,
            "journal": self._journal,
            "environments": self._environments,
            "environment_logs": self._environment_logs,
        }
        try:
            async for frame in sources[op.topic](op):
                await self._send(frame)
        except DomainError as error:
            self._forget(op.id)
            await self._refuse(op.id, error)
        except WebSocketDisconnect:
            log.debug("the client of a subscription went away")
        except Exception:
            log.exception("a live subscription failed")
            self._forget(op.id)
            await self._refuse(op.id, DomainError("Something went wrong on the server; its log says what"))
        else:
            self._forget(op.id)

    def _forget(self, number: int) -> None:
        """Free the number, unless another subscription has taken it meanwhile."""
        if self._tasks.get(number) is asyncio.current_task():
            del self._tasks[number]

    async def _logs(self, op: wire.SubscribeOp) -> AsyncIterator[BaseModel]:
        if not 0 <= op.tail <= MAX_TAIL:
            raise Invalid.at("tail", f"tail must be from 0 to {MAX_TAIL}, not {op.tail}")
        batches = self._services.logs.follow(self._who, op.deployment_id, tail=op.tail, cursor=op.cursor)
        async with aclosing(batches):
            async for batch in batches:
                records = [convert.to_wire_record(record) for record in batch.records]
                yield wire.LogsFrame(id=op.id, records=records, dropped=batch.dropped)

    async def _metrics(self, op: wire.SubscribeOp) -> AsyncIterator[BaseModel]:
        deployment = await self._services.deployments.get(self._who, op.deployment_id)
        samples = self._services.metrics.follow(self._who, op.deployment_id, op.interval_seconds)
        async with aclosing(samples):
            async for sample in samples:
                yield wire.MetricsFrame(id=op.id, samples=[convert.to_wire_sample(sample, deployment.short_id)])

    async def _journal(self, op: wire.SubscribeOp) -> AsyncIterator[BaseModel]:
        """The last entries of one deployment or of all, oldest first, then each new one."""
        if not 1 <= op.limit <= MAX_ENTRIES:
            raise Invalid.at("limit", f"limit must be from 1 to {MAX_ENTRIES}, not {op.limit}")
        deployments, who = self._services.deployments, self._who
        object_id = (await deployments.get(who, op.deployment_id)).id if op.deployment_id else ""
        names = await self._services.accounts.usernames(who)

        async def frame(entries: list[JournalEntry]) -> wire.JournalFrame:
            if any(entry.actor not in names and entry.actor != SYSTEM for entry in entries):
                names.update(await self._services.accounts.usernames(who))
            return wire.JournalFrame(id=op.id, entries=[convert.to_wire_entry(entry, names) for entry in entries])

        # Subscribed before reading, so that nothing falls between; what is seen twice is left out by its number.
        async with self._services.events.subscribe(tenant_id=who.tenant_id) as subscription:
            if object_id:
                known = await deployments.history(who, object_id, before=None, limit=op.limit)
            else:
                known = await deployments.recent(who, limit=op.limit)
            yield await frame(known[::-1])
            newest = known[0].sequence if known else 0
            async for entry in subscription:
                if entry.sequence > newest and (not object_id or entry.object_id == object_id):
                    yield await frame([entry])

    def _environments(self, op: wire.SubscribeOp) -> AsyncIterator[BaseModel]:
        return environment_frames(self._services, self._who, op.id)

    def _environment_logs(self, op: wire.SubscribeOp) -> AsyncIterator[BaseModel]:
        return environment_log_frames(self._services, self._who, op.id, op.environment_id, op.cursor)

    async def _send(self, frame: BaseModel) -> None:
        await send_text(self._socket, frame.model_dump_json(by_alias=True))

    async def _refuse(self, number: int | None, error: DomainError) -> None:
        await self._send(wire.SubscriptionErrorFrame(id=number, code=error_code(error), message=wire_message(error)))

"""The live socket: a snapshot, then numbered deltas, over a connection that comes back by itself.

What was last known stays in `LiveState` while the connection is down, marked stale.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ValidationError
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from backend.wire.pilothouse import (
    SERVER_FRAME,
    DeltaFrame,
    DeploymentModel,
    HelloFrame,
    JournalEntryModel,
    JournalFrame,
    LiveMetricModel,
    LogRecordModel,
    LogsFrame,
    ResyncOp,
    SnapshotFrame,
    SubscribeOp,
    SubscriptionErrorFrame,
    SystemStatusResponse,
    UnsubscribeOp,
)
from backend.wire.pilothouse_environments import EnvironmentsFrame
from tui.client.errors import ClientError

LIVE_PATH = "/pilothouse/v1/live"
FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 8.0
NOT_RUNNING = "The backend is not running"

LogListener = Callable[[list[LogRecordModel], int], None]
JournalListener = Callable[[list[JournalEntryModel]], None]
EnvironmentListener = Callable[[EnvironmentsFrame], None]
FaultListener = Callable[[str], None]


class Connection(Protocol):
    """What the feed needs of a WebSocket."""

    async def send(self, message: str) -> None: ...
    async def recv(self) -> str | bytes: ...
    async def close(self) -> None: ...


@dataclass(slots=True)
class LiveState:
    """The world as last seen. `stale` says that the connection is down and the rest may be old; `fault` why."""

    deployments: dict[str, DeploymentModel] = field(default_factory=dict)
    metrics: dict[str, LiveMetricModel] = field(default_factory=dict)
    system: SystemStatusResponse | None = None
    known: bool = False
    stale: bool = True
    fault: str = ""
    server_version: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a frame changed: ids of deployments (also those that are gone) and of metrics; the rest by flag."""

    deployments: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    system: bool = False
    connection: bool = False
    everything: bool = False


@dataclass(slots=True)
class _Subscription:
    op: SubscribeOp
    on_logs: LogListener | None = None
    on_journal: JournalListener | None = None
    on_environments: EnvironmentListener | None = None
    on_fault: FaultListener | None = None


class LiveFeed:
    """Keeps one live socket. `connect` opens it (anew each time); `listener` hears of every change.
    Listeners are called in the event loop between two frames and must return soon."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        listener: Callable[[Change], None],
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.state = LiveState()
        self._connect = connect
        self._listener = listener
        self._jitter = jitter
        self._connection: Connection | None = None
        self._subscriptions: dict[int, _Subscription] = {}
        self._next_id = 1
        self._sequence: int | None = None
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Connects, reads, and connects again, until cancelled."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                self._connection = connection = await self._connect()
                self._outbox = asyncio.Queue()
                for subscription in self._subscriptions.values():
                    self._send(subscription.op)
                writer = asyncio.create_task(_write(connection, self._outbox))
                try:
                    while True:
                        frame = SERVER_FRAME.validate_json(await connection.recv())
                        if isinstance(frame, SnapshotFrame):
                            delay = FIRST_DELAY_SECONDS
                        self._take(frame)
                finally:
                    writer.cancel()
            except (ClientError, OSError, TimeoutError, ConnectionClosed, InvalidHandshake, ValidationError) as error:
                self._lost(_sentence(error))
            finally:
                ended, self._connection = self._connection, None
                if ended is not None:
                    await ended.close()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), delay * (0.5 + self._jitter()))
            except TimeoutError:
                delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    def reconnect(self) -> None:
        """Ends a back-off at once, or asks for everything again where the connection is up."""
        self._wake.set()
        if self._connection is not None:
            self._send(ResyncOp())

    def forget(self) -> None:
        """Empties what is known of deployments, until the next snapshot."""
        self.state.deployments, self.state.metrics = {}, {}
        self._listener(Change(everything=True))

    # --- subscriptions ------------------------------------------------------------------------------------

    def follow_logs(
        self, deployment_id: str, tail: int, on_logs: LogListener, on_fault: FaultListener | None = None
    ) -> int:
        """Lines of all replicas, the last `tail` first; after a reconnect it goes on behind the last line seen.
        Returns the number for `unsubscribe`."""
        op = SubscribeOp(id=self._number(), topic="logs", deployment_id=deployment_id, tail=tail)
        return self._subscribe(_Subscription(op, on_logs=on_logs, on_fault=on_fault))

    def follow_journal(
        self, deployment_id: str, limit: int, on_journal: JournalListener, on_fault: FaultListener | None = None
    ) -> int:
        """The last `limit` journal entries, then new ones as they come."""
        op = SubscribeOp(id=self._number(), topic="journal", deployment_id=deployment_id, limit=limit)
        return self._subscribe(_Subscription(op, on_journal=on_journal, on_fault=on_fault))

    def follow_all_journals(
        self, limit: int, on_journal: JournalListener, on_fault: FaultListener | None = None
    ) -> int:
        """The last `limit` entries of all deployments, then new ones as they come; after a reconnect the last ones
        again."""
        return self.follow_journal("", limit, on_journal, on_fault)

    def follow_environments(self, on_change: EnvironmentListener, on_fault: FaultListener | None = None) -> int:
        """All environments, then what changes of them; after a reconnect all again."""
        op = SubscribeOp(id=self._number(), topic="environments")
        return self._subscribe(_Subscription(op, on_environments=on_change, on_fault=on_fault))

    def follow_environment_logs(
        self, environment_id: str, on_logs: LogListener, on_fault: FaultListener | None = None
    ) -> int:
        """The installation from its beginning, then the lines of the container; after a reconnect what was not told
        yet."""
        op = SubscribeOp(id=self._number(), topic="environment_logs", environment_id=environment_id)
        return self._subscribe(_Subscription(op, on_logs=on_logs, on_fault=on_fault))

    def unsubscribe(self, number: int) -> None:
        if self._subscriptions.pop(number, None) is not None:
            self._send(UnsubscribeOp(id=number))

    def _number(self) -> int:
        number, self._next_id = self._next_id, self._next_id + 1
        return number

    def _subscribe(self, subscription: _Subscription) -> int:
        self._subscriptions[subscription.op.id] = subscription
        self._send(subscription.op)
        return subscription.op.id

    def _send(self, op: BaseModel) -> None:
        # Without a connection there is nothing to send: a new one begins with all subscriptions.
        if self._connection is not None:
            self._outbox.put_nowait(op.model_dump_json(by_alias=True))

    # --- frames -------------------------------------------------------------------------------------------

    def _take(self, frame: object) -> None:
        match frame:
            case HelloFrame():
                self.state.server_version = frame.version
            case SnapshotFrame():
                self._snapshot(frame)
            case DeltaFrame():
                if self._sequence is None:
                    return  # waiting for the snapshot that we asked for
                if frame.seq != self._sequence + 1:
                    self._sequence = None
                    self._send(ResyncOp())
                    return
                self._delta(frame)
            case LogsFrame():
                self._logs(frame)
            case JournalFrame():
                subscription = self._subscriptions.get(frame.id)
                if subscription is not None and subscription.on_journal is not None:
                    subscription.on_journal(frame.entries)
            case EnvironmentsFrame():
                subscription = self._subscriptions.get(frame.id)
                if subscription is not None and subscription.on_environments is not None:
                    subscription.on_environments(frame)
            case SubscriptionErrorFrame():
                subscription = self._subscriptions.pop(frame.id, None) if frame.id is not None else None
                if subscription is not None and subscription.on_fault is not None:
                    subscription.on_fault(frame.message)

    def _snapshot(self, frame: SnapshotFrame) -> None:
        state = self.state
        state.deployments = {deployment.id: deployment for deployment in frame.deployments}
        state.metrics = {sample.deployment_id: sample for sample in frame.metrics}
        state.system = frame.system
        state.known, state.stale, state.fault = True, False, ""
        self._sequence = frame.seq
        self._listener(Change(system=True, connection=True, everything=True))

    def _delta(self, frame: DeltaFrame) -> None:
        state = self.state
        self._sequence = frame.seq
        for deployment in frame.deployments:
            state.deployments[deployment.id] = deployment
        for gone in frame.removed:
            state.deployments.pop(gone, None)
            state.metrics.pop(gone, None)
        for sample in frame.metrics:
            state.metrics[sample.deployment_id] = sample
        if frame.system is not None:
            state.system = frame.system
        self._listener(
            Change(
                deployments=frozenset({deployment.id for deployment in frame.deployments} | set(frame.removed)),
                metrics=frozenset(sample.deployment_id for sample in frame.metrics),
                system=frame.system is not None,
            )
        )

    def _logs(self, frame: LogsFrame) -> None:
        subscription = self._subscriptions.get(frame.id)
        if subscription is None or subscription.on_logs is None:
            return
        if frame.records:
            subscription.op = subscription.op.model_copy(update={"cursor": frame.records[-1].cursor})
        subscription.on_logs(frame.records, frame.dropped)

    def _lost(self, fault: str) -> None:
        self._sequence = None
        if not self.state.stale or self.state.fault != fault:
            self.state.stale, self.state.fault = True, fault
            self._listener(Change(connection=True))


async def _write(connection: Connection, outbox: asyncio.Queue[str]) -> None:
    """Sends until cancelled or the connection ends; the reader sees the end too, and connects again."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send(await outbox.get())


def _sentence(error: Exception) -> str:
    if isinstance(error, ClientError):
        return error.message
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return NOT_RUNNING
    if isinstance(error, InvalidStatus):
        return f"The backend refused the live connection with status {error.response.status_code}"
    if isinstance(error, ConnectionClosed):
        return "The connection to the backend ended"
    if isinstance(error, ValidationError):
        return "The backend speaks another version: run `pilothouse stop`, then `pilothouse`"
    return f"The backend cannot be reached: {error or type(error).__name__}"

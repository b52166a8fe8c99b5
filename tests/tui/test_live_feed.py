"""The live feed's rules, over a connection whose frames the test writes: gaps, reconnects, resumption."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.exceptions import ConnectionClosedError

from tests.tui.test_presentation import deployment, system
from tui.client.live import NOT_RUNNING, Change, LiveFeed


class Line:
    """One connection: `say` puts a frame in, `sent` holds what the feed sent, `cut` ends it."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []

    def say(self, **frame: Any) -> None:
        self.frames.put_nowait(json.dumps(frame))

    def cut(self) -> None:
        self.frames.put_nowait(None)

    async def send(self, message: str) -> None:
        self.sent.append(json.loads(message))

    async def recv(self) -> str:
        frame = await self.frames.get()
        if frame is None:
            raise ConnectionClosedError(None, None)
        return frame

    async def close(self) -> None:
        self.sent.append({"op": "closed"})


class Feed:
    """A running feed and the connections that it opened."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.faults: list[Exception] = []
        self.changes: list[Change] = []
        self.live = LiveFeed(self._connect, self.changes.append, jitter=lambda: -0.45)

    async def _connect(self) -> Line:
        if self.faults:
            raise self.faults.pop(0)
        self.lines.append(Line())
        return self.lines[-1]


async def until(reached: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110 - several conditions, and no event for each
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running() -> AsyncIterator[Feed]:
    feed = Feed()
    task = asyncio.create_task(feed.live.run())
    try:
        yield feed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def web(**changes: Any) -> Any:
    return json.loads(deployment(**changes).model_dump_json(by_alias=True))


def snapshot(seq: int, *deployments: Any) -> dict[str, Any]:
    status = json.loads(system().model_dump_json(by_alias=True))
    return {"type": "snapshot", "seq": seq, "deployments": list(deployments), "metrics": [], "system": status}


async def test_deltas_follow_a_snapshot_and_a_gap_asks_for_a_new_one() -> None:
    async with running() as feed:
        await until(lambda: feed.lines)
        line, state = feed.lines[0], feed.live.state
        line.say(**snapshot(7, web()))
        await until(lambda: state.known)
        line.say(type="delta", seq=8, deployments=[web(ready=1)])
        await until(lambda: state.deployments["dpl-1"].ready == 1)
        line.say(type="delta", seq=10, deployments=[web(ready=0)])
        await until(lambda: {"op": "resync"} in line.sent)
        assert state.deployments["dpl-1"].ready == 1
        line.say(type="delta", seq=11, removed=["dpl-1"])  # on its way before the resync was heard
        line.say(**snapshot(11, web(ready=2)))
        await until(lambda: state.deployments["dpl-1"].ready == 2)
        line.say(type="delta", seq=12, removed=["dpl-1"])
        await until(lambda: not state.deployments)


async def test_what_was_known_stays_and_is_marked_while_the_connection_is_away() -> None:
    async with running() as feed:
        await until(lambda: feed.lines)
        feed.lines[0].say(**snapshot(1, web()))
        await until(lambda: feed.live.state.known)
        feed.faults = [ConnectionRefusedError(111, "refused")]
        feed.lines[0].cut()
        await until(lambda: feed.live.state.fault == NOT_RUNNING)
        assert feed.live.state.stale
        assert list(feed.live.state.deployments) == ["dpl-1"]
        await until(lambda: len(feed.lines) == 2)
        feed.lines[1].say(**snapshot(40))
        await until(lambda: not feed.live.state.stale)
        assert feed.live.state.deployments == {}
        assert feed.live.state.fault == ""


async def test_log_lines_go_on_behind_the_last_one_seen() -> None:
    def record(cursor: str) -> dict[str, str]:
        return {
            "timestamp": "t",
            "level": "info",
            "message": cursor,
            "replica": "r",
            "stream": "stdout",
            "cursor": cursor,
        }

    async with running() as feed:
        await until(lambda: feed.lines)
        seen: list[str] = []
        number = feed.live.follow_logs("dpl-1", 500, lambda records, _: seen.extend(r.cursor for r in records))
        await until(lambda: feed.lines[0].sent)
        assert feed.lines[0].sent[0]["tail"] == 500
        feed.lines[0].say(type="logs", id=number, records=[record("a"), record("b")])
        await until(lambda: seen == ["a", "b"])
        feed.lines[0].cut()
        await until(lambda: len(feed.lines) == 2 and feed.lines[1].sent)
        assert (feed.lines[1].sent[0]["id"], feed.lines[1].sent[0]["cursor"]) == (number, "b")
        feed.live.unsubscribe(number)
        await until(lambda: {"op": "unsubscribe", "id": number} in feed.lines[1].sent)
        feed.lines[1].say(type="logs", id=number, records=[record("c")])
        feed.lines[1].say(**snapshot(1))
        await until(lambda: feed.live.state.known)
        assert seen == ["a", "b"]


async def test_a_frame_of_another_version_is_said_and_not_fatal() -> None:
    async with running() as feed:
        await until(lambda: feed.lines)
        feed.lines[0].say(type="riddle")
        await until(lambda: "another version" in feed.live.state.fault)
        await until(lambda: len(feed.lines) == 2)

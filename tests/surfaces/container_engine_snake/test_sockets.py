"""The document's three sockets: notifications, health, and the log of a deployment."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.backend.running_backend import RunningBackend
from tests.surfaces.container_engine_snake.client import Client
from tests.surfaces.shapes import fits

FRAME = {"type": "text", "deployment_id": "uuid", "timestamp": "time", "data": {}}
CHANGED = FRAME | {"type": "=deployment_status_changed", "data": {"status": "word", "url": "url"}}
ENTRY = {"timestamp": "instant", "level": "level", "message": "text", "source": "=app", "cursor": "text"}


def _connected(user: Client, path: str, *, in_query: bool = False) -> Any:
    """With the API key in the header, as the document has it, or in the query, as a browser must."""
    if in_query:
        return connect(user.socket(f"{path}?token={user.api_key}"))
    return connect(user.socket(path), additional_headers={"Authorization": f"Bearer {user.api_key}"})


async def _frame(socket: ClientConnection) -> Any:
    async with asyncio.timeout(60):
        return json.loads(await socket.recv())


async def _until(socket: ClientConnection, **wanted: str) -> list[Any]:
    """Frames up to the first whose type and data have these values."""
    frames = [await _frame(socket)]
    while any((frames[-1] | frames[-1]["data"]).get(name) != value for name, value in wanted.items()):
        frames.append(await _frame(socket))
    return frames


async def test_notifications_in_order(user: Client, passer_by: Client) -> None:
    """One deployment's life, told to a header client and a query client alike, and to nobody else."""
    async with (
        _connected(user, "/v1/ws/notifications") as by_header,
        _connected(user, "/v1/ws/notifications", in_query=True) as by_query,
        _connected(passer_by, "/v1/ws/notifications") as elsewhere,
    ):
        made = await asyncio.to_thread(user.deploy)
        one = f"/v1/deployments/{made['id']}"
        seen = await _until(by_header, type="deployment_status_changed", status="running")
        assert seen[0]["type"] == "deployment_created"
        assert seen[0]["data"]["app_name"] == made["app_name"]
        assert {frame["type"] for frame in seen[1:]} == {"deployment_status_changed"}
        fits(seen[-1], CHANGED)
        for method, rest, body, status in (
            ("PUT", "", {"env_vars": {"A": "1"}}, "running"),
            ("POST", "/stop", None, "stopped"),
            ("POST", "/start", None, "running"),
        ):
            answer = await asyncio.to_thread(user.api.request, method, one + rest, json=body)
            assert answer.status_code == 200
            frames = await _until(by_header, type="deployment_status_changed", status=status)
            if method == "PUT":
                assert frames[0]["type"] == "deployment_updated"
                assert frames[0]["data"]["changes"] == ["env_vars"]
            for frame in frames:
                fits(frame, CHANGED if frame["type"] == "deployment_status_changed" else FRAME)
            seen += frames
        await asyncio.to_thread(user.api.delete, one)
        seen += await _until(by_header, type="deployment_deleted")
        assert {frame["deployment_id"] for frame in seen} == {made["id"]}
        assert seen == await _until(by_query, type="deployment_deleted"), "all clients see the same in the same order"

        told = await asyncio.to_thread(passer_by.api.get, "/v1/notifications/test")
        assert (await _frame(elsewhere)) == told.json()["notification"], "the others' events were not told here"


async def test_a_test_notification_and_the_figures(user: Client, passer_by: Client) -> None:
    before = (await asyncio.to_thread(user.api.get, "/v1/notifications/stats")).json()
    fits(
        before,
        {
            "active_connections": "int",
            "connected_users": "int",
            "notifications_sent": "int",
            "notifications_failed": "int",
            "webhooks_sent": "int",
            "webhooks_failed": "int",
            "last_notification_at": "time?",
            "timestamp": "time",
        },
    )
    assert (before["active_connections"], before["notifications_sent"]) == (0, 0)
    assert before["last_notification_at"] is None
    async with (
        _connected(user, "/v1/ws/notifications") as first,
        _connected(user, "/v1/ws/notifications") as second,
        _connected(passer_by, "/v1/ws/notifications"),
    ):
        sent = await asyncio.to_thread(user.api.get, "/v1/notifications/test")
        assert sent.status_code == 200
        fits(sent.json(), {"message": "=Test notification sent", "notification": CHANGED})
        assert sent.json()["connections_notified"] == 2
        assert await _frame(first) == await _frame(second) == sent.json()["notification"]

        async with asyncio.timeout(30):
            while True:
                after = (await asyncio.to_thread(user.api.get, "/v1/notifications/stats")).json()
                if after["notifications_sent"] == 2:
                    break
        assert (after["active_connections"], after["connected_users"]) == (2, 1)
        assert after["notifications_by_type"] == {"deployment_status_changed": 2}
        assert (after["notifications_failed"], after["connections_dropped"]) == (0, 0)
        fits(after, {"last_notification_at": "time"})
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(user.api.get, "/v1/notifications/stats")).json()["active_connections"]:
            pass


async def test_health_is_told_at_once(user: Client) -> None:
    well = {"status": "healthy", "service": "container-engine", "version": "0.1.0"}
    for in_query in (False, True):
        async with _connected(user, "/v1/ws/health", in_query=in_query) as socket:
            told = await _frame(socket)
            while told == well | {"status": "unhealthy"}:
                # On a busy machine the engine may be late for one look; the next frame tells of a change.
                told = await _frame(socket)
            assert told == well


async def test_logs_go_on_after_the_cursor(backend: RunningBackend, user: Client) -> None:
    """Two connections, the second from where the first ended, have every line once."""
    made = await asyncio.to_thread(user.deploy)
    await asyncio.to_thread(user.until, made["id"], "running")
    path = f"/v1/deployments/{made['id']}/logs/stream"

    async def write(lines: int) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            url = f"http://127.0.0.1:{backend.ingress_port}/log?{lines}"
            wrote = await client.get(url, headers={"Host": f"{made['app_name']}.localhost"})
            assert wrote.status_code == 200

    async def entries(query: str, last: str) -> list[Any]:
        headers = {"Authorization": f"Bearer {user.api_key}"}
        async with connect(user.socket(path + query), additional_headers=headers) as socket:
            found = [await _frame(socket)]
            while found[-1]["message"] != last:
                found.append(await _frame(socket))
        for entry in found:
            fits(entry, ENTRY)
        return found

    await write(3)
    first = await entries("?tail=1000", "INFO line 1")
    await write(5)
    second = await entries(f"?cursor={first[-1]['cursor']}", "INFO line 4")
    lines = [entry["message"] for entry in first + second if entry["message"].startswith("INFO line")]
    assert lines == [f"INFO line {number}" for number in (0, 1, 2, 0, 1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/ws/notifications", 401),
        ("/v1/ws/notifications?token=forged", 401),
        ("/v1/ws/health", 401),
        ("/v1/ws/health?token=forged", 401),
        ("/v1/deployments/{nothing}/logs/stream?token={token}", 404),
        ("/v1/deployments/{mine}/logs/stream", 401),
        ("/v1/deployments/{mine}/logs/stream?tail=x&token={token}", 400),
        ("/v1/deployments/{mine}/logs/stream?cursor=nonsense&token={token}", 400),
    ],
)
async def test_refused_handshakes(settler: Client, path: str, status: int) -> None:
    mine = await asyncio.to_thread(lambda: settler.idle_deployment)
    nothing = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(settler.socket(path.format(token=settler.api_key, mine=mine, nothing=nothing))):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["error"]["message"]

"""The document's sockets, and logs that are followed over HTTP."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from backend.surfaces.sockets import RECHECK_SECONDS
from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import PASSWORD, Person
from tests.surfaces.shapes import fits

FRAME = {"type": "text", "deploymentId": "dpl", "timestamp": "time", "data": {}}
ENTRY = {"timestamp": "instant", "level": "level", "message": "text", "source": "=app"}


def _socket(backend: RunningBackend, path: str) -> str:
    return f"ws://127.0.0.1:{backend.port}/container-engine{path}"


async def _frame(socket: object) -> dict[str, object]:
    async with asyncio.timeout(30):
        frame: dict[str, object] = json.loads(await socket.recv())  # type: ignore[attr-defined]
    return frame


async def test_events_of_the_callers_own_deployments(backend: RunningBackend, person: Person, other: Person) -> None:
    async with connect(_socket(backend, f"/v1/events?token={person.token}")) as socket:
        await asyncio.to_thread(other.deploy, replicas=0)
        made = await asyncio.to_thread(person.deploy, replicas=0)
        first = await _frame(socket)
        fits(first, FRAME | {"type": "=deployment.created", "deploymentId": f"={made['id']}"})
        url = {"appName": "text", "image": "text", "status": "=pending", "url": "url"}
        fits(first["data"], url)
        changed = await _frame(socket)
        fits(changed, FRAME | {"type": "=deployment.status.changed"})
        fits(changed["data"], {"status": "=running", "previousStatus": "=pending"})
        await asyncio.to_thread(person.client.put, f"/v1/deployments/{made['id']}", json={"envVars": {"A": "1"}})
        updated = await _frame(socket)
        fits(updated, FRAME | {"type": "=deployment.updated", "data": {"status": "=updating"}})
        await asyncio.to_thread(person.client.delete, f"/v1/deployments/{made['id']}")
        seen = [await _frame(socket)]
        while seen[-1]["type"] != "deployment.deleted":
            assert seen[-1]["type"] == "deployment.status.changed"
            seen.append(await _frame(socket))
        assert {frame["deploymentId"] for frame in seen} == {made["id"]}


async def test_logs_as_they_come(backend: RunningBackend, person: Person) -> None:
    """Over the socket and as NDJSON: what was there, then what is written while one looks."""
    made = await asyncio.to_thread(person.deploy)
    await asyncio.to_thread(person.until, made["id"], "running")
    host = {"Host": f"{made['appName']}.localhost"}
    one = f"/v1/deployments/{made['id']}"
    async with connect(_socket(backend, f"{one}/logs/stream?token={person.token}&tail=1000")) as socket:
        fits(await _frame(socket), ENTRY)

        def line_by_line() -> str:
            with person.client.stream("GET", f"{one}/logs", params={"follow": "true", "tail": 0}) as answer:
                assert answer.status_code == 200
                assert answer.headers["content-type"] == "application/x-ndjson"
                for line in answer.iter_lines():
                    entry = json.loads(line)
                    fits(entry, ENTRY)
                    if entry["message"] == "INFO line 3":
                        return str(entry["message"])
            return ""

        reading = asyncio.create_task(asyncio.to_thread(line_by_line))
        with backend.tcp() as client:
            url = f"http://127.0.0.1:{backend.ingress_port}/log?4"
            async with asyncio.timeout(30):
                while not reading.done():
                    await asyncio.to_thread(client.get, url, headers=host)
                    await asyncio.wait([reading], timeout=0.1)
        assert await reading == "INFO line 3"
        async with asyncio.timeout(30):
            while (await _frame(socket))["message"] != "INFO line 3":
                pass


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/events", 401),
        ("/v1/events?token=forged", 401),
        ("/v1/deployments/dpl-0000000000/logs/stream?token={token}", 404),
        ("/v1/deployments/dpl-0000000000/logs/stream", 401),
        ("/v1/deployments/{mine}/logs/stream?tail=x&token={token}", 400),
    ],
)
async def test_refused_handshakes(backend: RunningBackend, resident: Person, path: str, status: int) -> None:
    mine = await asyncio.to_thread(lambda: resident.idle_deployment)
    url = _socket(backend, path.format(token=resident.token, mine=mine))
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["error"]["message"]


@pytest.mark.parametrize("replicas", [0, 1])
async def test_a_deleted_deployment_has_no_more_to_tell(backend: RunningBackend, person: Person, replicas: int) -> None:
    made = await asyncio.to_thread(person.deploy, replicas=replicas)
    await asyncio.to_thread(person.until, made["id"], "running")
    logs = f"/v1/deployments/{made['id']}/logs"
    async with (
        connect(_socket(backend, f"{logs}/stream?token={person.token}&tail=0")) as socket,
        httpx.AsyncClient(headers={"Authorization": f"Bearer {person.token}"}, trust_env=False, timeout=60) as client,
        client.stream(
            "GET", f"http://127.0.0.1:{backend.port}/container-engine{logs}", params={"follow": "true", "tail": "0"}
        ) as followed,
    ):
        await asyncio.to_thread(person.client.delete, f"/v1/deployments/{made['id']}")
        async with asyncio.timeout(60):
            assert [line async for line in followed.aiter_lines() if "error" in json.loads(line)] == []
            async for _ in socket:
                pass
        assert socket.close_code == 1000


async def test_a_logout_ends_what_is_open(backend: RunningBackend, person: Person) -> None:
    """At once, rather than when the credential is next looked at; the user's other session goes on."""
    made = await asyncio.to_thread(person.deploy)
    await asyncio.to_thread(person.until, made["id"], "running")
    email = f"{person.username}@example.com"
    login = await asyncio.to_thread(person.client.post, "/v1/auth/login", json={"email": email, "password": PASSWORD})
    other = login.json()["accessToken"]
    logs = f"/v1/deployments/{made['id']}/logs"
    async with (
        connect(_socket(backend, f"/v1/events?token={other}")) as events,
        connect(_socket(backend, f"{logs}/stream?token={other}&tail=0")) as lines,
        connect(_socket(backend, f"/v1/events?token={person.token}")) as kept,
        httpx.AsyncClient(headers={"Authorization": f"Bearer {other}"}, trust_env=False, timeout=30) as client,
        client.stream(
            "GET", f"http://127.0.0.1:{backend.port}/container-engine{logs}", params={"follow": "true", "tail": "0"}
        ) as followed,
    ):
        ended = await client.post(f"http://127.0.0.1:{backend.port}/container-engine/v1/auth/logout")
        assert ended.status_code == 200
        async with asyncio.timeout(RECHECK_SECONDS * 0.9):
            for socket in (events, lines):
                await socket.wait_closed()
                assert socket.close_code == 1008
            assert [json.loads(line)["error"]["code"] async for line in followed.aiter_lines()] == ["UNAUTHORIZED"]
        await asyncio.to_thread(person.client.post, f"/v1/deployments/{made['id']}/stop")
        assert (await _frame(kept))["deploymentId"] == made["id"]


async def test_the_header_serves_too_and_tokens_are_not_logged(backend: RunningBackend, resident: Person) -> None:
    headers = {"Authorization": f"Bearer {resident.token}"}
    async with connect(_socket(backend, "/v1/events"), additional_headers=headers):
        pass
    async with connect(_socket(backend, f"/v1/events?token={resident.token}")):
        pass
    log = backend.log()
    assert "?token=***" in log
    assert resident.token not in log

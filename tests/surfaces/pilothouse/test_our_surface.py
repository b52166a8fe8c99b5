"""The sixth surface: local session, system, journal, live socket, terminal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend.wire.pilothouse import SERVER_FRAME, DeploymentModel, JournalResponse, SystemStatusResponse
from tests.backend.running_backend import RunningBackend, error_of
from tests.surfaces.people import Person


def _live(backend: RunningBackend, token: str) -> Any:
    url = f"ws://127.0.0.1:{backend.port}/pilothouse/v1/live"
    return connect(url, additional_headers={"Authorization": f"Bearer {token}"}, max_size=2**24)


async def _frame(socket: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return SERVER_FRAME.validate_json(await socket.recv())


def test_the_owners_session_is_given_on_the_unix_socket_only(backend: RunningBackend) -> None:
    with backend.owner() as owner:
        given = owner.post("/pilothouse/v1/session")
        assert given.status_code == 200
        headers = {"Authorization": f"Bearer {given.json()['accessToken']}"}
        assert owner.get("/container-engine/v1/user/profile", headers=headers).status_code == 200
    refused = httpx.post(f"http://127.0.0.1:{backend.port}/pilothouse/v1/session", timeout=30)
    assert refused.status_code == 404
    assert error_of(refused)["code"] == "NOT_FOUND"


def test_system_and_journal(backend: RunningBackend, resident: Person) -> None:
    url = f"http://127.0.0.1:{backend.port}/pilothouse/v1"
    headers = {"Authorization": f"Bearer {resident.token}"}
    assert httpx.get(f"{url}/system", timeout=30).status_code == 401

    def looked() -> SystemStatusResponse:
        return SystemStatusResponse.model_validate(httpx.get(f"{url}/system", headers=headers, timeout=30).json())

    seen = looked()

    def all_ok() -> bool:
        nonlocal seen
        seen = looked()
        return (seen.storage.status, seen.engine.status, seen.ingress.status) == ("ok", "ok", "ok")

    # On a busy machine a part may be late for one look.
    backend.until(all_ok, "the parts are never all well")
    assert seen.ingress_port == backend.ingress_port
    assert seen.data_dir is None, "where the data lies is the administrator's to know"

    one = f"{url}/deployments/{resident.idle_deployment}"
    shown = DeploymentModel.model_validate(httpx.get(one, headers=headers, timeout=30).json())
    assert shown.id == resident.idle_deployment
    entries = JournalResponse.model_validate(httpx.get(f"{one}/journal", headers=headers, timeout=30).json()).entries
    assert entries[-1].kind == "deployment.created"
    assert [entry.sequence for entry in entries] == sorted((e.sequence for e in entries), reverse=True)
    older = httpx.get(
        f"{one}/journal", headers=headers, params={"before": entries[0].sequence, "limit": 1}, timeout=30
    ).json()
    assert [entry["sequence"] for entry in older["entries"]] == [entries[1].sequence]
    wrong = httpx.get(f"{one}/journal", headers=headers, params={"limit": 0}, timeout=30)
    assert (wrong.status_code, error_of(wrong)["code"]) == (400, "INVALID_REQUEST")


async def test_a_snapshot_then_deltas_without_a_gap(backend: RunningBackend, person: Person, other: Person) -> None:
    async with _live(backend, person.token) as socket:
        hello, snapshot = await _frame(socket), await _frame(socket)
        assert (hello.type, snapshot.type, snapshot.deployments) == ("hello", "snapshot", [])
        await asyncio.to_thread(other.deploy, replicas=0)
        made = await asyncio.to_thread(person.deploy)
        sequence, known = snapshot.seq, {}
        while known.get(made["id"]) is None or known[made["id"]].status != "running":
            delta = await _frame(socket)
            assert delta.type == "delta"
            assert delta.seq == sequence + 1
            sequence = delta.seq
            known |= {deployment.id: deployment for deployment in delta.deployments}
            assert known.keys() <= {made["id"]}, "another user's deployment was shown"
        assert len(known[made["id"]].replica_list) == 1

        await socket.send(json.dumps({"op": "resync"}))
        while (again := await _frame(socket)).type != "snapshot":
            sequence = again.seq
        assert again.seq >= sequence
        assert [deployment.id for deployment in again.deployments] == [made["id"]]

        await asyncio.to_thread(person.client.delete, f"/v1/deployments/{made['id']}")
        while made["id"] not in (await _frame(socket)).removed:
            pass


async def test_subscriptions(backend: RunningBackend, person: Person) -> None:
    made = await asyncio.to_thread(person.deploy)
    await asyncio.to_thread(person.until, made["id"], "running")
    async with _live(backend, person.token) as socket:
        for number, topic in enumerate(("logs", "journal", "metrics"), start=1):
            op = {"op": "subscribe", "id": number, "topic": topic, "deploymentId": made["id"]}
            await socket.send(json.dumps(op))
        await socket.send(json.dumps({"op": "subscribe", "id": 9, "topic": "logs", "deploymentId": "dpl-0000000000"}))
        await socket.send("nonsense")
        seen: dict[tuple[str, int | None], Any] = {}
        wanted = {("logs", 1), ("journal", 2), ("metrics", 3), ("error", 9), ("error", None)}
        while not wanted <= seen.keys():
            frame = await _frame(socket)
            seen[frame.type, getattr(frame, "id", None)] = frame
        assert seen["error", 9].code == "NOT_FOUND"
        assert seen["error", None].code == "INVALID_REQUEST"
        assert seen["logs", 1].records[0].replica == seen["logs", 1].records[-1].replica
        # A port is open a moment before the app says so; the cursor stands behind all that it says by itself.
        told = seen["logs", 1]
        while told.records[-1].message != "INFO listening":
            frame = await _frame(socket)
            told = frame if frame.type == "logs" and frame.records else told
        cursor = told.records[-1].cursor
        await socket.send(json.dumps({"op": "unsubscribe", "id": 1}))
        await socket.send(
            json.dumps({"op": "subscribe", "id": 1, "topic": "logs", "deploymentId": made["id"], "cursor": cursor})
        )
        await asyncio.to_thread(
            httpx.get,
            f"http://127.0.0.1:{backend.ingress_port}/log?1",
            headers={"Host": f"{made['appName']}.localhost"},
        )
        while (frame := await _frame(socket)).type != "logs" or not frame.records:
            pass
        assert frame.records[0].message in ("INFO line 0", "ERROR on stderr"), "the cursor resumes without a repeat"


async def test_the_journal_of_all_deployments_tells_what_changed_and_who_asked(
    backend: RunningBackend, person: Person, other: Person
) -> None:
    first = await asyncio.to_thread(person.deploy, replicas=0, envVars={"GONE": "s3cret", "TOKEN": "s3cret"})
    async with _live(backend, person.token) as socket:
        await socket.send(json.dumps({"op": "subscribe", "id": 1, "topic": "journal", "limit": 50}))
        while (known := await _frame(socket)).type != "journal":
            pass
        assert [entry.kind for entry in known.entries][:1] == ["deployment.created"]
        assert {entry.object_id for entry in known.entries} == {first["id"]}
        name = (await asyncio.to_thread(person.client.get, "/v1/user/profile")).json()["username"]
        assert known.entries[0].actor_name == name
        await asyncio.to_thread(other.deploy, replicas=0)
        second = await asyncio.to_thread(person.deploy, replicas=0)
        change = {"envVars": {"TOKEN": "other", "NEW": "s3cret"}, "resources": {"memory": "192Mi"}}
        await asyncio.to_thread(person.client.put, f"/v1/deployments/{first['id']}", json=change)
        seen: list[Any] = []
        while not any(entry.kind == "deployment.updated" for entry in seen):
            frame = await _frame(socket)
            seen += frame.entries if frame.type == "journal" else []
        assert {entry.object_id for entry in seen} <= {first["id"], second["id"]}, "another user's was told"
        assert "s3cret" not in repr(seen)
        updated = next(entry for entry in seen if entry.kind == "deployment.updated")
        assert updated.data["differences"] == [
            {"field": "memory", "from": "128Mi", "to": "192Mi"},
            {"field": "env GONE", "change": "removed"},
            {"field": "env NEW", "change": "added"},
            {"field": "env TOKEN", "change": "changed"},
        ]


async def test_a_terminal(backend: RunningBackend, person: Person) -> None:
    made = await asyncio.to_thread(person.deploy)
    await asyncio.to_thread(person.until, made["id"], "running")
    path = f"/pilothouse/v1/deployments/{made['id']}/terminal?columns=91&rows=31&token={person.token}"
    async with unix_connect(str(backend.places.socket), f"ws://localhost{path}") as socket:
        assert json.loads(await socket.recv())["type"] == "ready"
        await socket.send(b"stty size\n")
        output = b""
        async with asyncio.timeout(30):
            while b"31 91" not in output:
                output += await socket.recv()  # type: ignore[operator]
            await socket.send(json.dumps({"type": "resize", "columns": 120, "rows": 40}))
            await socket.send(b"stty size; head -c 300000 /dev/zero | tr '\\0' x; exit 5\n")
            output = b""
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    message = await socket.recv()
                    if isinstance(message, str):
                        told = json.loads(message)
                        assert (told["type"], told["code"], told["reason"]) == ("exit", 5, "exited")
                    else:
                        output += message
        assert b"40 120" in output
        assert output.count(b"x") >= 300_000, "output is lost where the client is slow"
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "the process ended with code 5")


async def test_terminals_that_cannot_be_opened(backend: RunningBackend, resident: Person, other: Person) -> None:
    mine = await asyncio.to_thread(lambda: resident.idle_deployment)
    url = f"ws://127.0.0.1:{backend.port}/pilothouse/v1/deployments/{mine}/terminal"
    for query, status in (("", 401), (f"?token={other.token}", 404), (f"?token={resident.token}&columns=0", 400)):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url + query):
                pass
        assert refused.value.response.status_code == status
    async with connect(f"{url}?token={resident.token}") as socket:
        told = json.loads(await socket.recv())
        assert told["type"] == "error"
        assert "no replica" in told["message"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4409

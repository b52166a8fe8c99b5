"""The domain operations of the container-engine document, and a domain's whole way on a real backend."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.backend.running_backend import RunningBackend, error_of
from tests.domains.outside_world import SUFFIX, OutsideWorld
from tests.surfaces.people import Person
from tests.surfaces.shapes import fits

ITEM = {"id": "dom", "domain": "text", "status": "text", "createdAt": "time"}
RECORD = {"type": "text", "name": "text", "value": "text"}


def some_name() -> str:
    return f"shop-{secrets.token_hex(4)}.example.net"


def test_every_operation(resident: Person) -> None:
    client, path = resident.client, f"/v1/deployments/{resident.idle_deployment}/domains"
    app = client.get(f"/v1/deployments/{resident.idle_deployment}").json()["appName"]
    name = some_name()
    added = client.post(path, json={"domain": name.upper()})
    assert added.status_code == 201
    fits(added.json(), ITEM | {"status": "=pending", "domain": f"={name}", "dnsRecords": [RECORD]})
    assert added.json()["dnsRecords"] == [{"type": "CNAME", "name": name, "value": f"{app}.localhost"}]
    proof = added.json()["verification"]
    assert (proof["type"], proof["name"]) == ("TXT", f"_pilothouse.{name}")

    listed = client.get(path)
    assert listed.status_code == 200
    (item,) = [item for item in listed.json()["domains"] if item["id"] == added.json()["id"]]
    fits(item, ITEM | {"status": "=pending", "domain": f"={name}", "verifiedAt": "time?"})
    assert item["verifiedAt"] is None
    assert item["createdAt"] == added.json()["createdAt"]

    again = client.post(path, json={"domain": name})
    assert (again.status_code, error_of(again)["code"]) == (409, "CONFLICT")
    removed = client.delete(f"{path}/{added.json()['id']}")
    assert (removed.status_code, removed.json()) == (200, {"message": "Custom domain removed successfully"})
    assert client.delete(f"{path}/{added.json()['id']}").status_code == 404
    assert added.json()["id"] not in client.get(path).text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": None},
        {"domain": 7},
        {"domain": ""},
        {"domain": "shop"},
        {"domain": "127.0.0.1"},
        {"domain": "*.example.net"},
        {"domain": "localhost"},
        {"domain": "other-app.localhost"},
        {"domain": "https://shop.example.net"},
        {"domain": "shop.example.net\n"},
        {"domain": "shop\u0000.example.net"},
        {"domain": "x" * 10_000},
        {"domain": "shop.example.net", "more": 1},
    ],
)
def test_names_that_are_refused(resident: Person, body: dict[str, Any]) -> None:
    path = f"/v1/deployments/{resident.idle_deployment}/domains"
    if body.get("domain") == "shop.example.net\n":
        # White space around a name is forgiven, as in a form.
        made = resident.client.post(path, json=body)
        assert made.status_code == 201
        resident.client.delete(f"{path}/{made.json()['id']}")
        return
    refused = resident.client.post(path, json=body)
    assert (refused.status_code, error_of(refused)["code"]) == (400, "INVALID_REQUEST")
    assert error_of(refused)["details"]["fields"]


def test_whose_domains_they_are(resident: Person, stranger: Person, anyone: httpx.Client) -> None:
    path = f"/v1/deployments/{resident.idle_deployment}/domains"
    name = some_name()
    made = resident.client.post(path, json={"domain": name})
    one = f"{path}/{made.json()['id']}"
    for client, status in ((anyone, 401), (stranger.client, 404)):
        assert client.get(path).status_code == status
        assert client.post(path, json={"domain": some_name()}).status_code == status
        assert client.delete(one).status_code == status
    missing = "/v1/deployments/dpl-0000000000/domains"
    assert error_of(resident.client.get(missing))["code"] == "NOT_FOUND"
    assert resident.client.delete(f"{path}/dom-0000000000").status_code == 404

    theirs = f"/v1/deployments/{stranger.idle_deployment}/domains"
    taken = stranger.client.post(theirs, json={"domain": name})
    assert taken.status_code == 409
    assert resident.username not in taken.text
    assert resident.client.delete(one).status_code == 200
    freed = stranger.client.post(theirs, json={"domain": name})
    assert freed.status_code == 201
    assert stranger.client.delete(f"{theirs}/{freed.json()['id']}").status_code == 200


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideWorld]:
    made = OutsideWorld(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


@pytest.fixture
def public_backend(tmp_path_factory: pytest.TempPathFactory, world: OutsideWorld) -> Iterator[RunningBackend]:
    """One that the world knows: with a public suffix, HTTPS, and certificates of an authority."""
    running = RunningBackend(tmp_path_factory.mktemp("public"))
    world.connect(running)
    try:
        yield running.start().until_ready()
    finally:
        running.remove_everything()


def test_from_pending_to_https_through_a_crash(public_backend: RunningBackend, world: OutsideWorld) -> None:
    backend = public_backend
    with backend.tcp() as anyone:
        person = Person.register(backend, anyone, f"user-{secrets.token_hex(4)}")
    made = person.deploy()
    person.until(made["id"], "running")
    path = f"/v1/deployments/{made['id']}/domains"
    app_host = f"{made['appName']}.{SUFFIX}"
    world.names.put(app_host, "A", "127.0.0.1")
    name = some_name()

    def of(domain: str) -> dict[str, Any]:
        found: dict[str, Any] = next(d for d in person.client.get(path).json()["domains"] if d["domain"] == domain)
        return found

    def became(domain: str, status: str) -> dict[str, Any]:
        backend.until(lambda: of(domain)["status"] == status, f"never {status}: {of(domain)}")
        return of(domain)

    added = person.client.post(path, json={"domain": name})
    assert added.status_code == 201
    (record,) = added.json()["dnsRecords"]
    assert record["value"] == app_host
    backend.until(lambda: "no record yet" in (of(name)["reason"] or ""))
    backend.kill()
    world.names.put(record["name"], record["type"], record["value"])
    # Checked from the start on, but not found before somebody listens: an event is told once.
    world.names.silent = True
    backend.start()

    def found() -> None:
        world.names.silent = False
        became(name, "active")

    events = asyncio.run(_events_while(backend, person.token, found))
    active = of(name)
    fits(active, ITEM | {"verifiedAt": "time"})
    assert active["reason"] is None
    answer = world.get(name)
    assert (answer.status_code, answer.text) == (world.get(app_host).status_code, world.get(app_host).text)
    assert answer.status_code == 200
    with pytest.raises(httpx.ConnectError):
        world.get("somebody-else.example.org")
    (verified,) = [event for event in events if event["type"] == "domain.verified"]
    assert verified["deploymentId"] == made["id"]
    assert verified["data"] == {"domainId": added.json()["id"], "domain": name, "status": "active"}

    backend.kill()
    assert world.get(name).status_code == 200, "served without us"
    backend.extra_environment["PILOTHOUSE_DOMAIN_PATIENCE_SECONDS"] = "3"
    backend.start()
    assert of(name)["status"] == "active"

    late = some_name()

    def refused() -> None:
        assert person.client.post(path, json={"domain": late}).status_code == 201
        became(late, "failed")

    events = asyncio.run(_events_while(backend, person.token, refused))
    (failed,) = [event for event in events if event["type"] == "domain.failed"]
    assert failed["data"]["reason"] == of(late)["reason"]
    assert (failed["data"]["domain"], failed["data"]["status"]) == (late, "failed")
    assert person.client.delete(f"{path}/{added.json()['id']}").status_code == 200
    with httpx.Client(trust_env=False, timeout=30) as client:
        gone = client.get(f"http://127.0.0.1:{backend.ingress_port}/", headers={"Host": name})
    assert gone.status_code == 404
    person.leave()


async def _events_while(backend: RunningBackend, token: str, work: Any) -> list[dict[str, Any]]:
    """What the event socket tells while `work()` is done, and shortly after."""
    url = f"ws://127.0.0.1:{backend.port}/container-engine/v1/events?token={token}"
    found: list[dict[str, Any]] = []
    async with connect(url) as socket:
        await asyncio.to_thread(work)
        while True:
            try:
                found.append(json.loads(await asyncio.wait_for(socket.recv(), 5.0)))
            except TimeoutError:
                return found

"""Pinning and pulling against real registries, and how faults are told apart."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket

import docker
import docker.errors
import pytest

from backend.domain.deployments import RegistryAuth
from backend.domain.engine import ResolvedImage
from backend.domain.errors import ImageRejected, Invalid
from backend.engines import images
from backend.engines.image_faults import ImageFault, classify, rejected
from backend.engines.references import Reference
from tests.engines.engine_bench import Bench

PRIVATE = "127.0.0.1:5001/team/app:1"
ALICE = RegistryAuth("alice", "s3cret")


async def reason(bench: Bench, image: str, auth: RegistryAuth | None = None) -> str:
    with pytest.raises(ImageRejected) as caught:
        await bench.engine.resolve_image(image, auth)
    assert image in caught.value.message
    return str(caught.value.details["reason"])


async def test_a_tag_becomes_the_registrys_digest(bench: Bench) -> None:
    found = await bench.engine.resolve_image("docker.io/library/busybox", None)
    assert found.pinned.startswith("busybox@sha256:") and found.local
    again = await bench.engine.resolve_image(found.pinned, None)
    assert again.pinned == found.pinned and again.local


async def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    assert await reason(bench, "nope:1") == "not_found"
    assert await reason(bench, "busybox:nope") == "not_found"


async def test_a_private_image_wants_its_credentials(bench: Bench) -> None:
    assert await reason(bench, PRIVATE) == "denied"
    assert await reason(bench, PRIVATE, RegistryAuth("alice", "wrong")) == "denied"
    found = await bench.engine.resolve_image(PRIVATE, ALICE)
    assert found.pinned.startswith("127.0.0.1:5001/team/app@sha256:")
    # even once it is here, for whoever has none
    [progress async for progress in bench.engine.pull(found, ALICE)]
    assert await reason(bench, PRIVATE) == "denied"


async def test_a_registry_that_is_away_is_unreachable(bench: Bench) -> None:
    assert await reason(bench, "127.0.0.1:1/team/app:1") == "unreachable"


async def test_a_registry_that_never_answers_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(images, "REGISTRY_SECONDS", 0.5)
    assert await reason(bench, f"127.0.0.1:{port}/team/app:1") == "unreachable"
    server.close()


@pytest.mark.parametrize("image", ["", "Upper:1", "a b", "busybox:", "busybox:::", "busybox@sha256:12", "-x", "x\n"])
async def test_a_malformed_reference_is_invalid_at_its_field(bench: Bench, image: str) -> None:
    with pytest.raises(Invalid) as caught:
        await bench.engine.resolve_image(image, None)
    assert caught.value.fields[0].field == "image"


async def test_an_image_only_this_machine_knows_is_pinned_by_id(bench: Bench) -> None:
    client, name = docker.from_env().api, f"ph-test-{secrets.token_hex(4)}"
    client.tag("busybox:latest", name, "1")
    try:
        found = await bench.engine.resolve_image(f"{name}:1", None)
        assert found.local and found.pinned == client.inspect_image("busybox:latest")["Id"]
        assert await bench.engine.has_image(found.pinned)
        await bench.run(image=found.pinned)
    finally:
        await bench.clean()
        client.remove_image(f"{name}:1")


async def test_an_id_is_not_a_name(bench: Bench) -> None:
    image_id = docker.from_env().api.inspect_image("busybox:latest")["Id"]
    assert await reason(bench, image_id.removeprefix("sha256:")[:12]) == "not_found"


async def test_a_pull_tells_its_progress_and_brings_the_image(bench: Bench) -> None:
    client = docker.from_env().api
    found = await bench.engine.resolve_image(PRIVATE, ALICE)
    for name in (PRIVATE, found.pinned):
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(name)
    assert not await bench.engine.has_image(found.pinned)
    missing = await bench.engine.resolve_image(PRIVATE, ALICE)
    assert not missing.local
    steps = [step async for step in bench.engine.pull(missing, ALICE)]
    assert steps and all(0 <= step.current_bytes <= step.total_bytes or not step.total_bytes for step in steps)
    assert await bench.engine.has_image(found.pinned)


async def test_a_pull_may_be_left(bench: Bench) -> None:
    found = await bench.engine.resolve_image(PRIVATE, ALICE)
    missing = ResolvedImage(found.reference, found.pinned, False)
    pull = bench.engine.pull(missing, ALICE)
    await anext(pull)
    await pull.aclose()  # type: ignore[attr-defined]
    [step async for step in bench.engine.pull(missing, ALICE)]
    assert await bench.engine.has_image(found.pinned)


async def test_a_pull_that_fails_says_why(bench: Bench) -> None:
    gone = ResolvedImage("nope:1", "nope@sha256:" + "0" * 64, False)
    with pytest.raises(ImageRejected) as caught:
        [step async for step in bench.engine.pull(gone, None)]
    assert caught.value.details["reason"] == "not_found"
    private = ResolvedImage(PRIVATE, "127.0.0.1:5001/team/app@sha256:" + "0" * 64, False)
    with pytest.raises(ImageRejected) as caught:
        [step async for step in bench.engine.pull(private, RegistryAuth("alice", "wrong"))]
    assert caught.value.details["reason"] == "denied"
    assert "wrong" not in caught.value.message


HUB_DENIED = (
    "pull access denied for nope, repository does not exist or may require 'docker login': "
    "denied: requested access to the resource is denied"
)


@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (404, HUB_DENIED, ImageFault.DENIED),
        (500, 'Head "http://r/v2/team/app/manifests/1": no basic auth credentials', ImageFault.DENIED),
        (401, "unauthorized: authentication required", ImageFault.DENIED),
        (404, "manifest unknown: manifest unknown", ImageFault.NOT_FOUND),
        (404, "manifest for nope:1 not found: manifest unknown: manifest unknown", ImageFault.NOT_FOUND),
        (0, "no matching manifest for linux/arm64 in the manifest list entries", ImageFault.NOT_FOUND),
        (500, "dial tcp 127.0.0.1:1: connect: connection refused", ImageFault.UNREACHABLE),
        (500, "dial tcp: lookup r.invalid on 10.0.0.1:53: no such host", ImageFault.UNREACHABLE),
        (500, "net/http: request canceled (Client.Timeout exceeded while awaiting headers)", ImageFault.UNREACHABLE),
        (500, "x509: certificate signed by unknown authority", ImageFault.UNREACHABLE),
        (500, "toomanyrequests: You have reached your pull rate limit", ImageFault.UNREACHABLE),
        (400, "invalid reference format: repository name must be lowercase", ImageFault.MALFORMED),
        (403, "?", ImageFault.DENIED),
        (404, "?", ImageFault.NOT_FOUND),
        (400, "?", ImageFault.MALFORMED),
        (500, "?", ImageFault.UNREACHABLE),
    ],
)
def test_faults_are_classified_by_their_text(status: int, text: str, fault: ImageFault) -> None:
    assert classify(status, text) is fault
    error = rejected("web:1", fault, text, with_auth=False)
    assert error.details["reason"] == fault.value and "web:1" in error.message


async def test_a_silent_registry_holds_up_only_those_who_ask_it(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        asked = [asyncio.create_task(bench.engine.resolve_image(f"{address}/app{n}:1", None)) for n in range(30)]
        await asyncio.sleep(0.5)
        await bench.engine.list_containers()
        assert not any(task.done() for task in asked)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def test_a_denial_without_credentials_names_both_ways_out() -> None:
    message = rejected("nope:1", ImageFault.DENIED, HUB_DENIED, with_auth=False).message
    assert "does not exist" in message and "username and password" in message


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("busybox", "busybox:latest"),
        ("docker.io/library/busybox:1", "busybox:1"),
        ("index.docker.io/me/app", "me/app:latest"),
        ("localhost:5000/a/b_c-d.e:V1", "localhost:5000/a/b_c-d.e:V1"),
        ("a@sha256:" + "0" * 64, "a@sha256:" + "0" * 64),
        ("a:1@sha256:" + "0" * 64, "a:1@sha256:" + "0" * 64),
    ],
)
def test_references_are_read_in_their_familiar_form(text: str, parsed: str) -> None:
    assert str(Reference.parse(text)) == parsed

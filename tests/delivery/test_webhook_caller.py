"""Webhook calls to a real receiver, checked by the specification's own library."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from backend.delivery.addresses import never_reachable, not_public
from backend.delivery.webhook import HttpWebhookCaller
from backend.domain.outbox import DeliveryFailed, DeliveryRefused, TargetGone
from tests.delivery.certificates import make_certificate, serving, trusting
from tests.delivery.receiver import CLOSE, HANG, receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps({"app_name": "größer"}, ensure_ascii=False).encode()


def caller(**settings: Any) -> HttpWebhookCaller:
    return HttpWebhookCaller(SECRET, **{"allow_private": True, "call_seconds": 5.0, **settings})


async def test_the_signature_holds_by_the_specifications_own_library() -> None:
    async with receiver() as server:
        await caller(user_agent="pilothouse/1").post(server.url, "id-1", BODY)
    (call,) = server.calls
    assert Webhook(SECRET).verify(call.body, call.headers) == json.loads(BODY)
    assert call.target == "/hook?key=abc"
    assert call.headers["webhook-id"] == "id-1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["user-agent"] == "pilothouse/1"
    assert call.headers["host"] == f"127.0.0.1:{server.port}"


async def test_https_is_checked_by_name_and_certificate(tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with receiver(serving(file)) as server:
        address = f"https://localhost:{server.port}/hook"
        with pytest.raises(DeliveryFailed, match="certificate"):
            await caller().post(address, "id-1", BODY)
        await caller(context=trusting(file)).post(address, "id-1", BODY)
    async with receiver(serving(file), host="127.0.0.2") as misnamed:
        with pytest.raises(DeliveryFailed, match="mismatch"):
            await caller(context=trusting(file)).post(f"https://127.0.0.2:{misnamed.port}/", "id-1", BODY)
    assert (len(server.calls), misnamed.calls) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_failures_and_are_not_followed(status: int) -> None:
    async with receiver() as elsewhere, receiver() as server:
        server.answers.append(
            b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, elsewhere.url.encode())
        )
        with pytest.raises(DeliveryFailed, match="redirects are not followed"):
            await caller().post(server.url, "id-1", BODY)
    assert (len(server.calls), elsewhere.calls) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_other_answers_are_failures_for_now(status: int) -> None:
    async with receiver() as server:
        server.answers.append(status)
        with pytest.raises(DeliveryFailed, match=str(status)):
            await caller().post(server.url, "id-1", BODY)


async def test_gone_is_for_good() -> None:
    async with receiver() as server:
        server.answers.append(410)
        with pytest.raises(TargetGone):
            await caller().post(server.url, "id-1", BODY)


@pytest.mark.parametrize(("value", "wish"), [(b"120", 120.0), (b"soon", None), (b"-5", None), (b"9" * 40, None)])
async def test_a_wish_for_later_is_passed_on(value: bytes, wish: float | None) -> None:
    async with receiver() as server:
        server.answers.append(b"HTTP/1.1 503 No\r\nRetry-After: " + value + b"\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(DeliveryFailed) as caught:
            await caller().post(server.url, "id-1", BODY)
    assert caught.value.retry_after == wish


async def test_a_receiver_that_hangs_closes_or_talks_nonsense_is_a_failure() -> None:
    async with receiver() as server:
        server.answers += [HANG, CLOSE, b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000]
        with pytest.raises(DeliveryFailed, match=r"within 0\.3 s"):
            await caller(call_seconds=0.3).post(server.url, "id-1", BODY)
        for _ in range(3):
            with pytest.raises(DeliveryFailed, match="no answer"):
                await caller().post(server.url, "id-1", BODY)
    with pytest.raises(DeliveryFailed, match="no answer"):
        await caller().post(server.url, "id-1", BODY)


async def test_an_answer_without_end_is_success_and_not_read() -> None:
    async with receiver() as server:
        server.answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 100_000)
        await caller().post(server.url, "id-1", BODY)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1"]
)
async def test_this_machine_is_not_called_unless_allowed(host: str) -> None:
    async with receiver() as server:
        address = f"http://{host}:{server.port}/"
        strict = caller(allow_private=False)
        with pytest.raises(DeliveryRefused):
            await strict.post(address, "id-1", BODY)
        assert await strict.refusal(address)
    assert server.calls == []


async def test_a_name_is_resolved_once_and_that_address_is_called() -> None:
    """A resolver that gives another address at the second question, as in a rebinding attack."""
    async with receiver() as server:
        loop = asyncio.get_running_loop()
        questions: list[str] = []

        async def resolver(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
            questions.append(host)
            address = "127.0.0.1" if len(questions) == 1 else "127.0.0.9"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        asked: Callable[..., Any] = loop.getaddrinfo
        loop.getaddrinfo = resolver  # type: ignore[method-assign, assignment]
        try:
            await caller().post(f"http://hooks.example:{server.port}/", "id-1", BODY)
        finally:
            loop.getaddrinfo = asked  # type: ignore[method-assign]
    assert questions == ["hooks.example"]
    assert server.calls[0].headers["host"] == f"hooks.example:{server.port}"


async def test_a_name_that_does_not_resolve_may_later() -> None:
    with pytest.raises(DeliveryFailed, match="does not resolve"):
        await caller().post("http://no-such-host.invalid/", "id-1", BODY)
    assert await caller().refusal("http://no-such-host.invalid/") is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "168.63.129.16", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd00:ec2::254",
        "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
        "64:ff9b:1::1", "::ffff:0:7f00:1", "::7f00:1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert not_public(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"])
def test_addresses_that_are_nobodys(address: str) -> None:
    assert never_reachable(ipaddress.ip_address(address))

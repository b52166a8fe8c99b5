"""Webhook calls as the Standard Webhooks specification has them: signed, without redirects, and only to addresses that
were looked at.

A name is resolved once, and the connection goes to an address of that answer; who answers differently a moment later
gains nothing.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore

from backend.delivery.addresses import never_reachable, not_public
from backend.domain.outbox import DeliveryFailed, DeliveryRefused, TargetGone

SECRET_PREFIX = "whsec_"
CALL_SECONDS = 15.0
_GONE = 410


def signing_key(secret: str) -> bytes:
    """The bytes of a secret `whsec_<base64>`. Raises ValueError."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header webhook-signature."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class HttpWebhookCaller:
    """Calls out. `allow_private` lets it reach this machine and its networks."""

    def __init__(
        self,
        secret: str,
        *,
        allow_private: bool = False,
        user_agent: str = "pilothouse",
        context: ssl.SSLContext | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        """`context` decides which certificates are trusted; the system's store by default. Raises ValueError where
        the secret is none."""
        self._key = signing_key(secret)
        self._user_agent = user_agent
        self._call_seconds = call_seconds
        self._network = _CheckedNetwork(allow_private)
        self._context = context or ssl.create_default_context()

    async def refusal(self, url: str) -> str | None:
        """Why calls to this address are refused; None where they are not, or where its name does not resolve now."""
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self._call_seconds):
                await self._network.addresses(parts.hostname or "", parts.port or 443)
        except DeliveryRefused as error:
            return error.message
        except (DeliveryFailed, TimeoutError):
            return None
        return None

    async def post(self, url: str, message_id: str, body: bytes) -> None:
        """Answers of 200 to 299 are success. The answer's body is not read. Raises TargetGone at 410, DeliveryRefused
        for an address that may not be called, else DeliveryFailed."""
        timestamp = int(time.time())
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._key, message_id, timestamp, body),
        }
        try:
            async with (
                asyncio.timeout(self._call_seconds),
                # No connection is kept: each is made to an address that was looked at just before.
                httpcore.AsyncConnectionPool(
                    ssl_context=self._context, max_keepalive_connections=0, network_backend=self._network
                ) as pool,
                pool.stream("POST", url, headers=headers, content=body) as answer,
            ):
                status = answer.status
                wish = _retry_after(answer.headers)
        except TimeoutError as error:
            raise DeliveryFailed(f"no answer within {self._call_seconds:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise DeliveryFailed(f"no answer: {error or type(error).__name__}") from error
        except httpcore.UnsupportedProtocol as error:
            raise DeliveryRefused("only http:// and https:// addresses are called") from error
        if 200 <= status <= 299:
            return
        if status == _GONE:
            raise TargetGone("the receiver answered 410 Gone: it wants no more calls")
        if 300 <= status <= 399:
            raise DeliveryFailed(f"the receiver answered {status}: redirects are not followed")
        raise DeliveryFailed(f"the receiver answered {status}", retry_after=wish)


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """The header's seconds; its other form, a date, is left to our own back-off."""
    for name, value in headers:
        if name.lower() == b"retry-after" and re.fullmatch(rb"\d{1,6}", value.strip()):
            return float(value)
    return None


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name, looks at its addresses and connects to one of them. TLS and the Host header still go by the
    name."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self.addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or DeliveryFailed(f"{host} has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise DeliveryRefused("webhooks do not go to unix sockets")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Every address of a host. Raises DeliveryFailed where it has none now, DeliveryRefused where one of them may
        not be called: a name that mixes them is up to no good."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DeliveryFailed(f"{host} does not resolve: {error}") from error
        numbers = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        for number in numbers:
            address = ipaddress.ip_address(number)
            name = number if number == host else f"{host} ({number})"
            if why := never_reachable(address):
                raise DeliveryRefused(f"{name} {why}")
            if not self._allow_private and (why := not_public(address)):
                raise DeliveryRefused(f"{name} {why}: if it is meant, allow it with the setting webhook_allow_private")
        return numbers

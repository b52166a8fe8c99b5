"""Caddy's admin API over its unix socket."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

import httpx

from backend.domain.errors import Unavailable

_TIMEOUT_SECONDS = 30.0
_PROMPT_SECONDS = 2.0


class AdminApi:
    """One process's admin API. Every method raises Unavailable where it does not answer."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        # A config load replaces Caddy's admin server too: each request takes a connection of its own.
        # Without TLS there is nothing to verify, and reading all authorities for it would cost the start some 20 ms.
        transport = httpx.AsyncHTTPTransport(
            uds=str(socket_path), verify=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._http = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=_TIMEOUT_SECONDS)

    async def config(self) -> dict[str, Any]:
        """The config as it is loaded."""
        loaded = await self._request("GET", "/config/")
        return loaded if isinstance(loaded, dict) else {}

    async def load(self, config: bytes) -> None:
        """Replace the config whole. A config that Caddy refuses leaves the old one in force and raises Unavailable."""
        await self._request("POST", "/load", content=config)

    async def in_flight(self) -> dict[str, int]:
        """Requests at each upstream address that has any."""
        listed = await self._request("GET", "/reverse_proxy/upstreams")
        return {one["address"]: one["num_requests"] for one in listed or [] if one["num_requests"] > 0}

    async def answers(self) -> bool:
        """Whether the API answers promptly."""
        try:
            response = await self._http.get("/config/admin/listen", timeout=_PROMPT_SECONDS)
        except httpx.HTTPError:
            return False
        return response.is_success

    async def shut_down(self) -> None:
        """Ask the process to finish what it has begun, and exit."""
        await self._request("POST", "/stop")

    async def close(self) -> None:
        """Let go of the client."""
        await self._http.aclose()

    def owner_pid(self) -> int | None:
        """The process that listens at the socket, if it runs as this user; None where none does, or where the system
        does not tell."""
        option = getattr(socket, "SO_PEERCRED", None)
        if option is None:
            return None
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PROMPT_SECONDS)
            try:
                probe.connect(str(self._socket_path))
            except OSError:
                return None
            pid, uid, _ = struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
        return pid if uid == os.getuid() else None

    async def _request(self, method: str, path: str, *, content: bytes | None = None) -> Any:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            response = await self._http.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"the ingress does not answer: {type(error).__name__} {error}".rstrip()) from error
        if response.is_error:
            raise Unavailable(f"the ingress refused {method} {path}: {_reason(response)}")
        try:
            return response.json() if response.content else None
        except ValueError as error:
            raise Unavailable(f"the ingress answers {method} {path} with no JSON") from error


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return response.text[:500] or f"status {response.status_code}"

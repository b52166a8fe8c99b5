"""Sockets whose clients go away while they are sent to."""

from __future__ import annotations

import asyncio
import logging

import pytest
from litestar.exceptions import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from backend.surfaces.sockets import NORMAL, Socket, SocketEnd, close, ignore_input, run_socket, send_bytes, send_text


def _gone_socket() -> Socket:
    async def send(message: object) -> None:
        raise ClientDisconnected

    async def receive() -> object:
        return await asyncio.Event().wait()

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "state": {}}
    return Socket(scope, receive, send)  # type: ignore[arg-type]


async def test_a_client_that_is_gone_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    socket = _gone_socket()
    with pytest.raises(WebSocketDisconnect):
        await send_bytes(socket, b"x")
    with caplog.at_level(logging.INFO):
        await run_socket(socket, send_text(socket, "x"), ignore_input(socket))
        await close(socket, SocketEnd(NORMAL, ""))
    assert caplog.text == ""

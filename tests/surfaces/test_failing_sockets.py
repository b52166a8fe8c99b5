"""Sockets whose handlers fail: the log says why, unless it is the client's own doing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from litestar import WebSocket, websocket
from litestar.exceptions import InternalServerException, NotAuthorizedException, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from backend.domain.errors import NotFound
from backend.surfaces.application import application
from backend.surfaces.container_engine import errors as container_engine
from backend.surfaces.container_engine_snake import errors as container_engine_snake
from backend.surfaces.devpocket import errors as devpocket
from backend.surfaces.failures import Failures
from backend.surfaces.pilothouse import errors as pilothouse
from backend.surfaces.sockets import accept, refuse

ALL = [surface.FAILURES for surface in (container_engine, container_engine_snake, devpocket, pilothouse)]


async def _open(
    failures: Failures, error: Exception | None, *, accepted: bool = False, gone: bool = False
) -> list[Any]:
    """What is sent for a socket whose handler raises this, or refuses where there is none."""
    sent: list[Any] = []

    @websocket("/v1/failing")
    async def failing(socket: WebSocket[Any, Any, Any]) -> None:
        if accepted:
            await accept(socket)
        if error is None:
            await refuse(socket, 404, b"{}", {})
        else:
            raise error

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        if gone:
            raise ClientDisconnected
        sent.append(message)

    scope: Any = {
        "type": "websocket", "path": "/v1/failing", "headers": [], "query_string": b"token=hidden", "root_path": "",
        "extensions": {}, "state": {}, "client": None, "server": None, "scheme": "ws", "subprotocols": [],
    }  # fmt: skip
    await application([failing], failures)(scope, receive, send)
    return sent


@pytest.mark.parametrize("failures", ALL)
@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("error", [ValueError("a fault of ours"), InternalServerException("a fault of ours")])
async def test_what_nobody_expects_is_in_the_log(
    caplog: pytest.LogCaptureFixture, failures: Failures, error: Exception, accepted: bool
) -> None:
    sent = await _open(failures, error, accepted=accepted)
    if accepted:
        assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", 4500)
    else:
        assert [message.get("status") for message in sent] == [500, None]
    assert "socket /v1/failing failed" in caplog.text
    assert "Traceback" in caplog.text
    assert "a fault of ours" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(
    "error", [NotFound("it is not there"), NotAuthorizedException(), WebSocketDisconnect(detail="gone")]
)
async def test_what_is_expected_is_not(caplog: pytest.LogCaptureFixture, error: Exception, accepted: bool) -> None:
    with caplog.at_level(logging.INFO):
        await _open(pilothouse.FAILURES, error, accepted=accepted)
    assert caplog.text == ""


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_client_that_goes_away_within_the_handshake(caplog: pytest.LogCaptureFixture, accepted: bool) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(ClientDisconnected):
        await _open(pilothouse.FAILURES, None, accepted=accepted, gone=True)
    assert caplog.text == ""


async def test_a_handshake_is_refused_with_an_answer() -> None:
    start, rest = await _open(pilothouse.FAILURES, None)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)
    assert dict(start["headers"]) == {b"content-type": b"application/json", b"content-length": b"2"}
    assert rest["body"] == b"{}"

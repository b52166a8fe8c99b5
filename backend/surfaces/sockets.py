"""What every socket does alike: refuse the handshake with an HTTP answer, and end with a code and a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from backend.domain.errors import DomainError, NotFound, TooMany, Unauthorized, Unavailable
from backend.services.event_bus import Lagged
from backend.surfaces.refusals import answer_handshake

if TYPE_CHECKING:
    from litestar.types.asgi_types import WebSocketSendEvent

    from backend.domain.accounts import Principal
    from backend.services.accounts import AccountService

log = logging.getLogger(__name__)

Socket = WebSocket[Any, Any, Any]

NORMAL = 1000
POLICY = 1008  # the credential does not hold any more
FAILED = 1011
TRY_LATER = 1013  # the client reads too slowly, or a part that is needed is down
RECHECK_SECONDS = 15.0
_LEAST_CHECK_SECONDS = 1.0
CLOSE_SECONDS = 30.0
LAST_WORDS_SECONDS = 5.0  # for a client that reads slowly; one that does not read hears nothing
MAX_REASON_BYTES = 123


class SocketEnd(Exception):
    """Raised by a part of a socket's work to close it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def accept(socket: Socket) -> None:
    """Raises WebSocketDisconnect."""
    with _noticing_departure():
        await socket.accept()


async def refuse(socket: Socket, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Answer the handshake with HTTP instead of accepting it. Raises WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.connect":
        with _noticing_departure():
            await answer_handshake(socket.send, (status, body, headers))


async def run_socket(
    socket: Socket, *parts: Coroutine[Any, Any, None], last_words: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Run the parts of an accepted socket's work side by side until the first ends; then close with what it says.
    `last_words` may send something more before the close, once nothing else is done for the client any more."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(task for task in tasks if task.done())
        end = end_of(ended)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if end is not None:
        if last_words is not None:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await last_words()
        await close(socket, end)


async def close(socket: Socket, end: SocketEnd) -> None:
    """Close with a code and as much of the reason as a frame holds. Nothing where the other side is gone; one that
    reads nothing is let go after a while without a word."""
    reason = end.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code=end.code, reason=reason)
    except TimeoutError:
        log.info("a client reads nothing: its socket ends without a close frame")
    except (WebSocketDisconnect, RuntimeError, OSError):
        log.debug("a socket was gone before it could be closed")


def end_of(task: asyncio.Future[None]) -> SocketEnd | None:
    """How the socket closes after this part of its work; None where the other side closed it."""
    error = task.exception()
    if error is None:
        return SocketEnd(NORMAL, "")
    if isinstance(error, WebSocketDisconnect):
        return None
    if isinstance(error, SocketEnd):
        return error
    if isinstance(error, Unauthorized):
        return SocketEnd(POLICY, error.message)
    if isinstance(error, NotFound):
        return SocketEnd(NORMAL, error.message)
    if isinstance(error, Unavailable | TooMany | Lagged):
        return SocketEnd(TRY_LATER, error.message)
    if isinstance(error, DomainError):
        return SocketEnd(FAILED, error.message)
    log.error("a socket's work failed", exc_info=error)
    return SocketEnd(FAILED, "Something went wrong on the server; its log says what")


async def watch_credential(accounts: AccountService, credential: str, who: Principal) -> None:
    """Raises Unauthorized once the credential is expired or revoked: at once where it ran out or this process ended it,
    soon where another did. A storage that is down decides nothing."""
    while True:
        await _watch_once(accounts, who, lambda: accounts.authenticate(credential), who.expires_at)


async def watch_session(accounts: AccountService, credential: str, who: Principal) -> None:
    """Likewise, but an access token that runs out is no matter while its session lives: for sockets that people work
    at for longer than the hour of a token."""
    expires_at = who.expires_at if who.session_id is None else None
    while True:
        await _watch_once(accounts, who, lambda: accounts.authenticate_again(who, credential), expires_at)


async def _watch_once(
    accounts: AccountService, who: Principal, check: Callable[[], Awaitable[object]], expires_at: datetime | None
) -> None:
    notice = accounts.revocations.notice(who.user.id)
    left = _seconds_until(expires_at)
    try:
        async with asyncio.timeout(None if left is None else max(left, _LEAST_CHECK_SECONDS)):
            await check()
    except (Unavailable, TimeoutError):
        left = _seconds_until(expires_at)
        if left is not None and left <= 0:
            raise Unauthorized("the credential has expired: renew it or log in again") from None
        log.debug("a socket's credential could not be checked: storage does not answer")
    left = _seconds_until(expires_at)
    with suppress(TimeoutError):
        async with asyncio.timeout(RECHECK_SECONDS if left is None else min(RECHECK_SECONDS, max(left, 0))):
            await notice.wait()


def _seconds_until(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - datetime.now(UTC)).total_seconds()


async def ignore_input(socket: Socket) -> None:
    """Read what a client of a one-way socket sends, so that its going away is noticed. Raises WebSocketDisconnect."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(detail="the client went away")


async def send_text(socket: Socket, text: str) -> None:
    """Waits while the client does not read. Raises WebSocketDisconnect."""
    await _send(socket, {"type": "websocket.send", "text": text, "bytes": None})


async def send_bytes(socket: Socket, data: bytes) -> None:
    """Likewise."""
    await _send(socket, {"type": "websocket.send", "bytes": data, "text": None})


async def _send(socket: Socket, message: WebSocketSendEvent) -> None:
    with _noticing_departure():
        await socket.send(message)


@contextmanager
def _noticing_departure() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # what ASGI has servers raise once the client is gone
        raise WebSocketDisconnect(detail="the client went away") from error

"""What both sockets do alike: let a user in, tell what is wrong, and close with a code that says why."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from litestar.exceptions import WebSocketDisconnect
from pydantic import BaseModel, TypeAdapter, ValidationError

from backend.domain.errors import DomainError, Unauthorized, Unavailable
from backend.surfaces.credentials import credential_of
from backend.surfaces.devpocket.errors import FAILURES
from backend.surfaces.services import Services
from backend.surfaces.sockets import (
    FAILED,
    POLICY,
    TRY_LATER,
    Socket,
    SocketEnd,
    accept,
    close,
    run_socket,
    send_text,
    watch_credential,
)
from backend.wire.devpocket_environments import ErrorFrame

if TYPE_CHECKING:
    from backend.domain.accounts import Principal

log = logging.getLogger(__name__)

TOO_LARGE = 1009
MAX_MESSAGE_BYTES = 256 * 1024
# A fault that an operation answers with a status closes a socket with this more: 4404 for what is not there.
APPLICATION = 4000


async def serve(socket: Socket, services: Services, work: Callable[[Principal, str], Awaitable[None]]) -> None:
    """Accept the socket, since one that is refused cannot tell a page why; then `work` with the user and its
    credential, while one of the user's places is held."""
    try:
        await accept(socket)
        credential = credential_of(socket, allow_query=True)
        who = await services.accounts.authenticate(credential)
        with services.socket_slots.hold(who.user.id):
            await work(who, credential)
    except DomainError as error:
        await turn_away(socket, error)
    except WebSocketDisconnect:
        log.debug("the client of a socket went away at once")


async def run(
    socket: Socket, services: Services, who: Principal, credential: str, *parts: Coroutine[Any, Any, None]
) -> None:
    """The parts side by side until one ends, or the credential does not hold any more; what is wrong is told in a frame
    before the close."""
    faults: list[DomainError] = []

    async def noting(part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except DomainError as error:
            faults.append(error)
            raise end_of(error) from error

    async def tell_fault() -> None:
        if faults:
            await tell(socket, ErrorFrame(message=faults[0].message))

    watching = watch_credential(services.accounts, credential, who)
    await run_socket(socket, *(noting(part) for part in (*parts, watching)), last_words=tell_fault)


async def turn_away(socket: Socket, error: DomainError) -> None:
    """Tell what is wrong, and close."""
    try:
        await tell(socket, ErrorFrame(message=error.message))
    except (WebSocketDisconnect, RuntimeError):
        log.debug("a client went away before it was told what is wrong")
    await close(socket, end_of(error))


def end_of(error: DomainError) -> SocketEnd:
    """The close that says it."""
    if isinstance(error, Unauthorized):
        return SocketEnd(POLICY, error.message)
    if isinstance(error, Unavailable):
        return SocketEnd(TRY_LATER, error.message)
    status = FAILURES.status(error)
    return SocketEnd(FAILED if status >= 500 else APPLICATION + status, error.message)


async def messages(socket: Socket, kinds: TypeAdapter[Any], known: str, take: Callable[[Any], Awaitable[None]]) -> None:
    """Hand each message to `take`, until the client goes. One that is wrong is answered with an error, and the socket
    goes on; `known` names the types that there are."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(detail="the client went away")
        if message["type"] != "websocket.receive":
            continue
        raw = message.get("text") or message.get("bytes") or b""
        if len(raw) > MAX_MESSAGE_BYTES:
            raise SocketEnd(TOO_LARGE, f"a message may have {MAX_MESSAGE_BYTES} bytes, not {len(raw)}")
        try:
            found = kinds.validate_json(raw)
        except ValidationError as error:
            await tell(socket, ErrorFrame(message=fault_of(error, known)))
            continue
        try:
            await take(found)
        except Unavailable:
            raise
        except DomainError as error:
            await tell(socket, ErrorFrame(message=error.message))


async def tell(socket: Socket, frame: BaseModel) -> None:
    """One frame. Waits while the client does not read."""
    await send_text(socket, frame.model_dump_json())


def fault_of(error: ValidationError, known: str) -> str:
    """What is wrong with a message, in words; `known` names the types that there are."""
    fault = error.errors(include_url=False, include_input=False)[0]
    if fault["type"] == "json_invalid":
        return "the message is no JSON"
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found", "literal_error"):
        return f"the message's type is not known: there is {known}"
    if fault["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "the message must be a JSON object"
    field = ".".join(str(part) for part in fault["loc"][1:] or fault["loc"])
    return f"{field}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"

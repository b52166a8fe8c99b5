"""Sockets that tell a client what happens to its deployments, in the form of either container-engine document."""

from __future__ import annotations

from collections.abc import Callable

from backend.domain.errors import DomainError
from backend.services.notifications import Listener, Notification
from backend.surfaces.credentials import credential_of
from backend.surfaces.failures import Failures
from backend.surfaces.services import Services
from backend.surfaces.sockets import Socket, accept, ignore_input, refuse, run_socket, send_text, watch_credential


async def serve_events(
    socket: Socket, services: Services, failures: Failures, render: Callable[[Notification], str]
) -> None:
    """`render` makes a frame's text; it is called once for all clients."""
    try:
        credential = credential_of(socket, allow_query=True)
        who = await services.accounts.authenticate(credential)
    except DomainError as error:
        await refuse(socket, *failures.answer(error))
        return
    # Listening before the handshake is answered: a client misses nothing from then on.
    with services.notifications.listen(who) as listener:
        await accept(socket)
        await run_socket(
            socket,
            _send(socket, listener, render),
            listener.until_dropped(),
            ignore_input(socket),
            watch_credential(services.accounts, credential, who),
        )


async def _send(socket: Socket, listener: Listener, render: Callable[[Notification], str]) -> None:
    async for notification in listener:
        await send_text(socket, notification.text(render))
        listener.sent(notification)

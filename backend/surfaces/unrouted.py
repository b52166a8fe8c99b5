"""What the framework answers by itself, in the words of a surface: sockets where there are none, and OPTIONS."""

from __future__ import annotations

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import Message, Receive, Scope, Send

from backend.surfaces.failures import Failures
from backend.surfaces.refusals import answer_handshake
from backend.surfaces.responses import shown_path


class Unrouted:
    """A surface's application. The handshake of a socket at a path without one gets a 404 with a body, and OPTIONS
    names every method of the path: the framework knows only those of the handler that came first."""

    def __init__(self, app: Litestar, failures: Failures) -> None:
        self._app = app
        self._failures = failures
        self._methods: dict[str, bytes] = {
            route.path_format: ", ".join(sorted(route.methods)).encode()
            for route in app.routes
            if isinstance(route, HTTPRoute)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, self._refusing(scope, send))
        elif scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS":
            await self._app(scope, receive, self._naming_methods(scope, send))
        else:
            await self._app(scope, receive, send)

    def _refusing(self, scope: Scope, send: Send) -> Send:
        begun = False

        async def refusing(message: Message) -> None:
            nonlocal begun
            if begun or message["type"] != "websocket.close":
                begun = True
                await send(message)
                return
            # Closed before it was accepted, which no handler of ours does.
            found = "route_handler" in scope
            status = 500 if found else 404
            words = "The socket cannot be opened" if found else f"There is no socket at {shown_path(scope['path'])}"
            await answer_handshake(send, (status, self._failures.body(status, words), {}))

        return refusing

    def _naming_methods(self, scope: Scope, send: Send) -> Send:
        async def naming(message: Message) -> None:
            methods = self._methods.get(scope.get("path_template", ""))
            if message["type"] == "http.response.start" and message["status"] == 204 and methods:
                others = [(name, value) for name, value in message["headers"] if name != b"allow"]
                message["headers"] = [*others, (b"allow", methods)]
            await send(message)

        return naming

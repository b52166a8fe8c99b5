"""Logins at remote backends: asked for at the start, and again where one has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from tui.client.connection import Backend


class Logins:
    """At most one login screen at a time."""

    def __init__(self, app: App[Any], forget: Callable[[], None]) -> None:
        """`forget` is called when a user logs out."""
        self._app = app
        self._forget = forget
        self._asking = False

    async def log_in(self, backend: Backend) -> bool:
        """Asks for a login, in a worker; False where the user left."""
        from tui.screens.login import NOT_KEPT, LoginScreen

        self._asking = True
        try:
            place = await self._app.push_screen_wait(LoginScreen(backend.session))
        finally:
            self._asking = False
        if place == NOT_KEPT:
            self._app.notify("The login can be kept nowhere: it lasts until you leave", severity="warning", timeout=8)
        elif place:
            self._app.notify(f"Logged in; kept in {place}", timeout=4, markup=False)
        return bool(place)

    def ask_where_needed(self, backend: Backend) -> None:
        """The login may have ended while the app was running."""
        if backend.session.needs_login and not self._asking:
            self._app.run_worker(self._log_in_again(backend), group="log-in")

    async def _log_in_again(self, backend: Backend) -> None:
        if not self._asking and await self.log_in(backend):
            backend.live.reconnect()

    def log_out(self, backend: Backend | None) -> None:
        """Ends the login at a remote backend, and asks for another one."""
        if backend is None or not backend.session.by_login:
            self._app.notify("There is no login here that could be ended", timeout=4)
            return
        self._app.run_worker(self._log_out(backend), group="log-out", exclusive=True)

    async def _log_out(self, backend: Backend) -> None:
        from tui.client.errors import ClientError

        try:
            await backend.session.log_out()
        except ClientError as error:
            self._app.notify(error.message, title="Logged out only here", severity="warning", timeout=8, markup=False)
        else:
            self._app.notify("You are logged out", timeout=4)
        self._forget()
        backend.forget_user()
        self.ask_where_needed(backend)

"""Logging in at a remote backend, or registering there where that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.binding import Binding

from tui.presentation.account import PASSWORD_WIRE_NAMES, check_repeated, login_fields, register_fields
from tui.screens.form_dialog import FormDialog, FormPlan

if TYPE_CHECKING:
    from tui.client.session import Session

NOT_KEPT = "memory"


class LoginScreen(FormDialog):
    """Dismisses with where the login is kept (`memory`: until the app ends), with None where the user left."""

    BINDINGS = [Binding("ctrl+n", "register", "New account", show=False, priority=True)]

    def __init__(self, session: Session) -> None:
        async def send(values: dict[str, Any]) -> str:
            return await session.log_in(values["email"], values["password"]) or NOT_KEPT

        note = f"{session.endpoint.url}\nNo account there? ctrl+n makes one, where that is open or you are invited."
        if session.endpoint.is_open_to_readers:
            note += "\n⚠ This is http, not https: your password can be read on the way."
        plan = FormPlan(
            f"Log in at {session.endpoint.label}",
            login_fields(session.email),
            "Log in",
            note=note,
            at_status={404: "email", 401: "password"},
        )
        super().__init__(plan, send)
        self._session = session

    def on_mount(self) -> None:
        box = self.query_one("#form-box")
        box.border_subtitle = "[@click=screen.register]ctrl+n new account[/]"
        if self._session.email:
            self.form.rows["password"].input.focus()
        else:
            self.form.focus_first()

    def action_register(self) -> None:
        def registered(place: str | None) -> None:
            if place:
                self.dismiss(place)

        self.app.push_screen(RegisterScreen(self._session), registered)


class RegisterScreen(FormDialog):
    """Dismisses as the login does."""

    def __init__(self, session: Session) -> None:
        async def send(values: dict[str, Any]) -> str:
            return await session.register(**values) or NOT_KEPT

        plan = FormPlan(
            f"New account at {session.endpoint.label}",
            register_fields(),
            "Register",
            check=check_repeated,
            wire_names=PASSWORD_WIRE_NAMES,
            at_status={403: "invitation"},
        )
        super().__init__(plan, send)

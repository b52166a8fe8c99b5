"""The account: profile, password, API keys; and the login, where there is one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.panels.styled import styled
from tui.presentation.account import (
    NEVER,
    PASSWORD_WIRE_NAMES,
    KeyRow,
    check_repeated,
    key_columns,
    key_fields,
    key_row,
    password_fields,
    profile_fields,
    profile_lines,
)
from tui.presentation.faults import sentence
from tui.screens.form_dialog import FormDialog, FormPlan
from widgets.confirm import Confirmation, ConfirmDialog
from widgets.key_hints import KeyHint, KeyHints
from widgets.resource_table import ResourceTable, Row

if TYPE_CHECKING:
    from backend.wire.container_engine import ApiKeyCreateResponse, ApiKeyResponse, ProfileResponse
    from tui.app import PilothouseApp
    from tui.client.connection import Backend

NO_KEYS = "No API keys.\n\nPress n to make one for a program or a pipeline."


class AccountScreen(ModalScreen[None]):
    """What the backend knows of the caller; each change is a dialog over it."""

    CSS_PATH = "account.tcss"
    BINDINGS = [
        Binding("e", "edit_profile", "Edit", show=False),
        Binding("p", "change_password", "Password", show=False),
        Binding("n", "new_key", "New key", show=False),
        Binding("D,d,delete", "revoke_key", "Revoke", show=False),
        Binding("r,ctrl+r", "fetch", "Refresh", show=False),
        Binding("L", "log_out", "Log out", show=False),
        Binding("escape,q,A", "dismiss", "Close", show=False),
        Binding("ctrl+q", "app.quit", "Quit", show=False),
    ]
    AUTO_FOCUS = "#keys"

    app: PilothouseApp

    def __init__(self, backend: Backend) -> None:
        super().__init__(classes="dialog")
        self._backend = backend
        self._profile: ProfileResponse | None = None
        self._keys: dict[str, ApiKeyResponse] = {}
        self._text = Static("Asking the backend", id="profile")
        self._table: ResourceTable[KeyRow] = ResourceTable(
            key_columns(), sort_column="created", empty_text=NO_KEYS, id="keys"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="account-box", classes="panel") as box:
            box.border_title = "Account"
            box.border_subtitle = "[@click=screen.dismiss]Esc close[/]"
            yield self._text
            yield Static("API keys", id="keys-title")
            yield self._table
            yield KeyHints(self._hints(), id="account-hints")

    def _hints(self) -> list[KeyHint]:
        hints = [
            KeyHint("e", "Edit"),
            KeyHint("p", "Password"),
            KeyHint("n", "New key"),
            KeyHint("D", "Revoke key"),
            *([KeyHint("L", "Log out")] if self._backend.session.by_login else []),
        ]
        return [*hints, KeyHint("Esc", "Close", keep=True)]

    def on_mount(self) -> None:
        self.action_fetch()

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        actions = {
            "e": "edit_profile",
            "p": "change_password",
            "n": "new_key",
            "D": "revoke_key",
            "L": "log_out",
            "Esc": "dismiss",
        }
        await self.run_action(actions[event.key])

    # --- what is shown ------------------------------------------------------------------------------------

    def action_fetch(self) -> None:
        self.run_worker(self._fetch(), group="fetch", exclusive=True)

    async def _fetch(self) -> None:
        from tui.client.errors import ClientError

        try:
            self._profile = await self._backend.account.profile()
            keys = await self._backend.account.api_keys()
        except ClientError as error:
            words = sentence(error.message, getattr(error, "status", None))
            self._text.update(styled(self, [[("✖ ", "status-failed"), (words, "")], [("r asks again", "muted")]]))
            return
        now = datetime.now(UTC)
        self._keys = {key.id: key for key in keys}
        self._text.update(styled(self, profile_lines(self._profile, self._where(), now)))
        self._table.update_rows([Row(key.id, key_row(key, now)) for key in keys])
        self.query_one("#keys-title", Static).update(f"API keys ({len(keys)})")

    def _where(self) -> str:
        session = self._backend.session
        if session.endpoint.is_local:
            return "on this machine; the operating system says who you are"
        how = "with a login" if session.by_login else "with the key in PILOTHOUSE_API_KEY"
        return f"{session.endpoint.label}, {how}"

    # --- profile and password ----------------------------------------------------------------------------

    def action_edit_profile(self) -> None:
        profile = self._profile
        if profile is None:
            return

        async def send(values: dict[str, Any]) -> str:
            changed = {
                name: values[name]
                for name, old in (("username", profile.username), ("email", profile.email))
                if values[name] != old
            }
            if not changed:
                return "Nothing was changed"
            await self._backend.account.update_profile(**changed)
            return "The profile is changed"

        self._ask(FormPlan("Edit the profile", profile_fields(profile), "Save"), send)

    def action_change_password(self) -> None:
        async def send(values: dict[str, Any]) -> str:
            await self._backend.account.change_password(values["current"], values["password"], values["again"])
            return "The password is changed; other logins have ended"

        email = self._profile.email if self._profile else "your e-mail address"
        note = f"With a password you can log in from other machines, as {email}."
        plan = FormPlan(
            "Password",
            password_fields(),
            "Change",
            note=note,
            check=check_repeated,
            wire_names=PASSWORD_WIRE_NAMES,
        )
        self._ask(plan, send)

    def _ask(self, plan: FormPlan, send: Any) -> None:
        def done(said: str | None) -> None:
            if said:
                self.notify(said, timeout=3, markup=False)
                self.action_fetch()

        self.app.push_screen(FormDialog(plan, send), done)

    # --- API keys ----------------------------------------------------------------------------------------

    def action_new_key(self) -> None:
        async def send(values: dict[str, Any]) -> ApiKeyCreateResponse:
            days = values["expires"]
            expires = None if days == NEVER else (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
            return await self._backend.account.create_api_key(values["name"], values["description"], expires)

        plan = FormPlan(
            "New API key",
            key_fields(),
            "Make",
            wire_names={"expires_at": "expires", "expiresAt": "expires"},
        )
        self.app.push_screen(FormDialog(plan, send), self._key_made)

    def _key_made(self, made: ApiKeyCreateResponse | None) -> None:
        if made is None:
            return
        from tui.screens.new_key import NewKeyScreen

        self.app.push_screen(NewKeyScreen(made.name, made.api_key))
        self.action_fetch()

    def action_revoke_key(self) -> None:
        key = self._keys.get(self._table.selected_key or "")
        if key is None:
            self.notify("There is no API key to revoke", timeout=3)
            return
        used = "It was never used" if key.last_used is None else "Programs that use it are refused at once"
        question = Confirmation(
            f"Revoke the API key {key.name}?", (used, "This cannot be undone"), confirm_label="Revoke"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._revoke(key.id, key.name))

        self.app.push_screen(ConfirmDialog(question), answered)

    async def _revoke(self, key_id: str, name: str) -> None:
        from tui.client.errors import ClientError

        try:
            await self._backend.account.revoke_api_key(key_id)
        except ClientError as error:
            words = sentence(error.message, getattr(error, "status", None))
            self.notify(words, title=f"{name} was not revoked", severity="error", timeout=10, markup=False)
        else:
            self.notify(f"The API key {name} is revoked", timeout=3, markup=False)
        self.action_fetch()

    # --- the login ---------------------------------------------------------------------------------------

    def action_log_out(self) -> None:
        self.dismiss()
        self.app.logins.log_out(self.app.backend)

"""Which host? Everything that is left empty is as the user's ssh configuration has it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from widgets.form import Form, IntegerField, TextField
from widgets.terminal.ssh_hosts import ssh_hosts
from widgets.terminal.ssh_pty import SshTarget, TargetError, parse_target


class SshForm(ModalScreen[SshTarget | None]):
    """Dismisses with the target, or None."""

    CSS_PATH = "ssh_form.tcss"
    BINDINGS = [
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog")
        self.form = Form(
            [
                TextField(key="host", label="Host", required=True, placeholder="name, address or user@host:port"),
                TextField(key="user", label="User", placeholder="as configured", check=_fault_of_user),
                IntegerField(key="port", label="Port", minimum=1, maximum=65535, placeholder="as configured"),
                TextField(key="jump", label="Jump host", placeholder="none", check=_fault_of_jump),
            ],
            submit_label="Connect",
            check=_faults,
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="ssh-box", classes="panel") as box:
            box.border_title = "SSH to a host"
            yield Static("Your own ssh does it, with its configuration, agent and prompts.", id="ssh-note")
            yield self.form

    def on_mount(self) -> None:
        self.form.focus_first()
        self.run_worker(self._suggest())

    async def _suggest(self) -> None:
        hosts = await asyncio.to_thread(ssh_hosts)
        host = self.form.rows["host"].input
        if isinstance(host, Input) and hosts:
            host.suggester = SuggestFromList(hosts)

    @on(Form.Cancelled)
    def _left(self) -> None:
        self.dismiss(None)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        self.dismiss(target_of(event.values))


def target_of(values: Mapping[str, Any]) -> SshTarget:
    """From the form's values; a user and port with the host give way to those in their own fields. Raises
    TargetError."""
    typed = parse_target(values["host"])
    return SshTarget(
        typed.host, values["user"] or typed.user, values["port"] or typed.port, values["jump"] or typed.jump
    )


def _fault_of_user(user: str) -> str | None:
    return _said(lambda: SshTarget("host", user))


def _fault_of_jump(jump: str) -> str | None:
    return _said(lambda: SshTarget("host", jump=jump))


def _faults(values: Mapping[str, Any]) -> Mapping[str, str]:
    fault = _said(lambda: target_of(values))
    return {"host": fault} if fault else {}


def _said(make: Any) -> str | None:
    try:
        make()
    except TargetError as error:
        return str(error)
    return None

"""Custom domains of the selected deployment: how each is, and what to set at the DNS provider."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from tui.panels.styled import styled
from tui.panels.view import HintChanged
from tui.presentation.domains import DomainRow, check_domain, domain_columns, domain_row, instructions, records_text
from tui.presentation.faults import sentence
from widgets.confirm import Confirmation, ConfirmDialog
from widgets.form import TextField
from widgets.resource_table import ResourceTable, Row

if TYPE_CHECKING:
    from backend.wire.container_engine import DomainListItem
    from backend.wire.pilothouse import JournalEntryModel
    from tui.client.connection import Backend
    from tui.panels.view import DeploymentView

LOOK_AGAIN_SECONDS = 5.0
EMPTY = "Press a to add a domain of your own."


class DomainsPanel(Vertical):
    """Asked for when it comes to the front, when the journal tells of a domain, and now and then while one is
    unfinished: why a domain is not there yet changes without an event."""

    BINDINGS = [
        Binding("a", "add", "Add", show=False),
        # Always taken, also without a domain: in the list behind it the same keys delete the deployment.
        Binding("D,d,delete", "remove", "Remove", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("r", "fetch", "Check now", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="domains")
        self._table: ResourceTable[DomainRow] = ResourceTable(
            domain_columns(), sort_column="domain", empty_text="", id="domain-list"
        )
        self._text = Static(id="domain-text")
        self._view: DeploymentView | None = None
        self._deployment = ""
        self._domains: dict[str, DomainListItem] = {}
        self._subscription: int | None = None
        self._in_front = False

    @property
    def hint(self) -> str:
        if self._view is None:
            return ""
        if not self._domains:
            return "[@click=screen.add_domain]a adds one[/]"
        return "[@click=screen.add_domain]a add[/]"

    def compose(self) -> ComposeResult:
        yield self._table
        with VerticalScroll(id="domain-scroll"):
            yield self._text

    def on_mount(self) -> None:
        self.set_interval(LOOK_AGAIN_SECONDS, self._look_again)

    def show_view(self, view: DeploymentView | None) -> None:
        self._in_front = True
        deployment = view.deployment.id if view else ""
        if view is not None and deployment == self._deployment and self._subscription is not None:
            self._view = view
            return
        self.put_away()
        self._in_front, self._view = True, view
        self._table.empty_text = EMPTY if view else ""
        if deployment != self._deployment or view is None:
            self._deployment, self._domains = deployment, {}
            self._table.update_rows([])
            self._text.update("" if view else "Nothing selected.")
        if view is not None:
            self._subscription = view.backend.live.follow_journal(deployment, 1, self._journal_came)
            self.action_fetch()

    def put_away(self) -> None:
        if self._view is not None and self._subscription is not None:
            self._view.backend.live.unsubscribe(self._subscription)
        self._subscription = None
        self._in_front = False

    def take_focus(self) -> None:
        self.screen.set_focus(self._table)

    def _journal_came(self, entries: list[JournalEntryModel]) -> None:
        if any(entry.kind.startswith("domain.") for entry in entries):
            self.action_fetch()

    def _look_again(self) -> None:
        if self._in_front and any(domain.status != "active" for domain in self._domains.values()):
            self.action_fetch()
        elif self._in_front and self._domains:
            self._tell()

    def action_fetch(self) -> None:
        if self._view is not None:
            work = partial(self._fetch, self._view.backend, self._deployment)  # not begun where a newer one replaces it
            self.run_worker(work, group="domains", exclusive=True)

    async def _fetch(self, backend: Backend, deployment: str) -> None:
        from tui.client.errors import ClientError

        try:
            domains = await backend.deployments.domains(deployment)
        except ClientError as error:
            if deployment == self._deployment and not self._domains:
                words = sentence(error.message, getattr(error, "status", None))
                self._text.update(styled(self, [[("✖ ", "status-failed"), (words, "")]]))
            return  # what was known stays; the top bar tells where the backend is away
        if deployment != self._deployment:
            return
        self._domains = {domain.id: domain for domain in domains}
        self._table.update_rows([Row(domain.id, domain_row(domain)) for domain in domains])
        self._tell()
        self.post_message(HintChanged())

    @on(ResourceTable.Selected)
    @on(ResourceTable.SelectionLost)
    def _tell(self) -> None:
        domain = self._selected()
        if domain is not None:
            self._text.update(styled(self, instructions(domain, datetime.now(UTC))))
        elif self._view is not None:
            name = self._view.deployment.app_name
            lines = [[(f"{name} answers at {self._view.deployment.url} only.", "muted")]]
            self._text.update(styled(self, lines))

    def _selected(self) -> DomainListItem | None:
        return self._domains.get(self._table.selected_key or "")

    # --- what is done -------------------------------------------------------------------------------------

    def action_add(self) -> None:
        """Asks for a name; the backend begins to check it at once."""
        view = self._view
        if view is None:
            return
        from tui.screens.form_dialog import FormDialog, FormPlan

        async def send(values: dict[str, Any]) -> str:
            added = await view.backend.deployments.add_domain(view.deployment.id, values["domain"])
            return added.id

        plan = FormPlan(
            f"A domain for {view.deployment.app_name}",
            [TextField(key="domain", label="Domain", required=True, check=check_domain, placeholder="app.example.com")],
            "Add",
            note="You will see which DNS record proves that it is yours.",
            at_status={409: "domain"},
        )
        self.app.push_screen(FormDialog(plan, send), self._added)

    def _added(self, domain_id: str | None) -> None:
        if domain_id is not None:
            self.action_fetch()
            self.take_focus()

    def action_remove(self) -> None:
        domain, view = self._selected(), self._view
        if domain is None or view is None:
            self.notify("There is no domain to remove", timeout=3)
            return
        question = Confirmation(
            f"Remove the domain {domain.domain}?",
            (
                f"https://{domain.domain} no longer leads to {view.deployment.app_name}",
                "The name is free for other deployments",
                "Your DNS records stay as they are: remove them at your provider",
            ),
            confirm_label="Remove",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._remove(view.backend, view.deployment.id, domain))

        self.app.push_screen(ConfirmDialog(question), answered)

    async def _remove(self, backend: Backend, deployment: str, domain: DomainListItem) -> None:
        from tui.client.errors import ClientError

        try:
            await backend.deployments.remove_domain(deployment, domain.id)
        except ClientError as error:
            words = sentence(error.message, getattr(error, "status", None))
            self.notify(words, title=f"{domain.domain} was not removed", severity="error", timeout=10, markup=False)
        else:
            self.notify(f"{domain.domain} is removed", timeout=3, markup=False)
        self.action_fetch()

    def action_copy(self) -> None:
        """A selection with the mouse first, else the records of the selected domain."""
        domain, text = self._selected(), self.screen.get_selected_text()
        if not text and domain is None:
            return
        self.app.copy_to_clipboard(text or (records_text(domain) if domain else ""))
        self.notify("The selection is copied" if text else "The DNS records are copied", timeout=3)

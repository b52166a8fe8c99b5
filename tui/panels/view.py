"""What a panel of the selected deployment is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textual.message import Message

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel, LiveMetricModel
    from tui.client.connection import Backend


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """The selected deployment as last known, and the backend to ask for more."""

    backend: Backend
    deployment: DeploymentModel
    sample: LiveMetricModel | None
    stale: bool


class HintChanged(Message):
    """A panel's hint has other words now."""


class PanelLeft(Message):
    """The user leaves a panel that keeps its keys to itself; the focus goes to the list."""


class DetailContent(Protocol):
    """A panel in the detail area. Only the one in front is shown things; `put_away` tells it to stop its work."""

    def show_view(self, view: DeploymentView | None) -> None: ...

    def put_away(self) -> None: ...

    def take_focus(self) -> None: ...

    @property
    def hint(self) -> str:
        """A few words for the lower border."""
        ...

"""Snapshots and deltas of the live feed as frames, made once for all who look at the same."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from backend.domain.accounts import Principal, Role
from backend.domain.deployments import Deployment, DeploymentState
from backend.domain.metrics import LiveSample
from backend.services.live import LiveDelta, LiveSnapshot
from backend.surfaces.pilothouse import convert
from backend.surfaces.services import Services
from backend.wire import pilothouse as wire


class LiveFrames:
    """Remembers the text of a change for as long as anybody still holds it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._texts: dict[tuple[int, bool], str] = {}

    def viewer(self, who: Principal) -> LiveViewer:
        return LiveViewer(self, who.user.role is Role.ADMIN)

    def remember(self, change: LiveSnapshot | LiveDelta, admin: bool, text: str) -> None:
        # By identity: two equal changes of two tenants may have the same number.
        key = (id(change), admin)
        self._texts[key] = text
        weakref.finalize(change, self._texts.pop, key, None)

    def known(self, change: LiveSnapshot | LiveDelta, admin: bool) -> str | None:
        return self._texts.get((id(change), admin))


class LiveViewer:
    """One connection's view: it knows the short ids of what it was shown, also of what is gone by now."""

    def __init__(self, frames: LiveFrames, admin: bool) -> None:
        self._frames = frames
        self._admin = admin
        self._short_ids: dict[str, str] = {}

    def frame(self, change: LiveSnapshot | LiveDelta) -> str:
        """The frame's JSON text."""
        if isinstance(change, LiveSnapshot):
            self._short_ids.clear()
        for deployment, _ in change.items:
            self._short_ids[deployment.id] = deployment.short_id
        text = self._frames.known(change, self._admin)
        if text is None:
            text = self._made(change).model_dump_json(by_alias=True)
            self._frames.remember(change, self._admin, text)
        if isinstance(change, LiveDelta):
            for gone in change.removed:
                self._short_ids.pop(gone, None)
        return text

    def _made(self, change: LiveSnapshot | LiveDelta) -> wire.SnapshotFrame | wire.DeltaFrame:
        facts = self._frames.services.facts
        deployments = self._deployments(change.items)
        metrics = self._metrics(change.metrics)
        if isinstance(change, LiveSnapshot):
            system = convert.to_wire_system(change.system, facts, admin=self._admin)
            return wire.SnapshotFrame(seq=change.seq, deployments=deployments, metrics=metrics, system=system)
        return wire.DeltaFrame(
            seq=change.seq,
            deployments=deployments,
            removed=[self._short_ids[key] for key in change.removed if key in self._short_ids],
            metrics=metrics,
            system=convert.to_wire_system(change.system, facts, admin=self._admin) if change.system else None,
        )

    def _deployments(self, items: Iterable[tuple[Deployment, DeploymentState]]) -> list[wire.DeploymentModel]:
        url = self._frames.services.deployments.url
        return [convert.to_wire_deployment(deployment, state, url(deployment)) for deployment, state in items]

    def _metrics(self, samples: Iterable[LiveSample]) -> list[wire.LiveMetricModel]:
        return [
            convert.to_wire_sample(sample, self._short_ids[sample.deployment_id])
            for sample in samples
            if sample.deployment_id in self._short_ids
        ]

"""What a deployment's replicas amount to: its status, why, and whether a failed update goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backend.domain.deployments import Deployment, DeploymentStatus
from backend.domain.engine import ContainerPhase, ContainerState
from backend.domain.errors import DomainError, ImageRejected, NotFound
from backend.domain.journal import JournalKind
from backend.services.journal import utc_now
from backend.services.reconciler import faults
from backend.services.reconciler.context import Shared
from backend.services.reconciler.pauses import growing_pause
from backend.services.reconciler.record import Recorder
from backend.services.reconciler.rollout import Plan

FIRST_RETRY_SECONDS = 5.0
SLOWEST_RETRY_SECONDS = 300.0
SOON_SECONDS = 0.1
TRIES_AFTER_LOSS = 4


class Outcome:
    """One deployment's judge."""

    def __init__(self, shared: Shared, recorder: Recorder) -> None:
        self._shared = shared
        self._recorder = recorder
        self._tries = 0
        self._seen_ready: set[str] = set()
        self._seen_exits: dict[str, int] = {}
        self._last_ends: dict[str, ContainerState] = {}

    async def stopped(self, deployment: Deployment) -> None:
        await self._conclude(deployment, DeploymentStatus.STOPPED, "stopped", "stopped")

    async def settle(self, deployment: Deployment, states: Sequence[ContainerState], step: Plan) -> None:
        """Write the status that these replicas amount to."""
        shared = self._shared
        current = [
            state for state in states if state.generation == deployment.generation and state.id not in shared.draining
        ]
        ready = [state for state in current if (probe := shared.monitor.of(state)) and probe.ready]
        await self._observe_replicas(deployment, current)
        if step.complete:
            self._tries = 0
            await self._complete(deployment, len(ready))
            return
        fault = await self._fault(deployment, current)
        if fault and not ready:
            reason, message = fault
            await self._conclude(deployment, DeploymentStatus.FAILED, reason, message, error_message=message)
        elif fault:
            # Some serve: that is running, though not as asked.
            await self._conclude(deployment, DeploymentStatus.RUNNING, "degraded", fault[1])
        else:
            shared.report(deployment.id, *_waiting(deployment, current, len(ready)), deployment.status)

    async def _complete(self, deployment: Deployment, ready: int) -> None:
        reason, message = ("ready", f"{ready} of {deployment.replicas} replicas ready")
        if deployment.replicas == 0:
            reason, message = ("scaled_to_zero", "scaled to zero replicas")
        now = utc_now()
        columns: dict[str, Any] = {}
        # At zero replicas nothing has shown yet that this generation works.
        if deployment.stable_generation != deployment.generation and deployment.replicas:
            columns = {"stable_generation": deployment.generation, "deployed_at": now}
        if deployment.status is not DeploymentStatus.RUNNING or columns or deployment.started_at is None:
            columns["started_at"] = deployment.started_at if deployment.started_at and not columns else now
        if deployment.status is DeploymentStatus.FAILED:
            columns["error_message"] = None
        elif deployment.error_message:
            # Why an update went back stays to be read until users ask for something new.
            message = f"{message}; the last update was rolled back"
        await self._conclude(deployment, DeploymentStatus.RUNNING, reason, message, **columns)

    async def rolled_back(self, deployment: Deployment, states: Sequence[ContainerState]) -> bool:
        """Go back to the stable generation where the present one fails; True where it did."""
        if deployment.stable_generation in (None, deployment.generation):
            return False
        current = [state for state in states if state.generation == deployment.generation]
        fault = await self._fault(deployment, current)
        return await self._roll_back(deployment, fault[1]) if fault else False

    async def cannot_make(self, deployment: Deployment, error: DomainError) -> float:
        """A replica cannot be made at all: go back, or fail and say why. Seconds until the next try."""
        pulling = isinstance(error, ImageRejected)
        if pulling:
            self._recorder.observe(deployment, JournalKind.PULL_FAILED, error.message)
        # More than the machine has is no sooner there for being asked for again.
        first = SLOWEST_RETRY_SECONDS if error.details.get("reason") == "too_large" else FIRST_RETRY_SECONDS
        retry = growing_pause(first, self._tries, SLOWEST_RETRY_SECONDS)
        self._tries += 1
        if error.details.get("reason") in ("address", "subnet"):
            return SOON_SECONDS
        if isinstance(error, NotFound) and self._tries < TRIES_AFTER_LOSS:
            # The image or network was removed by hand between looking and using: both are made again.
            return SOON_SECONDS
        if deployment.stable_generation not in (None, deployment.generation):
            await self._roll_back(deployment, error.message)
            return SOON_SECONDS
        ready = [s for s in self._shared.view.of(deployment.id) if (p := self._shared.monitor.of(s)) and p.ready]
        reason = "pull_failed" if pulling else "create_failed"
        message = f"{error.message} (next try in {retry:.0f} s)"
        if ready:
            self._shared.report(deployment.id, reason, message, deployment.status)
        else:
            await self._conclude(deployment, DeploymentStatus.FAILED, reason, message, error_message=error.message)
        return retry

    # --- judging

    async def _fault(self, deployment: Deployment, current: Sequence[ContainerState]) -> tuple[str, str] | None:
        """A finer word and a sentence for the first replica that fails for good; None while there is hope."""
        for state in current:
            probe = self._shared.monitor.of(state)
            if probe and probe.ready:
                continue
            if faults.crashed(state):
                state = self._with_last_end(state)
                lines = await faults.last_lines(self._shared.engine, state.id)
                word = "out_of_memory" if state.oom_killed and state.exit_code == 137 else "crash_loop"
                return word, f"replica {state.ordinal} {faults.exit_text(deployment, state)}{lines}"
            if state.error and state.phase in (ContainerPhase.CREATED, ContainerPhase.EXITED):
                return "start_failed", f"replica {state.ordinal} does not start: {state.error}"
            if probe and probe.failed:
                lines = await faults.last_lines(self._shared.engine, state.id)
                return "unhealthy", faults.health_text(state, probe) + lines
        return None

    def _remember_end(self, state: ContainerState) -> None:
        if state.exit_code is not None:
            self._last_ends[state.id] = state

    def _with_last_end(self, state: ContainerState) -> ContainerState:
        """A replica that is up again between two crashes does not tell any more how the last one was."""
        self._remember_end(state)
        end = self._last_ends.get(state.id, state)
        return replace(state, exit_code=end.exit_code, oom_killed=end.oom_killed)

    async def _roll_back(self, deployment: Deployment, why: str) -> bool:
        assert deployment.stable_generation is not None
        stable = deployment.stable_generation
        message = f"the update failed and was rolled back: {why}"
        await self._recorder.hold(deployment)
        self._shared.progress.pop(deployment.id, None)
        return await self._recorder.write(
            deployment,
            note=(JournalKind.ROLLED_BACK, message),
            generation=stable,
            reason="rolled_back",
            message=message,
            error_message=message,
        )

    async def _observe_replicas(self, deployment: Deployment, current: Sequence[ContainerState]) -> None:
        for state in current:
            self._remember_end(state)
            probe = self._shared.monitor.of(state)
            exits = state.restart_count + (state.phase is ContainerPhase.EXITED)
            if state.id in self._shared.adopted:
                self._shared.adopted.discard(state.id)
                self._seen_exits[state.id] = exits
                if probe and probe.ready:
                    self._seen_ready.add(state.id)
            if probe and probe.ready and state.id not in self._seen_ready:
                self._seen_ready.add(state.id)
                self._recorder.observe(deployment, JournalKind.REPLICA_READY, f"replica {state.ordinal} is ready")
            if exits > self._seen_exits.get(state.id, 0) and state.exit_code is not None:
                self._seen_ready.discard(state.id)
                self._recorder.observe(
                    deployment,
                    JournalKind.REPLICA_EXITED,
                    f"replica {state.ordinal} {faults.exit_text(deployment, state)}",
                    data={"exitCode": state.exit_code, "oomKilled": state.oom_killed},
                )
            self._seen_exits[state.id] = exits
        alive = {state.id for state in current}
        self._seen_ready &= alive
        self._seen_exits = {key: count for key, count in self._seen_exits.items() if key in alive}
        self._last_ends = {key: end for key, end in self._last_ends.items() if key in alive}

    async def _conclude(
        self, deployment: Deployment, status: DeploymentStatus, reason: str, message: str, **columns: Any
    ) -> None:
        changed = (
            deployment.status is not status or deployment.reason != reason or deployment.message != message
        ) or any(getattr(deployment, name) != value for name, value in columns.items())
        if changed:
            await self._recorder.write(
                deployment, status=status, settled=True, reason=reason, message=message, **columns
            )
            # Only now: a reader must not see the stored words of before beside the counts of now.
            self._shared.progress.pop(deployment.id, None)
            self._shared.view.notify_readers(deployment.id)
        else:
            self._shared.progress.pop(deployment.id, None)


def _waiting(deployment: Deployment, current: Sequence[ContainerState], ready: int) -> tuple[str, str]:
    counts = f"{ready} of {deployment.replicas} replicas ready"
    restarting = next((state for state in current if state.phase is ContainerPhase.RESTARTING), None)
    if restarting:
        return "backing_off", f"{counts}; replica {restarting.ordinal} {faults.exit_text(deployment, restarting)}"
    paused = next((state for state in current if state.phase is ContainerPhase.PAUSED), None)
    if paused:
        return "paused", f"{counts}; replica {paused.ordinal} is paused: go on with 'docker unpause {paused.name}'"
    if len(current) < deployment.replicas:
        return "creating", counts
    if deployment.spec.health_check:
        return "waiting_for_health", f"{counts}; waiting for {deployment.spec.health_check.path}"
    return "waiting_for_port", f"{counts}; waiting for port {deployment.spec.port} to open"

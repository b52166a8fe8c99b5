"""Sentences that tell people why a replica does not come up."""

from __future__ import annotations

from collections.abc import Sequence

from backend.domain.deployments import Deployment
from backend.domain.engine import ContainerPhase, ContainerState, Engine, LogLine
from backend.domain.errors import DomainError
from backend.services.reconciler.probes import Probe

CRASHES_BEFORE_FAILURE = 3
LAST_LINES = 5
_MAX_LINE = 200


def crashed(state: ContainerState) -> bool:
    """Whether a replica exits again and again."""
    return state.restart_count >= CRASHES_BEFORE_FAILURE


def exit_text(deployment: Deployment, state: ContainerState) -> str:
    """`exited with code 1 (4 times)`, or that it ran out of memory."""
    # The engine also flags a replica of which only a child process ran out of memory; 137 tells the two apart.
    if state.oom_killed and state.exit_code == 137:
        return f"was killed for using more than its memory limit of {deployment.spec.resources.memory}"
    # The engine counts a restart as soon as it decides on one.
    exits = state.restart_count + (state.phase is ContainerPhase.EXITED)
    times = f" ({exits} times)" if exits > 1 else ""
    code = "an unknown code" if state.exit_code is None else f"code {state.exit_code}"
    return f"exited with {code}{times}"


async def last_lines(engine: Engine, container_id: str) -> str:
    """The last lines that it wrote, for the end of a sentence; empty where there are none."""
    lines: list[LogLine] = []
    try:
        async for batch in engine.logs(container_id, tail=LAST_LINES):
            lines.extend(batch)
    except DomainError:
        return ""
    return _quoted(lines[-LAST_LINES:])


def _quoted(lines: Sequence[LogLine]) -> str:
    texts = [line.text.rstrip()[:_MAX_LINE] for line in lines]
    return "; last lines: " + " | ".join(text for text in texts if text) if any(texts) else ""


def health_text(state: ContainerState, probe: Probe) -> str:
    return f"replica {state.ordinal} is not healthy: {probe.message}"

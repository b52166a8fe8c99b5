"""Health of replicas: an HTTP path with the documented delays and thresholds, else an open port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from backend.domain.deployments import HealthCheck
from backend.domain.engine import ContainerState

PORT_PERIOD_SECONDS = 15.0
PORT_TIMEOUT_SECONDS = 2.0
PORT_FAILURE_THRESHOLD = 3
FIRST_POLL_SECONDS = 0.02
SLOWEST_POLL_SECONDS = 1.0


@dataclass(slots=True)
class Probe:
    """What is known of one start of one container. `failed` is set once its failures in a row reached the threshold,
    or an open port did not come within the start deadline; the next success clears it. `proven` once a check of ours
    has passed; `undecided` while none has spoken of a container that was there before us."""

    container_id: str
    started_at: datetime | None
    ready: bool
    ever_ready: bool
    proven: bool = False
    undecided: bool = False
    failed: bool = False
    failures: int = 0
    last_check: datetime | None = None
    message: str = "waiting for the first check"
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class HealthMonitor:
    """Watches running containers; one probe for each start of each. Tells of changes by `notify(deployment_id)`."""

    def __init__(
        self,
        notify: Callable[[str], None],
        *,
        start_deadline_seconds: float = 120.0,
    ) -> None:
        self._notify = notify
        self._deadline = start_deadline_seconds
        self._probes: dict[str, Probe] = {}
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            verify=False,  # probes speak HTTP alone: reading all authorities would cost the start some 20 ms
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": "pilothouse-health-check", "Connection": "close"},
        )

    def of(self, state: ContainerState) -> Probe | None:
        """The probe of the container's present start."""
        probe = self._probes.get(state.id)
        return probe if probe and probe.started_at == state.started_at else None

    def watch(self, state: ContainerState, check: HealthCheck | None, host: str) -> Probe:
        """Begin, or go on, to probe a running container."""
        return self.of(state) or self._begin(Probe(state.id, state.started_at, False, False), state, check, host)

    def adopt(self, state: ContainerState, check: HealthCheck | None, host: str, *, serves: bool) -> None:
        """Probe a running container that was there before this process. One that `serves` counts as ready until a check
        says otherwise."""
        if self.of(state) is None:
            self._begin(Probe(state.id, state.started_at, serves, serves, undecided=True), state, check, host)

    def _begin(self, probe: Probe, state: ContainerState, check: HealthCheck | None, host: str) -> Probe:
        self.forget(state.id)
        self._probes[state.id] = probe
        run = self._watch_port(probe, state) if check is None else self._watch_path(probe, state, check, host)
        probe.task = asyncio.create_task(run, name=f"probe-{state.name}")
        return probe

    def forget(self, container_id: str) -> None:
        probe = self._probes.pop(container_id, None)
        if probe and probe.task:
            probe.task.cancel()

    async def close(self) -> None:
        tasks = [probe.task for probe in self._probes.values() if probe.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    # --- checks

    async def _watch_port(self, probe: Probe, state: ContainerState) -> None:
        poll = FIRST_POLL_SECONDS
        began = asyncio.get_running_loop().time()
        while True:
            fault = await _port_fault(state.endpoint)
            if not fault:
                self._succeeded(probe, state, "its port is open")
                await asyncio.sleep(PORT_PERIOD_SECONDS)
                continue
            if probe.ever_ready:
                self._failed(probe, state, fault, PORT_FAILURE_THRESHOLD)
                await asyncio.sleep(PORT_TIMEOUT_SECONDS)
                continue
            late = asyncio.get_running_loop().time() - began > self._deadline
            self._failed(probe, state, fault, 1 if late else None)
            await asyncio.sleep(poll)
            poll = min(poll * 1.3, SLOWEST_POLL_SECONDS)

    async def _watch_path(self, probe: Probe, state: ContainerState, check: HealthCheck, host: str) -> None:
        if not probe.ever_ready and state.started_at:
            running_for = (datetime.now(UTC) - state.started_at).total_seconds()
            await asyncio.sleep(max(0.0, check.initial_delay_seconds - running_for))
        while True:
            fault = await self._path_fault(state.endpoint, check, host)
            if fault:
                self._failed(probe, state, fault, check.failure_threshold)
            else:
                self._succeeded(probe, state, f"{check.path} answers")
            await asyncio.sleep(check.period_seconds)

    async def _path_fault(self, endpoint: str | None, check: HealthCheck, host: str) -> str:
        if endpoint is None:
            return "it has no address"
        request = self._client.build_request(
            "GET", f"http://{endpoint}{check.path}", headers={"Host": host}, timeout=check.timeout_seconds
        )
        try:
            async with asyncio.timeout(check.timeout_seconds):
                response = await self._client.send(request, stream=True)
                await response.aclose()
        except (httpx.TimeoutException, TimeoutError):
            return f"{check.path} did not answer within {check.timeout_seconds} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return f"{check.path} failed: {error or type(error).__name__}"
        if 200 <= response.status_code < 400:
            return ""
        return f"{check.path} answered {response.status_code}"

    def _succeeded(self, probe: Probe, state: ContainerState, message: str) -> None:
        changed = not probe.proven or not probe.ready or probe.failed
        probe.ready, probe.ever_ready, probe.failed, probe.failures = True, True, False, 0
        probe.proven, probe.undecided = True, False
        probe.last_check, probe.message = datetime.now(UTC), message
        if changed:
            self._notify(state.object_id)

    def _failed(self, probe: Probe, state: ContainerState, message: str, threshold: int | None) -> None:
        probe.failures += 1
        probe.last_check, probe.message = datetime.now(UTC), message
        changed, probe.undecided = probe.undecided, False
        if threshold is not None and probe.failures >= threshold and not probe.failed:
            probe.ready, probe.failed = False, True
            changed = True
        if changed:
            self._notify(state.object_id)


async def _port_fault(endpoint: str | None) -> str:
    if endpoint is None:
        return "it has no address"
    host, _, port = endpoint.rpartition(":")
    try:
        async with asyncio.timeout(PORT_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        return "its port does not open"
    try:
        if host == "127.0.0.1":
            # A published port is answered by the engine's proxy, which hangs up where nobody listens behind it.
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    if not await reader.read(1):
                        return "its port does not open"
    except OSError:
        return "its port does not open"
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return ""

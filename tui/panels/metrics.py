"""Metrics of the selected deployment: CPU, memory and requests over time."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from tui.panels.view import HintChanged
from tui.presentation.metrics import WINDOWS, Point, cpu_limit_cores, joined, live_values, stored_points
from widgets.metric_plot import MetricPlot, Series

if TYPE_CHECKING:
    from tui.client.connection import Backend
    from tui.panels.view import DeploymentView

KEPT_SAMPLES = 1800
FETCH_AGAIN_SECONDS = 60.0


class MetricsPanel(Vertical, can_focus=True):
    """Stored history when a deployment comes into view, and each live sample after it."""

    BINDINGS = [
        Binding("less_than_sign,left", "window(-1)", "Shorter", show=False),
        Binding("greater_than_sign,right", "window(1)", "Longer", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="metrics")
        self._cpu = MetricPlot("CPU", "cores")
        self._memory = MetricPlot("Memory", "bytes")
        self._requests = MetricPlot("Requests", "rate")
        self._window = 0
        self._view: DeploymentView | None = None
        self._deployment = ""
        self._stored: dict[str, list[Point]] = {}
        self._live: deque[tuple[float, float, float, float, float]] = deque(maxlen=KEPT_SAMPLES)
        self._in_front = False

    @property
    def hint(self) -> str:
        return f"{WINDOWS[self._window].label} (< shorter, > longer)"

    def compose(self) -> ComposeResult:
        yield self._cpu
        yield self._memory
        yield self._requests

    def on_mount(self) -> None:
        self.set_interval(FETCH_AGAIN_SECONDS, self._fetch_soon)

    def show_view(self, view: DeploymentView | None) -> None:
        came_back = not self._in_front
        self._in_front = True
        self._view = view
        deployment = view.deployment.id if view else ""
        if deployment != self._deployment:
            self._deployment = deployment
            self._stored.clear()
            self._live.clear()
            self._fetch_soon()
        elif came_back:
            self._fetch_soon()
        if view is not None and view.sample is not None and not view.stale:
            values = live_values(view.sample)
            if not self._live or values[0] > self._live[-1][0]:
                self._live.append(values)
                self._plot()
        elif view is None:
            self._plot()

    def put_away(self) -> None:
        self._in_front = False

    def take_focus(self) -> None:
        self.screen.set_focus(self)

    def action_window(self, step: int) -> None:
        self._window = max(0, min(len(WINDOWS) - 1, self._window + step))
        self._stored.clear()
        self._fetch_soon()
        self.post_message(HintChanged())

    def _fetch_soon(self) -> None:
        if self._in_front and self._view is not None:
            backend, deployment = self._view.backend, self._deployment
            self.run_worker(self._fetch(backend, deployment), group="fetch", exclusive=True)

    async def _fetch(self, backend: Backend, deployment: str) -> None:
        from tui.client.errors import ClientError

        window, end = WINDOWS[self._window], datetime.now(UTC)
        start = end - timedelta(seconds=window.seconds)
        try:
            answer = await backend.deployments.metrics(deployment, start, end, window.resolution)
        except ClientError:
            return  # the live samples go on; the next round asks again, and the top bar says that the backend is away
        if deployment != self._deployment or window is not WINDOWS[self._window]:
            return
        self._stored = {
            "cpu": stored_points(answer.metrics.cpu),
            "memory": stored_points(answer.metrics.memory),
            "requests": stored_points(answer.metrics.requests, per_seconds=window.step_seconds),
        }
        self._plot()

    def _plot(self) -> None:
        if self._view is None:
            for plot in (self._cpu, self._memory, self._requests):
                plot.show([])
            return
        end = datetime.now(UTC).timestamp()
        window = WINDOWS[self._window]
        start = end - window.seconds
        deployment, sample = self._view.deployment, self._view.sample

        def series(name: str, column: int, label: str = "", token: str = "") -> Series:
            live = [(values[0], values[column]) for values in self._live]
            return Series(label, joined(self._stored.get(name, []), live, start, live_first=window.live_first), token)

        memory_limit = float(sample.memory_limit_bytes) if sample and sample.memory_limit_bytes else None
        cpu_limit = cpu_limit_cores(deployment.cpu_limit, deployment.ready)
        self._cpu.show([series("cpu", 1, token="plot-1")], limit=cpu_limit, start=start, end=end)
        self._memory.show([series("memory", 2, token="plot-2")], limit=memory_limit, start=start, end=end)
        requests = [series("requests", 3, token="plot-3")]
        if any(values[4] for values in self._live):
            requests = [
                Series("all", requests[0].points, "plot-3"),
                Series("errors", joined([], [(values[0], values[4]) for values in self._live], start), "plot-4"),
            ]
        self._requests.show(requests, start=start, end=end)

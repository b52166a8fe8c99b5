"""The app, driven by keys, against a real backend of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.running_backend import RunningBackend
from tui.app import Options, PilothouseApp


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    running = RunningBackend(tmp_path_factory.mktemp("tui"))
    try:
        yield running.start().until_ready()
    finally:
        running.remove_everything()


@pytest.fixture
def app(backend: RunningBackend, tmp_path: Path) -> PilothouseApp:
    """Not yet running; its settings are the test's own."""
    return PilothouseApp(Options(data_dir=backend.data_dir, preferences_path=tmp_path / "tui.toml"))


@pytest.fixture(autouse=True)
def ended_as_by_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that its user leaves ends its workers before its screens. The end of `run_test` would take the
    screens from under the workers, and a frame of the live feed that comes just then would be the app's fault."""
    shut_down = PilothouseApp._shutdown

    async def end_workers_first(app: PilothouseApp) -> None:
        app.workers.cancel_all()
        await shut_down(app)

    monkeypatch.setattr(PilothouseApp, "_shutdown", end_workers_first)

"""What the app and the demo tell to run works as it is told, for who runs it by a path too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.backend.running_backend import RunningBackend
from tests.tui.driving import text_of, until_shown
from tui.app import Options, PilothouseApp
from tui.demo import run_demo
from tui.invocation import own_command


@pytest.fixture
def by_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `make run` runs it: nothing of that name is on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/pilothouse"])


def test_the_name_where_it_is_found_else_the_path(
    by_path: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert own_command("demo") == ".venv/bin/pilothouse demo"
    assert own_command("demo", data_dir=Path("my data")) == ".venv/bin/pilothouse demo --data-dir 'my data'"
    (tmp_path / "pilothouse").touch(mode=0o755)
    assert own_command() == "pilothouse"
    monkeypatch.setattr(sys, "argv", ["/elsewhere/__main__.py"])
    assert own_command() == "pilothouse"


@pytest.mark.usefixtures("by_path")
async def test_the_empty_list_names_the_command_in_whole_words(backend: RunningBackend, tmp_path: Path) -> None:
    app = PilothouseApp(Options(data_dir=backend.data_dir, preferences_path=tmp_path / "tui.toml"))
    async with app.run_test(size=(60, 24), notifications=True) as pilot:
        await until_shown(pilot, "No deployments yet")
        words = text_of(pilot).replace("│", " ").split()
        assert "shell:" in words and ".venv/bin/pilothouse" in words
        shown = "".join(line.strip(" │") for line in text_of(pilot).splitlines())
        assert "".join(f".venv/bin/pilothouse demo --data-dir {backend.data_dir}".split()) in shown.replace(" ", "")


@pytest.mark.usefixtures("by_path")
def test_the_demo_tells_how_to_look_at_it(
    backend: RunningBackend,
    static_image: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run_demo(backend.data_dir, image=static_image, port=80, name="shown") == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  .venv/bin/pilothouse --data-dir {backend.data_dir}" in lines
    end = lines[lines.index("To look at it:") + 2 :]
    assert " ".join(end) == "There: l its logs, m its metrics, s a shell in it, S more replicas of it."
    assert max(len(line) for line in end) <= 30

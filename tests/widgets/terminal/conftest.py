"""What tests of the terminal share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.widgets.terminal.workspace_app import WorkspaceApp


@pytest.fixture
def app(tmp_path: Path) -> WorkspaceApp:
    """An app with a workspace that keeps its recordings in a folder of the test."""
    return WorkspaceApp(tmp_path / "recordings")

"""A backend of one's own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.running_backend import RunningBackend


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[RunningBackend]:
    """Not started; nothing of it is left behind."""
    running = RunningBackend(tmp_path / "data")
    try:
        yield running
    finally:
        running.remove_everything()

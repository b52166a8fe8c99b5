"""A started database in a file of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.database import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pilothouse.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    opened = Database.at(file)
    await opened.start()
    yield opened
    await opened.close()

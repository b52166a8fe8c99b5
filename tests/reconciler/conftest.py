"""A core of one's own for each test, and nothing of it left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.reconciler.core import Core


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    made = Core(tmp_path)
    await made.start()
    made.who = await made.user("ada")
    try:
        yield made
    finally:
        await made.clean()

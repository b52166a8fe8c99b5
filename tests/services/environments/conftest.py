"""A core with one user, and nothing of it left on the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.environments.environment_core import EnvironmentCore


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[EnvironmentCore]:
    core = EnvironmentCore(tmp_path)
    await core.start()
    core.who = await core.user("ada")
    try:
        yield core
    finally:
        await core.clean()

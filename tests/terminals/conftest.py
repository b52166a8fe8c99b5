from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.terminals.holder_bench import HolderBench, holder_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[HolderBench]:
    async with holder_bench(tmp_path) as made:
        yield made

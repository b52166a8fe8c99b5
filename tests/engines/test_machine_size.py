"""What a replica may use is held against the engine's machine, which is not asked each time."""

from __future__ import annotations

import pytest

from backend.domain.engine import EngineInfo
from backend.domain.errors import Invalid
from backend.services.machine_size import KEPT_SECONDS, MachineSize
from tests.engines.engine_bench import Bench


async def test_the_engine_is_asked_for_its_size_once_within_a_minute(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[EngineInfo] = []
    now = 1000.0
    ping = bench.engine.ping

    async def counted() -> EngineInfo:
        asked.append(await ping())
        return asked[-1]

    monkeypatch.setattr(bench.engine, "ping", counted)
    size = MachineSize(bench.engine, lambda: now)
    await size.check(None, None)
    assert asked == []
    for _ in range(2):
        await size.check("100m", "64Mi")
        with pytest.raises(Invalid, match="more CPU than the engine's machine has"):
            await size.check("1000", None)
        with pytest.raises(Invalid, match="more memory than the engine's machine has"):
            await size.check(None, "900Gi")
    assert len(asked) == 1
    now += KEPT_SECONDS + 1
    await size.check("100m", None)
    assert len(asked) == 2

"""The watch over the two processes: nothing ends it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import httpx
import pytest

from backend.ingress.caddy import CaddyIngress
from backend.ingress.process import CaddyProcess
from tests.ingress.ingress_site import MakeApp, Site, eventually, route


def _kill_router(ingress: CaddyIngress) -> None:
    pid = ingress.pids["router"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def _serves(site: Site, host: str, text: str) -> None:
    async def served() -> bool:
        with suppress(httpx.TransportError):
            return (await site.get(host)).text == text
        return False

    await eventually(served)


async def test_the_watch_outlives_what_it_did_not_expect(
    site: Site,
    ingress: CaddyIngress,
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    adopt, failed = CaddyProcess.adopt, 0

    async def fail_twice(process: CaddyProcess) -> bool:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise FileNotFoundError("a thing nobody thought of")
        return await adopt(process)

    monkeypatch.setattr(CaddyProcess, "adopt", fail_twice)
    _kill_router(ingress)
    await _serves(site, "a.localhost", "a")
    told = [record for record in caplog.records if record.exc_info and "next attempt" in record.getMessage()]
    assert len(told) == 2
    assert "a thing nobody thought of" in caplog.text
    await ingress.close()

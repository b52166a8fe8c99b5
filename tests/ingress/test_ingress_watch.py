"""The watch over the two processes: which routes it brings back, and that nothing ends it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from backend.domain.errors import Unavailable
from backend.ingress import caddy
from backend.ingress.admin import AdminApi
from backend.ingress.caddy import CaddyIngress
from backend.ingress.paths import IngressPaths
from backend.ingress.process import CaddyProcess
from tests.ingress.ingress_site import MakeApp, Site, answer_without_router, eventually, kill_router, route


async def _serves(site: Site, host: str, text: str) -> None:
    async def served() -> bool:
        with suppress(httpx.TransportError):
            return (await site.get(host)).text == text
        return False

    await eventually(served)


def _saved_routes(site: Site) -> Path:
    return IngressPaths.prepare(site.root / "run", site.root / "log").config("router")


async def test_routes_that_could_not_be_kept_outlive_the_router(
    site: Site, ingress: CaddyIngress, make_app: MakeApp
) -> None:
    """As on a full disk."""
    await ingress.apply([route("old.localhost", await make_app("old"))])
    config = _saved_routes(site)
    config.with_name(config.name + ".new").mkdir()
    await ingress.apply([route("new.localhost", await make_app("new"))])
    kill_router(ingress)
    await _serves(site, "new.localhost", "new")
    assert (await site.get("old.localhost")).status_code == 404
    assert b"new.localhost" not in config.read_bytes()


async def test_routes_return_where_the_router_had_to_start_without_any(
    site: Site, ingress: CaddyIngress, make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    config = _saved_routes(site)
    saved = json.loads(config.read_bytes())
    [server] = saved["apps"]["http"]["servers"].values()
    server["routes"].append({"handle": [{"handler": "unheard-of"}]})
    config.write_text(json.dumps(saved))
    kill_router(ingress)
    await _serves(site, "a.localhost", "a")
    assert "starting without any" in caplog.text
    assert b"a.localhost" in config.read_bytes(), "kept for the next start"
    assert b"unheard-of" not in config.read_bytes()


async def test_saved_routes_stay_while_none_were_asked_for(
    site: Site, ingress: CaddyIngress, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ingress.apply([route("a.localhost", await make_app("a"))])
    await ingress.close()
    monkeypatch.setattr(caddy, "_WATCH_SECONDS", 0.01)
    again = site.open()
    await again.start()
    await asyncio.sleep(0.2)  # many looks of the watch
    assert (await site.get("a.localhost")).text == "a"
    kill_router(again)
    await _serves(site, "a.localhost", "a")
    await asyncio.sleep(0.2)
    assert (await site.get("a.localhost")).text == "a"


async def test_routes_that_a_running_router_did_not_take_are_loaded_later(
    site: Site, ingress: CaddyIngress, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, refused = AdminApi.load, 0

    async def refuse_twice(admin: AdminApi, config: bytes) -> None:
        nonlocal refused
        if refused < 2:
            refused += 1
            raise Unavailable("not now")
        await load(admin, config)

    monkeypatch.setattr(AdminApi, "load", refuse_twice)
    with pytest.raises(Unavailable, match="not now"):
        await ingress.apply([route("a.localhost", await make_app("a"))])
    await _serves(site, "a.localhost", "a")


async def test_the_watch_loads_nothing_that_is_in_force_or_on_its_way(
    site: Site, ingress: CaddyIngress, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loads, go_on = AdminApi.load, 0, asyncio.Event()

    async def slow(admin: AdminApi, config: bytes) -> None:
        nonlocal loads
        loads += 1
        await go_on.wait()
        await load(admin, config)

    monkeypatch.setattr(AdminApi, "load", slow)
    applying = asyncio.create_task(ingress.apply([route("a.localhost", await make_app("a"))]))
    await asyncio.sleep(0.6)  # two looks of the watch
    go_on.set()
    await applying
    await asyncio.sleep(0.6)
    kill_router(ingress)
    await _serves(site, "a.localhost", "a")
    await asyncio.sleep(0.6)
    assert loads == 1, "it started with what was kept"


async def test_a_router_that_dies_while_its_routes_are_refused_is_started_at_once(
    site: Site,
    ingress: CaddyIngress,
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = await make_app("a")
    await ingress.apply([route("a.localhost", app)])

    async def refuse(admin: AdminApi, config: bytes) -> None:
        raise Unavailable("refused")

    monkeypatch.setattr(AdminApi, "load", refuse)
    with pytest.raises(Unavailable, match="refused"):
        await ingress.apply([route("b.localhost", app)])

    async def waits_longer_than_the_door_would() -> bool:
        return "next attempt in 4.0 s: refused" in caplog.text

    await eventually(waits_longer_than_the_door_would)
    assert (await answer_without_router(site, ingress, "a.localhost")).text == "a"


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
    kill_router(ingress)
    await _serves(site, "a.localhost", "a")
    told = [record for record in caplog.records if record.exc_info and "next attempt" in record.getMessage()]
    assert len(told) == 2
    assert "a thing nobody thought of" in caplog.text
    await ingress.close()

"""Real upstreams and real ingresses for the ingress tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.ingress.caddy import CaddyIngress
from backend.ingress.paths import IngressPaths
from tests.ingress.ingress_site import App, MakeApp, MakeSite, Site, free_port


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[MakeSite]:
    sites: list[Site] = []

    def make(name: str) -> Site:
        sites.append(Site(tmp_path / name, free_port()))
        return sites[-1]

    yield make
    for site in sites:
        for ingress in site.opened:
            await ingress.close()
        await site.open().stop()
        paths = IngressPaths.prepare(site.root / "run", site.root / "log")
        if paths.socket_dir != paths.run_dir:
            paths.socket_dir.rmdir()


@pytest.fixture
async def make_app() -> AsyncIterator[MakeApp]:
    apps: list[App] = []

    async def make(name: str) -> App:
        app = App(name)
        await app.start()
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.release.set()
        await app.stop()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site("site")


@pytest.fixture
async def ingress(site: Site) -> CaddyIngress:
    ingress = site.open()
    await ingress.start()
    return ingress

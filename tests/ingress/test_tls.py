"""HTTPS at the door: certificates of a real ACME server, of the internal authority, and no others."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.domain.errors import Unavailable
from backend.ingress.caddy import CaddyIngress
from backend.ingress.tls import TlsOptions, is_local
from tests.domains.certificate_authority import CertificateAuthority
from tests.domains.name_server import NameServer
from tests.ingress.ingress_site import App, MakeApp, Site, eventually, free_port, route

NAME = "shop.example.com"


@pytest.fixture
async def name_server() -> AsyncIterator[NameServer]:
    server = await NameServer().start()
    yield server
    server.stop()


@pytest.fixture
async def acme_site(site: Site, name_server: NameServer, tmp_path: Path) -> AsyncIterator[Site]:
    """A site whose certificates come from pebble."""
    authority = CertificateAuthority(tmp_path / "pebble", free_port(), free_port())
    tls_port = free_port()
    await authority.start(http_port=site.port, tls_port=tls_port, name_server=name_server.address)
    site.tls = TlsOptions(
        tls_port, tmp_path / "certificates", acme_directory=authority.directory, acme_ca_root=authority.root
    )
    yield site
    await authority.stop()


@pytest.fixture
def internal_site(site: Site, tmp_path: Path) -> Site:
    site.tls = TlsOptions(free_port(), tmp_path / "certificates", acme=False)
    return site


@pytest.fixture
async def app(make_app: MakeApp) -> App:
    return await make_app("app")


async def over_tls(site: Site, name: str, path: str = "/", trusted: Path | None = None) -> str:
    """The answer's head and body; with `trusted`, only where a chain to that root is shown for the name."""
    context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
    if trusted is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    assert site.tls is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", site.tls.port, ssl=context, server_hostname=name)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def started(site: Site) -> CaddyIngress:
    ingress = site.open()
    await ingress.start()
    return ingress


async def test_a_name_gets_a_certificate_of_the_acme_server(acme_site: Site, name_server: NameServer, app: App) -> None:
    name_server.put(NAME, "A", "127.0.0.1")
    ingress = await started(acme_site)
    await ingress.apply([route(NAME, app)])
    found = await ingress.certificate(NAME)
    assert found is not None
    assert (found.name, found.issuer.startswith("Pebble Intermediate CA")) == (NAME, True)
    assert (await over_tls(acme_site, NAME)).endswith("app")
    head = await over_tls(acme_site, NAME, "/echo")
    assert "x-forwarded-proto: https" in head.lower()
    assert (await acme_site.get(NAME)).text == "app", "and over HTTP as before"


async def test_a_name_that_is_not_served_gets_none(acme_site: Site, name_server: NameServer, app: App) -> None:
    name_server.put(NAME, "A", "127.0.0.1")
    ingress = await started(acme_site)
    await ingress.apply([route("other.example.com", app)])
    with pytest.raises(Unavailable):
        await ingress.certificate(NAME)
    assert name_server.asked == [], "the authority was not even asked"
    await ingress.apply([route(NAME, app)])
    assert await ingress.certificate(NAME) is not None


async def test_why_the_authority_refuses_is_told(acme_site: Site, app: App) -> None:
    ingress = await started(acme_site)
    await ingress.apply([route(NAME, app)])
    with pytest.raises(Unavailable, match=r"authority refused.*resolve"):
        await ingress.certificate(NAME)


async def test_certificates_need_no_backend_and_outlive_the_door(
    acme_site: Site, name_server: NameServer, app: App
) -> None:
    name_server.put(NAME, "A", "127.0.0.1")
    ingress = await started(acme_site)
    await ingress.apply([route(NAME, app)])
    await ingress.close()
    assert (await over_tls(acme_site, NAME)).endswith("app"), "obtained without us"
    looked_up = len(name_server.asked)

    following = await started(acme_site)
    assert following.pids == ingress.pids, "adopted, not started anew"
    door = following.pids["door"]
    assert door is not None
    os.kill(door, signal.SIGKILL)

    async def served_again() -> bool:
        try:
            return (await over_tls(acme_site, NAME)).endswith("app")
        except OSError:
            return False

    await eventually(served_again)
    assert following.pids["door"] != door
    assert len(name_server.asked) == looked_up, "from the disk, not from the authority"


async def test_local_names_get_theirs_from_the_internal_authority(acme_site: Site, app: App) -> None:
    names = ["app.localhost", "a.b.internal", "shop.test"]
    ingress = await started(acme_site)
    await ingress.apply([route(name, app) for name in names])
    assert acme_site.tls is not None
    for name in names:
        found = await ingress.certificate(name)
        assert found is not None
        assert found.issuer.startswith("Pilothouse"), name
        root = acme_site.tls.certificates / "pki" / "authorities" / "local" / "root.crt"
        assert (await over_tls(acme_site, name, trusted=root)).endswith("app"), name


async def test_without_acme_all_names_get_internal_ones(internal_site: Site, app: App) -> None:
    ingress = await started(internal_site)
    await ingress.apply([route(NAME, app)])
    found = await ingress.certificate(NAME)
    assert found is not None
    assert found.issuer.startswith("Pilothouse")


async def test_the_question_for_a_certificate_is_not_counted_as_a_request(internal_site: Site, app: App) -> None:
    ingress = await started(internal_site)
    await ingress.apply([route(NAME, app)])
    await ingress.certificate(NAME)
    assert "app" in (await internal_site.get(NAME)).text
    async for record in ingress.requests():
        assert (record.host, record.status) == (NAME, 200)
        break
    assert app.seen == 1


async def test_no_https_request_is_lost_while_names_come_and_go(internal_site: Site, app: App) -> None:
    ingress = await started(internal_site)
    await ingress.apply([route(NAME, app)])
    await ingress.certificate(NAME)
    assert internal_site.tls is not None
    url = f"https://127.0.0.1:{internal_site.tls.port}/"
    answers: list[int] = []

    async def ask() -> None:
        async with httpx.AsyncClient(verify=False, timeout=20) as client:
            while True:
                request = client.build_request("POST", url, headers={"Host": NAME}, content=b"x" * 100)
                request.extensions["sni_hostname"] = NAME
                answers.append((await client.send(request)).status_code)

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    for number in range(15):
        names = [f"n{number}-{each}.example.net" for each in range(3)]
        await ingress.apply([route(NAME, app), *(route(name, app) for name in names)])
        assert await ingress.certificate(names[0]) is not None
    for task in asking:
        task.cancel()
    ended = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    assert len(answers) > 50
    assert set(answers) == {200}


async def test_without_tls_there_is_no_certificate(ingress: CaddyIngress) -> None:
    assert await ingress.certificate(NAME) is None


async def test_https_is_added_to_a_running_ingress(site: Site, app: App, tmp_path: Path) -> None:
    first = await started(site)
    await first.apply([route(NAME, app)])
    await first.close()
    site.tls = TlsOptions(free_port(), tmp_path / "certificates", acme=False)
    second = await started(site)
    assert second.pids["router"] == first.pids["router"]
    assert await second.certificate(NAME) is not None
    assert (await site.get(NAME)).text == "app"


async def test_a_taken_https_port_is_named(internal_site: Site) -> None:
    assert internal_site.tls is not None
    blocker = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", internal_site.tls.port)
    with pytest.raises(Unavailable, match=rf"port {internal_site.tls.port} is taken.*ingress_https_port"):
        await started(internal_site)
    blocker.close()
    await blocker.wait_closed()


@pytest.mark.parametrize("name", ["localhost", "app.localhost", "x.home.arpa", "a.b.test"])
def test_local_names(name: str) -> None:
    assert is_local(name)
    assert not is_local(f"{name}.example.com")

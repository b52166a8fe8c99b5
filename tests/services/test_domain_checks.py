"""What becomes of a custom domain: proved by a real DNS server, routed by a real ingress, lost again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.deployments import DeploymentStatus
from backend.domain.domains import DomainStatus
from backend.domain.errors import Conflict
from backend.domain.journal import JournalKind
from backend.ingress.tls import TlsOptions
from tests.domains.certificate_authority import CertificateAuthority
from tests.domains.domain_core import PUBLIC_ADDRESS, DomainCore
from tests.reconciler.core import free_port

NAME = "shop.example.net"
APP_HOST = "shop.apps.example.com"
VERIFIED, FAILED = JournalKind.DOMAIN_VERIFIED, JournalKind.DOMAIN_FAILED


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[DomainCore]:
    made = DomainCore(tmp_path)
    await made.start()
    made.who = await made.user("ada")
    try:
        yield made
    finally:
        await made.clean()


async def restarted(core: DomainCore) -> None:
    await core.stop()
    await core.start()


# --- proofs


async def test_a_cname_proves_and_routes(core: DomainCore) -> None:
    app = await core.app("shop")
    added = await core.domains.add(core.who, app.id, NAME)
    waiting = await core.reached(app, NAME, DomainStatus.PENDING, f"set a CNAME to {APP_HOST}")
    assert waiting.verified_at is None
    assert await core.answer(NAME) == 404
    core.point(NAME, app)
    active = await core.reached(app, NAME, DomainStatus.ACTIVE)
    assert active.verified_at is not None
    assert active.reason == ""
    assert active.next_check_at is not None
    assert (active.next_check_at - core.now()).total_seconds() > 2000, "looked at rarely from now on"
    assert await core.answer(NAME) == await core.answer(APP_HOST) == 503, "as the app without replicas"
    (entry,) = await core.told(app, VERIFIED, FAILED)
    assert (entry.kind, entry.actor) == (VERIFIED, "system")
    assert entry.data == {"domainId": added.short_id, "domain": NAME, "status": "active"}


async def test_cnames_are_followed(core: DomainCore) -> None:
    app = await core.app("shop")
    core.names.put(NAME, "CNAME", "edge.example.net")
    core.names.put("edge.example.net", "CNAME", "SHOP.apps.example.com")
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.ACTIVE)


async def test_an_app_named_like_an_alias_of_the_platform_gets_nobodys_domain(core: DomainCore) -> None:
    """Where all apps are aliases of one name, only the first of the platform's names is the owner's choice."""
    shop = await core.app("shop")
    core.point(NAME, shop)
    core.names.put(APP_HOST, "CNAME", "edge.apps.example.com")
    core.who = await core.user("eve")
    edge = await core.app("edge")
    await core.domains.add(core.who, edge.id, NAME)
    await core.reached(edge, NAME, DomainStatus.PENDING, f"is a CNAME to {APP_HOST}")
    core.point(NAME, edge)
    await core.reached(edge, NAME, DomainStatus.ACTIVE)


async def test_who_asked_first_is_not_who_owns_a_name(core: DomainCore) -> None:
    mine, eve = await core.app("shop"), await core.user("eve")
    theirs = await core.app("squatter", who=eve)
    await core.domains.add(eve, theirs.id, NAME)
    with pytest.raises(Conflict, match=f"set its CNAME to {APP_HOST}"):
        await core.domains.add(core.who, mine.id, NAME)
    core.point(NAME, mine)
    await core.domains.add(core.who, mine.id, NAME)
    await core.reached(mine, NAME, DomainStatus.ACTIVE)
    assert await core.domains.list(eve, theirs.id) == []
    with pytest.raises(Conflict):
        await core.domains.add(eve, theirs.id, NAME)


async def test_a_circle_of_cnames_ends(core: DomainCore) -> None:
    app = await core.app("shop")
    core.names.put(NAME, "CNAME", "edge.example.net")
    core.names.put("edge.example.net", "CNAME", NAME)
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, "is a CNAME to edge.example.net")


@pytest.mark.parametrize(("kind", "address"), [("A", PUBLIC_ADDRESS), ("AAAA", "2001:DB8::0:7")])
async def test_an_address_needs_the_token(core: DomainCore, kind: str, address: str) -> None:
    app = await core.app("shop")
    core.names.put(NAME, kind, address)
    added = await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, f"TXT record _pilothouse.{NAME}")
    core.names.put(f"_pilothouse.{NAME}", "TXT", "pilothouse-verification=of-another")
    await core.checked_again(app, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, f"TXT record _pilothouse.{NAME}")
    core.names.put(f"_pilothouse.{NAME}", "TXT", "something else", added.verification.value)
    await core.reached(app, NAME, DomainStatus.ACTIVE)


async def test_an_address_elsewhere_is_told(core: DomainCore) -> None:
    app = await core.app("shop")
    core.names.put(NAME, "A", "198.51.100.9")
    core.names.put(f"_pilothouse.{NAME}", "TXT", "v=spf1 -all")
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, "leads to 198.51.100.9")


async def test_a_resolver_that_does_not_answer_is_told_and_waited_for(core: DomainCore) -> None:
    app = await core.app("shop")
    core.point(NAME, app)
    core.names.refusing = True
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, "the DNS did not answer")
    core.names.refusing, core.names.silent = False, True
    core.names.asked.clear()
    await core.names.was_asked(2)
    core.names.silent = False
    await core.reached(app, NAME, DomainStatus.ACTIVE)


# --- failing


async def test_a_domain_that_leads_elsewhere_fails_and_comes_back(core: DomainCore) -> None:
    app = await core.app("shop")
    core.names.put(NAME, "CNAME", "old.example.org")
    added = await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.PENDING, "is a CNAME to old.example.org")
    core.move(seconds=core.times.elsewhere_for + 1)
    failed = await core.reached(app, NAME, DomainStatus.FAILED, "is a CNAME to old.example.org")
    for _ in range(3):  # checked on, but told once
        await core.checked_again(app, NAME)
    (entry,) = await core.told(app, FAILED)
    assert entry.data == {
        "domainId": added.short_id,
        "domain": NAME,
        "status": "failed",
        "reason": failed.reason,
    }
    core.point(NAME, app)
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    assert [entry.kind for entry in await core.told(app, VERIFIED, FAILED)] == [FAILED, VERIFIED]


async def test_missing_records_are_borne_with_for_longer(core: DomainCore) -> None:
    app = await core.app("shop")
    await core.domains.add(core.who, app.id, NAME)
    core.move(seconds=core.times.elsewhere_for + 1)
    await core.reached(app, NAME, DomainStatus.PENDING, "has no record yet")
    core.move(seconds=core.times.missing_for)
    await core.reached(app, NAME, DomainStatus.FAILED, "has no record yet")


async def test_an_active_domain_is_unrouted_when_it_is_lost_for_long(core: DomainCore) -> None:
    app = await core.app("shop")
    core.point(NAME, app)
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    core.names.put(NAME, "CNAME", "new-owner.example.org")
    core.move(seconds=core.times.active * 1.3)
    await core.reached(app, NAME, DomainStatus.ACTIVE, "is a CNAME to new-owner.example.org")
    assert await core.answer(NAME) == 503, "still served"
    core.move(seconds=core.times.lost_for + 1)
    await core.reached(app, NAME, DomainStatus.FAILED)
    await core.answers(NAME, 404)


async def test_an_outage_of_the_dns_takes_no_domain_away(core: DomainCore) -> None:
    app = await core.app("shop")
    core.point(NAME, app)
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    core.names.refusing = True
    for _ in range(3):
        core.names.asked.clear()
        core.move(seconds=core.times.lost_for + 1)
        await core.names.was_asked(1)
    core.names.refusing = False
    assert (await core.domain(app, NAME)).status is DomainStatus.ACTIVE
    assert await core.answer(NAME) == 503


# --- routing


async def test_removal_unroutes_at_once(core: DomainCore) -> None:
    shop, blog = await core.app("shop"), await core.app("blog")
    core.point(NAME, shop)
    added = await core.domains.add(core.who, shop.id, NAME)
    await core.reached(shop, NAME, DomainStatus.ACTIVE)
    await core.domains.remove(core.who, shop.id, added.short_id)
    assert await core.answer(NAME) == 404
    assert await core.answer(APP_HOST) == 503
    core.point(NAME, blog)
    await core.domains.add(core.who, blog.id, NAME)
    await core.reached(blog, NAME, DomainStatus.ACTIVE)
    assert core.reconciler.routes.deployment_of_host(NAME) == blog.id


async def test_many_domains_are_checked_side_by_side(core: DomainCore) -> None:
    app = await core.app("shop")
    names = [f"n{number}.example.net" for number in range(30)]
    for name in names:
        core.point(name, app)
        await core.domains.add(core.who, app.id, name)
    for name in names:
        await core.reached(app, name, DomainStatus.ACTIVE)
    assert len(await core.told(app, VERIFIED)) == len(names)


async def test_a_restart_keeps_routes_and_goes_on_checking(core: DomainCore) -> None:
    app = await core.app("shop", replicas=1)
    core.point(NAME, app)
    await core.domains.add(core.who, app.id, NAME)
    await core.domains.add(core.who, app.id, "late.example.net")
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    await core.answers(NAME, 200)
    # What is routed but not yet said to run may be asked for again after a restart.
    await core.until(app, DeploymentStatus.RUNNING)

    answers = []

    async def ask() -> None:
        while True:
            answers.append(await core.answer(NAME))

    asking = asyncio.create_task(ask())
    await restarted(core)
    core.point("late.example.net", app)
    core.move(seconds=30)  # past what the checks before had claimed
    await core.reached(app, "late.example.net", DomainStatus.ACTIVE)
    asking.cancel()
    assert set(answers) == {200}, "nobody noticed"
    assert await core.answer("late.example.net") == 200
    assert len(await core.told(app, VERIFIED)) == 2


async def test_a_new_suffix_of_the_platform_leaves_domains_served(core: DomainCore) -> None:
    app = await core.app("shop", replicas=1)
    core.point(NAME, app)
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    await core.answers(NAME, 200)
    answers = []

    async def ask() -> None:
        while True:
            answers.append(await core.answer(NAME))

    asking = asyncio.create_task(ask())
    core.suffix = "apps.example.org"
    await restarted(core)
    await core.answers("shop.apps.example.org", 200)
    asking.cancel()
    assert set(answers) == {200}, "nobody noticed"


# --- certificates


WithAuthority = tuple[DomainCore, CertificateAuthority]


@pytest.fixture
async def core_and_authority(tmp_path: Path) -> AsyncIterator[WithAuthority]:
    """A core whose ingress gets its certificates from pebble."""
    made = DomainCore(tmp_path)
    await made.names.start()
    authority = CertificateAuthority(tmp_path / "pebble", free_port(), free_port())
    tls_port = free_port()
    await authority.start(http_port=made.ingress_port, tls_port=tls_port, name_server=made.names.address)
    made.tls = TlsOptions(
        tls_port, tmp_path / "certificates", acme_directory=authority.directory, acme_ca_root=authority.root
    )
    await made.start()
    made.who = await made.user("ada")
    try:
        yield made, authority
    finally:
        await made.clean()
        await authority.stop()


async def test_active_means_that_there_is_a_certificate(core_and_authority: WithAuthority) -> None:
    core, _ = core_and_authority
    app = await core.app("shop")
    core.point(NAME, app)
    core.names.put(APP_HOST, "A", "127.0.0.1")
    await core.domains.add(core.who, app.id, NAME)
    await core.reached(app, NAME, DomainStatus.ACTIVE)
    found = await core.ingress.certificate(NAME)
    assert found is not None
    assert found.issuer.startswith("Pebble")
    assert len(await core.told(app, VERIFIED)) == 1


async def test_why_there_is_no_certificate_is_told(core_and_authority: WithAuthority) -> None:
    core, _ = core_and_authority
    app = await core.app("shop")
    core.point(NAME, app)
    await core.domains.add(core.who, app.id, NAME)
    waiting = await core.reached_routed(app, NAME, "authority refused")
    assert waiting.status is DomainStatus.PENDING
    assert await core.answer(NAME) == 503, "served over HTTP, since it is proved"
    core.move(seconds=core.times.uncertified_for + 1)
    failed = await core.reached(app, NAME, DomainStatus.FAILED, "authority refused")
    assert failed.verified_at is None
    assert [entry.kind for entry in await core.told(app, VERIFIED, FAILED)] == [FAILED]


async def test_an_active_domain_stays_while_the_ingress_is_down(core_and_authority: WithAuthority) -> None:
    core, _ = core_and_authority
    app = await core.app("shop")
    core.point("shop.internal", app)
    await core.domains.add(core.who, app.id, "shop.internal")
    await core.reached(app, "shop.internal", DomainStatus.ACTIVE)
    await core.ingress.stop()
    core.move(seconds=core.times.active * 1.3)
    await core.reached(app, "shop.internal", DomainStatus.ACTIVE, "does not answer")
    core.move(seconds=core.times.lost_for + core.times.uncertified_for)
    await core.checked_again(app, "shop.internal")
    await core.reached(app, "shop.internal", DomainStatus.ACTIVE, "does not answer")


async def test_local_names_need_no_authority(core_and_authority: WithAuthority) -> None:
    core, authority = core_and_authority
    await authority.stop()
    app = await core.app("shop")
    core.point("shop.internal", app)
    await core.domains.add(core.who, app.id, "shop.internal")
    await core.reached(app, "shop.internal", DomainStatus.ACTIVE)
    found = await core.ingress.certificate("shop.internal")
    assert found is not None
    assert found.issuer.startswith("Pilothouse")

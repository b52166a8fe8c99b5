"""Adding, listing and removing custom domains: whose they are, and when they are free again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.domains import DnsRecord, DomainStatus
from backend.domain.errors import Conflict, Invalid, NotFound
from backend.domain.journal import JournalKind
from backend.services import domains as domains_module
from tests.domains.domain_core import DomainCore, patient

NAME = "shop.example.net"


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[DomainCore]:
    made = DomainCore(tmp_path)
    made.checking = False
    await made.start()
    made.who = await made.user("ada")
    try:
        yield made
    finally:
        await made.clean()


async def test_a_new_domain_is_pending_and_says_what_to_set(core: DomainCore) -> None:
    app = await core.app("shop")
    added = await core.domains.add(core.who, app.short_id, "Shop.Example.NET")
    assert added.short_id.startswith("dom-")
    assert (added.name, added.status, added.verified_at) == (NAME, DomainStatus.PENDING, None)
    assert added.dns_records == (DnsRecord("CNAME", NAME, "shop.apps.example.com"),)
    proof = added.verification
    assert (proof.type, proof.name) == ("TXT", f"_pilothouse.{NAME}")
    assert proof.value.startswith("pilothouse-verification=")
    assert len(proof.value) > 40
    (listed,) = await core.domains.list(core.who, app.id)
    assert listed == added
    (entry,) = await core.told(app, JournalKind.DOMAIN_ADDED)
    assert entry.data == {"domainId": added.short_id, "domain": NAME, "status": "pending"}


async def test_one_name_belongs_to_one_app(core: DomainCore) -> None:
    shop, blog = await core.app("shop"), await core.app("blog")
    added = await core.domains.add(core.who, shop.id, NAME)
    with pytest.raises(Conflict, match="this app's already"):
        await core.domains.add(core.who, shop.id, NAME.upper())
    with pytest.raises(Conflict, match=r"your app at shop\.apps\.example\.com"):
        await core.domains.add(core.who, blog.id, NAME)
    await core.domains.remove(core.who, shop.id, added.short_id)
    assert await core.domains.list(core.who, shop.id) == []
    assert (await core.domains.add(core.who, blog.id, NAME)).proof != added.proof


async def test_other_tenants_learn_nothing(core: DomainCore) -> None:
    eve = await core.user("eve")
    mine, theirs = await core.app("mine"), await core.app("theirs", who=eve)
    added = await core.domains.add(core.who, mine.id, NAME)
    with pytest.raises(Conflict) as refused:
        await core.domains.add(eve, theirs.id, NAME)
    assert refused.value.message.startswith(f"the domain {NAME} is in use already: if it is yours, set its CNAME to ")
    assert "shop." not in refused.value.message.removeprefix(f"the domain {NAME}")
    with pytest.raises(NotFound):
        await core.domains.list(eve, mine.id)
    with pytest.raises(NotFound):
        await core.domains.add(eve, mine.id, "other.example.net")
    with pytest.raises(NotFound):
        await core.domains.remove(eve, mine.id, added.id)
    with pytest.raises(NotFound, match="no domain"):
        await core.domains.remove(eve, theirs.id, added.id)
    await core.deployments.delete(eve, theirs.id)


async def test_deleting_an_app_frees_its_domains_at_once(core: DomainCore) -> None:
    shop, blog = await core.app("shop"), await core.app("blog")
    await core.domains.add(core.who, shop.id, NAME)
    await core.deployments.delete(core.who, shop.id)
    assert (await core.domains.add(core.who, blog.id, NAME)).app_host == "blog.apps.example.com"


async def test_who_could_not_prove_a_name_keeps_it_from_nobody(core: DomainCore) -> None:
    await core.checker.close()
    eve = await core.user("eve")
    squatted, rightful = await core.app("squatted", who=eve), await core.app("rightful")
    await core.domains.add(eve, squatted.id, NAME)
    core.times, core.checking = patient(missing_for=0.0), True
    await core.stop()
    await core.start()

    mine, core.who = core.who, eve
    await core.reached(squatted, NAME, DomainStatus.FAILED)
    core.who = mine
    await core.checker.close()
    await core.domains.add(core.who, rightful.id, NAME)
    assert await core.domains.list(eve, squatted.id) == []
    core.who = eve
    (entry,) = await core.told(squatted, JournalKind.DOMAIN_REMOVED)
    assert (entry.actor, "not proved" in entry.message) == ("system", True)
    core.who = mine
    await core.deployments.delete(eve, squatted.id)
    core.who = eve
    await core.until_gone(squatted)
    core.who = mine


async def test_an_app_has_so_many_domains_at_most(core: DomainCore) -> None:
    app = await core.app("shop")
    for number in range(domains_module.MAX_DOMAINS):
        await core.domains.add(core.who, app.id, f"n{number}.example.net")
    with pytest.raises(Invalid, match="at most"):
        await core.domains.add(core.who, app.id, NAME)

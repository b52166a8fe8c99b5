"""A name is free as soon as its app is deleted, whatever the old one's worker is still busy with."""

from __future__ import annotations

import asyncio

from backend.domain.deployments import DeploymentStatus
from backend.services.reconciler.routing import RouteBook
from tests.reconciler.core import Core
from tests.reconciler.stuck_registry import stuck_registry

RUNNING = DeploymentStatus.RUNNING


async def test_a_host_that_two_routes_want_goes_to_the_newcomer(core: Core) -> None:
    book = RouteBook(core.ingress, drain_seconds=1)
    await book.open()
    book.set("old", ("web.localhost",), ("10.1.2.3:80",), "")
    book.set("new", ("web.localhost",), (), "the new one")
    await book.flush()
    book.set("old", ("web.localhost",), ("10.1.2.4:80",), "")
    await book.flush()
    assert (await core.get("web")).text.strip() == "the new one"
    book.remove("old")
    await book.flush()
    assert book.deployment_of_host("web.localhost") == "new"
    assert (await core.get("web")).text.strip() == "the new one"


async def test_a_pull_that_hangs_holds_up_nothing_that_is_asked_meanwhile(core: Core, static_image: str) -> None:
    with stuck_registry() as image:
        app = await core.deploy("web", image)
        await core.eventually(app, lambda state: state.reason == "pulling")
        await core.deployments.stop(core.who, app.id)
        await core.until(app, DeploymentStatus.STOPPED)
        await core.deployments.start(core.who, app.id)
        await core.eventually(app, lambda state: state.reason == "pulling")
        # One that waits for the same pull is not given up with it.
        other = await core.deploy("other", image)
        await core.eventually(other, lambda state: state.reason == "pulling")
        await core.deployments.delete(core.who, app.id)
        heir = await core.deploy("web", static_image, 80)
        await asyncio.gather(core.until_gone(app), core.until(heir, RUNNING))
        assert (await core.get("web")).status_code == 200
        assert (await core.deployments.state(core.who, other.id)).reason == "pulling"

"""The feed of a tenant's environments: all of them, then what changes, progress and figures included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from backend.domain.environments import EnvironmentStatus
from backend.services.environment_feed import EnvironmentChange
from tests.services.environments.environment_core import DEADLINE_SECONDS, EnvironmentCore


async def first(
    changes: AsyncGenerator[EnvironmentChange, None], holds: Callable[[EnvironmentChange], object]
) -> EnvironmentChange:
    async with asyncio.timeout(DEADLINE_SECONDS):
        async for change in changes:
            if holds(change):
                return change
    raise AssertionError("the feed ended")


async def test_a_feed_tells_of_everything_that_happens(core: EnvironmentCore) -> None:
    before = await core.create(name="before")
    await core.running(before)
    other = await core.user("eve")
    async with aclosing(core.parts.feed.follow(core.who)) as changes, aclosing(core.parts.feed.follow(other)) as theirs:
        start = await anext(changes)
        assert start.complete
        assert [one.id for one in start.environments] == [before.id]
        assert (await anext(theirs)).environments == ()
        usage = await first(changes, lambda change: change.usage)
        assert usage.usage[0][0] == before.short_id
        assert usage.usage[0][1].memory_bytes
        made = await core.create("true", name="made")
        await first(
            changes,
            lambda change: any(
                one.id == made.id and one.status is EnvironmentStatus.RUNNING for one in change.environments
            ),
        )
        # What is only shown, and never written down, such as how far a pull is.
        shared = core.parts.reconciler._shared
        shared.report(made.id, "pulling", "half of it", EnvironmentStatus.RUNNING)
        await first(changes, lambda change: any(one.message == "half of it" for one in change.environments))
        await core.environments.delete(core.who, made.id)
        gone = await first(changes, lambda change: change.removed)
        assert gone.removed == (made.short_id,)

"""Environments whose image comes slowly, or not at all."""

from __future__ import annotations

from backend.domain.environments import EnvironmentChange, EnvironmentStatus
from tests.reconciler.stuck_registry import stuck_registry
from tests.services.environments.environment_core import IMAGE, EnvironmentCore


async def test_a_pull_that_hangs_is_told_of_and_given_up_for_another_wish(core: EnvironmentCore) -> None:
    with stuck_registry() as image:
        made, gone = await core.create(image=image), await core.create(image=image, name="gone")
        pulling = await core.eventually(made, lambda now: now.reason == "pulling")
        assert pulling.status is EnvironmentStatus.CREATING
        assert image in pulling.message
        await core.eventually(gone, lambda now: now.reason == "pulling")
        await core.environments.delete(core.who, gone.id)
        await core.until_gone(gone)
        await core.environments.update(core.who, made.id, EnvironmentChange(image=IMAGE))
        await core.running(made)


async def test_a_pull_that_fails_says_why_and_a_restart_tries_again(core: EnvironmentCore) -> None:
    with stuck_registry() as image:
        made = await core.create(image=image)
        await core.eventually(made, lambda now: now.reason == "pulling")
    failed = await core.until(made, EnvironmentStatus.ERROR)
    assert failed.reason == "pull_failed"
    assert failed.error_message is not None and image in failed.error_message
    await core.environments.restart(core.who, made.id)
    again = await core.eventually(made, lambda now: now.updated_at > failed.updated_at and now.reason == "pull_failed")
    assert again.status is EnvironmentStatus.ERROR


async def test_a_pull_that_fails_leaves_the_old_container_until_there_is_a_new_one(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    await core.run(made, "echo kept > /root/file")
    before = await core.container(made)
    with stuck_registry() as image:
        await core.environments.update(core.who, made.id, EnvironmentChange(image=image))
        await core.eventually(made, lambda now: now.reason == "pulling")
    await core.until(made, EnvironmentStatus.ERROR)
    assert (await core.container(made)).id == before.id
    await core.environments.update(core.who, made.id, EnvironmentChange(image=IMAGE))
    await core.running(made)
    assert await core.run(made, "cat /root/file") == "kept\n"

"""WebSockets that are open while replicas are exchanged: they end within the drain time, never at once."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.domain.deployments import DeploymentChange, DeploymentStatus
from tests.reconciler.core import Core

RUNNING = DeploymentStatus.RUNNING


def open_socket(core: Core, name: str) -> connect:
    return connect(
        f"ws://{name}.localhost:{core.ingress_port}/socket", host="127.0.0.1", port=core.ingress_port, proxy=None
    )


async def echoes(socket: ClientConnection, text: str) -> bool:
    await socket.send(text)
    return await socket.recv() == text


async def test_a_socket_lives_on_in_a_leaving_replica_which_goes_when_the_socket_does(
    core: Core, app_image: str
) -> None:
    app = await core.deploy("web", app_image)
    old = (await core.until(app, RUNNING)).replicas[0].container_id
    async with open_socket(core, "web") as socket:
        assert await echoes(socket, "before")
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2"}))
        await core.until(app, RUNNING)
        assert (await core.get("web")).text.startswith("2 ")
        assert await echoes(socket, "after")
        assert old in {c.id for c in await core.containers(app)}
    await core.until_removed(old)


async def test_a_socket_that_stays_open_ends_with_the_drain_time(core: Core, app_image: str) -> None:
    await core.stop()
    core.drain_seconds = 1.5
    await core.start()
    app = await core.deploy("web", app_image)
    old = (await core.until(app, RUNNING)).replicas[0].container_id
    async with open_socket(core, "web") as socket:
        await core.deployments.update(core.who, app.id, DeploymentChange(env={"VERSION": "2"}))
        await core.until(app, RUNNING)
        with pytest.raises(ConnectionClosed):
            while True:
                assert await echoes(socket, "still there")
                await asyncio.sleep(0.05)
    await core.until_removed(old)

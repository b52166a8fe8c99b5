"""Terminals in real containers."""

from __future__ import annotations

import asyncio
import io
import secrets
import tarfile
from collections.abc import AsyncIterator, Iterator

import docker
import pytest

from backend.domain.engine import ContainerPhase, ExecStream
from backend.domain.errors import Conflict, Invalid, NotFound
from backend.services.replicas import ReplicaView
from backend.services.terminals import TerminalService
from tests.engines.engine_bench import exit_code_of
from tests.services.running_replicas import DEADLINE, RunningReplicas, eventually, make_principal, running_replicas
from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.marks import commands


@pytest.fixture
async def app() -> AsyncIterator[RunningReplicas]:
    async with running_replicas() as running:
        yield running


@pytest.fixture
def terminals(app: RunningReplicas) -> TerminalService:
    return TerminalService(app.engine, app.view, app.deployment_of)


IDLE = "while :; do sleep 1; done"


async def shown(stream: ExecStream, text: str) -> str:
    """Read until the text was written."""
    seen = ""
    async with asyncio.timeout(DEADLINE):
        while text not in seen:
            data = await stream.read()
            assert data, f"ended before {text!r}: {seen!r}"
            seen += data.decode("utf-8", "replace")
    return seen


async def test_a_shell_with_a_real_terminal(app: RunningReplicas, terminals: TerminalService) -> None:
    container = await app.run(IDLE)
    session = await terminals.open(app.who, app.deployment.id, columns=101, rows=33)
    try:
        assert session.replica == container.name
        await session.stream.write(b"echo $TERM-$((6*7)); stty size\n")
        assert "xterm-256color-42" in await shown(session.stream, "33 101")
        await session.stream.resize(120, 40)
        await session.stream.write(b"stty size\n")
        await shown(session.stream, "40 120")
        await session.stream.write(b"exit 7\n")
        async with asyncio.timeout(DEADLINE):
            while await session.stream.read():
                pass
        assert await exit_code_of(session.stream) == 7
    finally:
        await session.stream.close()


async def test_bash_is_preferred(app: RunningReplicas, terminals: TerminalService) -> None:
    await app.run(IDLE, "python:3.11-slim")
    session = await terminals.open(app.who, app.deployment.id)
    try:
        await session.stream.write(b"echo shell=$0\n")
        await shown(session.stream, "shell=/")
        await session.stream.write(b"echo v=${BASH_VERSION%%.*}.\n")
        await shown(session.stream, "v=5.")
    finally:
        await session.stream.close()


async def test_bash_tells_where_commands_begin_and_how_they_end(
    app: RunningReplicas, terminals: TerminalService
) -> None:
    await app.run(IDLE, "python:3.11-slim")
    screen = Screen(80, 24)
    output = ByteStream(screen)
    session = await terminals.open(app.who, app.deployment.id)
    try:
        await session.stream.write(b"echo one; (exit 3)\necho $((6*7))-is-it\n")
        async with asyncio.timeout(DEADLINE):
            while [one.exit_status for one in commands(screen)][:2] != [3, 0]:
                output.feed(await session.stream.read())
    finally:
        await session.stream.close()
    first, second = commands(screen)[:2]
    assert first.output is not None
    assert second.output is not None
    assert [screen.line(one.output[0]).text.rstrip() for one in (first, second)] == ["one", "42-is-it"]


async def test_a_named_replica_and_command(app: RunningReplicas, terminals: TerminalService) -> None:
    await app.run(IDLE)
    second = await app.run(IDLE)
    for name in (second.name, second.id[:12]):
        session = await terminals.open(app.who, app.deployment.id, replica=name, command="echo 'a  b'")
        assert (session.replica, session.command) == (second.name, "echo 'a  b'")
        await shown(session.stream, "a  b")
        await session.stream.close()
    with pytest.raises(NotFound):
        await terminals.open(app.who, app.deployment.id, replica="nobody")


async def test_a_command_that_is_not_there_is_invalid(app: RunningReplicas, terminals: TerminalService) -> None:
    await app.run(IDLE)
    with pytest.raises(Invalid, match="no-such-thing"):
        await terminals.open(app.who, app.deployment.id, command="no-such-thing --at-all")
    for command in ("", "'unclosed", "x" * 5000):
        with pytest.raises(Invalid):
            await terminals.open(app.who, app.deployment.id, command=command)


async def test_a_command_that_says_nothing_at_first_is_open(app: RunningReplicas, terminals: TerminalService) -> None:
    await app.run(IDLE)
    session = await terminals.open(app.who, app.deployment.id, command="cat")
    await session.stream.write(b"hello\n")
    await shown(session.stream, "hello")
    await session.stream.close()


async def test_nothing_runs_is_a_conflict(app: RunningReplicas, terminals: TerminalService) -> None:
    with pytest.raises(Conflict, match="no replica"):
        await terminals.open(app.who, app.deployment.id)
    container = await app.run(IDLE)
    await app.engine.stop_container(container.id, 1)
    await eventually(lambda: app.view.of(app.deployment.id)[0].phase is ContainerPhase.EXITED, "it stopped")
    with pytest.raises(Conflict, match="exited"):
        await terminals.open(app.who, app.deployment.id, replica=container.name)


async def test_bounds_and_owners(app: RunningReplicas, terminals: TerminalService) -> None:
    await app.run(IDLE)
    for columns, rows in ((0, 24), (80, 0), (1001, 24), (80, 10**9)):
        with pytest.raises(Invalid):
            await terminals.open(app.who, app.deployment.id, columns=columns, rows=rows)
    with pytest.raises(NotFound):
        await terminals.open(make_principal(), app.deployment.id)


@pytest.fixture
def image_without_shell() -> Iterator[str]:
    """Only busybox, under another name: it can sleep, and nothing else."""
    client = docker.from_env()
    source = client.containers.create("busybox:latest")
    try:
        stream, _ = source.get_archive("/bin/busybox")
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            packed = archive.extractfile("busybox")
            assert packed is not None
            binary = packed.read()
    finally:
        source.remove()
    root = io.BytesIO()
    with tarfile.open(fileobj=root, mode="w") as archive:
        entry = tarfile.TarInfo("sleep")
        entry.size, entry.mode = len(binary), 0o755
        archive.addfile(entry, io.BytesIO(binary))
    name = f"ph-test-shell-less-{secrets.token_hex(4)}"
    client.api.import_image_from_data(root.getvalue(), repository=name, tag="1")
    try:
        yield f"{name}:1"
    finally:
        client.images.remove(f"{name}:1", force=True)
        client.close()


async def test_an_image_without_a_shell_says_so(image_without_shell: str) -> None:
    async with running_replicas() as app:
        await app.run_command(["/sleep", "1000"], image_without_shell)
        terminals = TerminalService(app.engine, app.view, app.deployment_of)
        with pytest.raises(Conflict, match="no shell"):
            await terminals.open(app.who, app.deployment.id)


async def test_a_backend_that_has_just_started_takes_no_replica_for_gone(app: RunningReplicas) -> None:
    container = await app.run_command(["sleep", "1000"], "busybox:latest")
    fresh = ReplicaView(app.engine)
    terminals = TerminalService(app.engine, fresh, app.deployment_of)
    opening = asyncio.create_task(terminals.open(app.who, app.deployment.id, replica=container.name))
    await asyncio.sleep(0)
    assert not opening.done()
    await fresh.start()
    try:
        session = await opening
        assert session.replica == container.name
        await session.stream.close()
    finally:
        await fresh.close()

"""Terminals in real containers."""

from __future__ import annotations

import asyncio

import docker
import pytest

from backend.domain.engine import ExecStream
from backend.domain.errors import Conflict, NotFound
from backend.engines import exec_terminal
from tests.engines.engine_bench import Bench, until


async def read_until(stream: ExecStream, text: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(30):
        while text not in seen:
            data = await stream.read()
            assert data, f"ended with {seen!r}"
            seen += data
    return seen


async def rest(stream: ExecStream) -> bytes:
    seen = b""
    async with asyncio.timeout(30):
        while data := await stream.read():
            seen += data
    return seen


async def test_a_shell_with_a_size_and_an_exit_code(bench: Bench) -> None:
    made = await bench.run()
    shell = await bench.engine.exec_terminal(made, ["sh"], columns=90, rows=33, env={"TERM": "xterm", "X": "y z"})
    await shell.write(b"stty size; echo $TERM $X\n")
    assert b"33 90" in await read_until(shell, b"xterm y z\r\n")
    assert await shell.exit_code() is None
    await shell.resize(120, 40)
    await shell.write(b"stty size\n")
    await read_until(shell, b"40 120")
    await shell.write("echo '✓'; exit 42\n".encode())
    assert "✓" in (await rest(shell)).decode()

    async def ended() -> bool:
        return await shell.exit_code() == 42

    await until(ended)
    await shell.resize(10, 10)
    await shell.close()
    await shell.close()


async def test_much_output_arrives_whole(bench: Bench) -> None:
    made = await bench.run()
    stream = await bench.engine.exec_terminal(
        made, ["sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x"], columns=80, rows=24, env={}
    )
    assert len(await rest(stream)) == 2_000_000
    await stream.close()


def processes(container_id: str) -> str:
    return str(docker.from_env().api.top(container_id)["Processes"])


@pytest.mark.parametrize("here", [True, False])
async def test_closing_hangs_up(bench: Bench, here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not here:  # as on an engine whose processes cannot be seen from this process
        monkeypatch.setattr(exec_terminal, "_hang_up_here", lambda pid, container_id: False)
    made = await bench.run()
    shell = await bench.engine.exec_terminal(made, ["sh"], columns=80, rows=24, env={})
    await shell.write(b"echo begun; sleep 12345\n")
    await read_until(shell, b"begun\r\n")
    assert "12345" in await until(lambda: asyncio.to_thread(processes, made))
    await shell.close()

    async def gone() -> bool:
        return "12345" not in await asyncio.to_thread(processes, made)

    await until(gone)


async def test_where_there_is_none_to_open_it_says_so(bench: Bench) -> None:
    stopped = await bench.engine.create_container(bench.spec())
    with pytest.raises(Conflict):
        await bench.engine.exec_terminal(stopped, ["sh"], columns=80, rows=24, env={})
    with pytest.raises(NotFound):
        await bench.engine.exec_terminal("0" * 64, ["sh"], columns=80, rows=24, env={})


async def test_a_missing_shell_ends_with_127_or_126(bench: Bench) -> None:
    made = await bench.run()
    stream = await bench.engine.exec_terminal(made, ["/no/bash"], columns=80, rows=24, env={})
    assert b"/no/bash" in await rest(stream)

    async def code() -> bool:
        return await stream.exit_code() in (126, 127)

    await until(code)
    await stream.close()

"""Sources that come back, and local programs to their end."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.widgets.terminal.waiting import eventually
from widgets.terminal.local_pty import LocalPty, terminal_environment, user_shell
from widgets.terminal.movable import Movable
from widgets.terminal.reconnecting import FROM_SCRATCH, Reconnecting, afresh
from widgets.terminal.source import TerminalSource

PREPARED = afresh(False)


class Line:
    """A source on a network that one can cut."""

    def __init__(self) -> None:
        self.output: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self.sizes: list[tuple[int, int]] = []
        self.written = b""
        self.closed = False

    async def read(self) -> bytes:
        got = await self.output.get()
        if isinstance(got, OSError):
            raise got
        return got

    async def write(self, data: bytes) -> None:
        self.written += data

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def exit_code(self) -> int | None:
        return 3

    async def close(self) -> None:
        self.closed = True


class Network:
    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.faults: list[OSError] = []
        self.told: list[str] = []
        self.lets_in = asyncio.Event()
        self.lets_in.set()

    async def open(self, columns: int, rows: int) -> TerminalSource:
        await self.lets_in.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.lines.append(Line())
        return self.lines[-1]


async def opened(network: Network) -> Reconnecting:
    return await Reconnecting(network.open, network.told.append, alternate=lambda: False).open(80, 24)


async def test_a_dropped_source_is_replaced_and_the_screen_is_told_to_begin_afresh() -> None:
    network = Network()
    source = await opened(network)
    network.lines[0].output.put_nowait(b"before")
    assert await source.read() == b"before"
    network.lines[0].output.put_nowait(ConnectionError("The line is cut"))
    network.faults = [ConnectionRefusedError("refused"), TimeoutError()]
    reading = asyncio.create_task(source.read())
    await eventually(lambda: "Next attempt in 1 s" in network.told[-1] if network.told else False)
    assert network.told[0] == "The line is cut. Connecting again"
    assert network.lines[0].closed
    await source.write(b"typed into the void")
    await source.resize(100, 30)
    source.reconnect_now()
    await eventually(lambda: any("No answer" in told for told in network.told))
    source.reconnect_now()
    assert await reading == PREPARED
    assert network.told[-1] == ""
    assert network.lines[1].sizes == [(100, 30)]
    await source.write(b"x")
    assert network.lines[1].written == b"x"
    network.lines[1].output.put_nowait(b"")
    assert await source.read() == b""
    assert await source.exit_code() == 3


@pytest.mark.parametrize("moved", [False, True])
async def test_one_that_goes_on_with_its_process_gets_the_screen_anew(moved: bool) -> None:
    network = Network()
    source = await opened(network)

    class Resumed(Line):
        resumed = True

    async def open_again(columns: int, rows: int) -> TerminalSource:
        network.lines.append(Resumed())
        return Movable(network.lines[-1]) if moved else network.lines[-1]

    source._factory = open_again
    network.lines[0].output.put_nowait(ConnectionError("cut"))
    assert await source.read() == FROM_SCRATCH
    network.lines[1].output.put_nowait(b"the screen")
    assert await source.read() == b"the screen"


async def test_a_reader_that_is_cancelled_loses_nothing() -> None:
    network = Network()
    source = await opened(network)
    network.lines[0].output.put_nowait(ConnectionError())
    network.lets_in.clear()
    reading = asyncio.create_task(source.read())
    await eventually(lambda: network.told)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    network.lets_in.set()
    assert await source.read() == PREPARED
    assert len(network.lines) == 2


async def test_what_trying_again_would_not_change_is_the_end() -> None:
    network = Network()
    source = await opened(network)
    network.faults = [PermissionError("no")]
    network.lines[0].output.put_nowait(ConnectionError("cut"))
    with pytest.raises(PermissionError):
        await source.read()
    with pytest.raises(ConnectionRefusedError):
        network.faults = [ConnectionRefusedError("never worked")]
        await opened(network)


async def test_closing_ends_the_wait() -> None:
    network = Network()
    source = await opened(network)
    network.faults = [ConnectionError("down")] * 50
    network.lines[0].output.put_nowait(ConnectionError("cut"))
    reading = asyncio.create_task(source.read())
    await eventually(lambda: len(network.told) > 1)
    await source.close()
    async with asyncio.timeout(60):
        assert await reading == b""


async def test_a_program_left_in_the_background_does_not_keep_the_terminal_open() -> None:
    source = await LocalPty.open(["/bin/sh", "-c", "sleep 60 & echo over"])
    seen = b""
    async with asyncio.timeout(60):
        while data := await source.read():
            seen += data
    assert b"over" in seen
    assert await source.exit_code() == 0
    await source.close()


async def test_the_keys_of_the_terminal_work_in_an_app_that_was_started_without_one() -> None:
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)}
    try:
        source = await LocalPty.open(["/bin/sh", "-c", "grep ^Sig /proc/self/status"])
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    seen = b""
    async with asyncio.timeout(60):
        while data := await source.read():
            seen += data
    await source.close()
    masks = dict(line.split(":") for line in seen.decode().splitlines())
    keys = sum(1 << (number - 1) for number in (*kept, signal.SIGTSTP, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD))
    assert (int(masks["SigIgn"], 16) & keys, int(masks["SigBlk"], 16)) == (0, 0)


def test_programs_hear_nothing_of_the_outer_terminal(tmp_path: Path) -> None:
    inner = terminal_environment({"TMUX": "x", "TERM": "screen", "HOME": "/h", "COLUMNS": "7"})
    assert inner == {"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": "/h"}
    assert user_shell({"SHELL": "/bin/sh"}) == "/bin/sh"
    assert user_shell({"SHELL": str(tmp_path / "none")}) == "/bin/sh"


async def test_a_source_that_is_closed_before_it_leaves_for_another_terminal_is_said_to_be_lost() -> None:
    line = Line()
    source = Movable(line)
    await source.close()
    assert line.closed
    with pytest.raises(ConnectionError):
        await source.leave()
    moving_on = Movable(Line())
    leaving = asyncio.create_task(moving_on.leave())
    await asyncio.sleep(0)
    await moving_on.close()
    heir = await leaving
    assert isinstance(heir, Movable)

"""Floods, stalled viewers, programs that do not read, and the loss of holder, engine and container."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from time import monotonic

import docker
import pytest

from backend.domain.terminals import EndReason, HolderLost, SessionKey, TerminalViewer
from backend.terminals import viewing
from backend.terminals.places import HolderPlaces
from tests.end_to_end.engine_door import EngineDoor
from tests.terminals.holder_bench import SCOPE, HolderBench, Seen, gone, holder_here, rest_of, until, until_text


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


async def echoes(viewer: TerminalViewer, count: int) -> list[float]:
    """Seconds that keys took to come back."""
    taken = []
    for _ in range(count):
        began = monotonic()
        await viewer.write(b"k")
        async with asyncio.timeout(20):
            while b"k" not in await viewer.read():
                pass
        taken.append(monotonic() - began)
    return taken


async def test_a_flood_with_a_stalled_viewer_grows_nothing_and_starves_nobody(bench: HolderBench) -> None:
    quiet = await bench.attach("quiet", "sh", "-c", "stty raw; cat")
    flood = await bench.attach("flood", "yes", "a line of some length that comes again and again")
    await until_text(flood, b"again\r\n")
    pid = bench.holder_pid()
    assert pid
    before = resident_mb(pid)
    # It reads no more, while the program goes on: 5,000 lines of scrollback are there soon.
    peaks = []
    for _ in range(6):
        await echoes(quiet, 25)
        peaks.append(resident_mb(pid))
        await asyncio.sleep(0.5)
    assert max(peaks) < before + 40, f"{before} MB, then {peaks}"
    told = next(info for info in await bench.client.sessions() if info.name == "flood")
    assert told.last_output_at is not None
    later = next(info for info in await bench.client.sessions() if info.name == "flood")
    assert later.last_output_at is not None and later.last_output_at >= told.last_output_at
    # One that reads again sees the present, not all that it missed.
    seen = Seen()
    async with asyncio.timeout(20):
        while not any(line.startswith("a line") for line in seen.lines):
            seen.feed(await flood.read())
    await flood.write(b"\x03")
    assert await asyncio.wait_for(rest_of(flood), 20)
    assert flood.end is not None
    assert flood.end.code == 130


async def test_a_viewer_that_reads_slowly_but_steadily_misses_nothing(bench: HolderBench) -> None:
    viewer = await bench.attach("count", "seq", "1", "200000")
    output = b""
    async with asyncio.timeout(60):
        while data := await viewer.read():
            output += data
            await asyncio.sleep(0.002)
    assert output.split() == [str(n).encode() for n in range(1, 200_001)]


async def test_beside_one_who_reads_a_stalled_viewer_gets_the_screen_anew(bench: HolderBench) -> None:
    reads = await bench.attach("count", "sh", "-c", "read x; seq 1 300000; echo en''d; sleep 100")
    stalled = await bench.attach("count")
    await reads.write(b"\n")
    whole = await until_text(reads, b"end\r\n")
    assert b"\r\n299999\r\n300000\r\n" in whole
    seen = await Seen().follow(stalled, lambda seen: "end" in seen.lines)
    assert seen.lines[seen.lines.index("end") - 1] == "300000"
    numbers = [int(line) for line in seen.scrollback if line.isdigit()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "what it has is without a gap"


async def test_input_that_is_never_read_ends_its_viewer_only(
    bench: HolderBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewing, "STUCK_SECONDS", 1.0)
    async with holder_here(HolderPlaces.of(bench.places).socket):
        typing = await bench.attach("deaf", "sh", "-c", "stty raw -echo; echo deaf; sleep 1000")
        watching = await bench.attach("deaf")
        await until_text(typing, b"deaf\n")

        async def type_on() -> int:
            sent = 0
            while typing.end is None:
                try:
                    await typing.write(b"x" * 65536)
                except Exception:
                    break
                sent += 65536
            return sent

        async with asyncio.timeout(30):
            sent = await type_on()
            await rest_of(typing)
        assert sent < 4_000_000, "what a program does not read is bounded"
        assert typing.end is not None
        assert typing.end.reason is EndReason.INPUT_STUCK
        assert watching.end is None
        assert [info.viewers for info in await bench.client.sessions()] == [1]


async def test_a_holder_with_nothing_to_hold_ends(bench: HolderBench) -> None:
    async with holder_here(HolderPlaces.of(bench.places).socket, idle_seconds=3) as holder:
        viewer = await bench.attach("short", "true")
        await rest_of(viewer)
        await viewer.close()
        assert not holder.done.is_set()
        async with asyncio.timeout(40):
            await holder.done.wait()


async def test_an_older_holder_keeps_its_sessions_beside_a_new_one(bench: HolderBench) -> None:
    old_socket = bench.places.socket.parent / "hold-0000.sock"
    ours = HolderPlaces.of(bench.places).socket
    async with holder_here(old_socket):
        await asyncio.to_thread(ours.symlink_to, old_socket)
        old = await bench.attach("old")
        await old.write(b"x=kept\n")
        await asyncio.to_thread(ours.unlink)

        new = await bench.attach("new")
        again = await bench.attach("old")
        assert (new.resumed, again.resumed) == (False, True)
        await again.write(b"echo $x-$((1+1))\n")
        await until_text(again, b"kept-2")
        assert {status.sessions for status in await bench.client.holders()} == {1}
        assert {info.name for info in await bench.client.sessions()} == {"old", "new"}
        # The shell of the older holder is no orphan.
        await asyncio.sleep(0.3)
        await again.write(b"echo still-$((2+2))\n")
        await until_text(again, b"still-4")


async def test_a_holder_whose_socket_was_removed_is_found_again(bench: HolderBench) -> None:
    first = await bench.attach()
    await first.write(b"x=kept\n")
    pid = bench.holder_pid()
    await asyncio.to_thread(HolderPlaces.of(bench.places).socket.unlink)
    again = await bench.attach()
    assert (again.resumed, bench.holder_pid()) == (True, pid)
    await again.write(b"echo $x-$((1+1))\n")
    await until_text(again, b"kept-2")
    await until_text(first, b"kept-2")


async def test_a_killed_holder_is_told_and_the_next_one_hangs_up_what_it_left(bench: HolderBench) -> None:
    viewer = await bench.attach("main", "sh", "-c", "sleep 54321; true")
    await until(lambda: "54321" in bench.processes(), "it runs")
    pid = bench.holder_pid()
    assert pid
    bench.kill_holder()
    with pytest.raises(HolderLost, match="open the terminal again"):
        await rest_of(viewer)
    await until(lambda: gone(pid) or bench.holder_pid() is None, "the holder is gone")
    assert await bench.client.sessions() == []
    fresh = await bench.attach("main")
    assert not fresh.resumed
    await fresh.write(b"echo fresh-$((1+1))\n")
    await until_text(fresh, b"fresh-2")
    await until(lambda: "54321" not in bench.processes(), "the orphan was hung up")
    await fresh.write(b"echo alive-$((1+2))\n")
    await until_text(fresh, b"alive-3")


async def test_a_lost_engine_ends_the_session_with_that_reason(bench: HolderBench, tmp_path: Path) -> None:
    door = EngineDoor(tmp_path / "engine.sock")
    door.open()
    try:
        start = replace(bench.start(), access=replace(bench.access, url=door.url))
        viewer = await bench.client.attach(SessionKey(SCOPE, "main"), start, 80, 24)
        await viewer.write(b"echo up-$((1+1))\n")
        await until_text(viewer, b"up-2")
        door.shut()
        await rest_of(viewer)
        assert viewer.end is not None
        assert viewer.end.reason is EndReason.ENGINE_LOST
        door.open()
        again = await bench.client.attach(SessionKey(SCOPE, "main"), start, 80, 24)
        assert not again.resumed
        await again.write(b"echo up-$((2+2))\n")
        await until_text(again, b"up-4")
    finally:
        door.shut()


async def test_a_removed_container_ends_its_sessions(bench: HolderBench) -> None:
    viewer = await bench.attach()
    elsewhere = docker.from_env().containers.run("busybox:latest", ["sleep", "3600"], detach=True, network="none")
    try:
        start = replace(bench.start(), container_id=elsewhere.id)
        other = await bench.client.attach(SessionKey("environment/other", "main"), start, 80, 24)
        await asyncio.to_thread(elsewhere.remove, force=True)
        await rest_of(other)
        assert other.end is not None
        assert other.end.reason in (EndReason.CONTAINER_REMOVED, EndReason.CONTAINER_STOPPED)
    finally:
        if elsewhere.id in {each.id for each in docker.from_env().containers.list(all=True)}:
            elsewhere.remove(force=True)
    await viewer.write(b"echo here-$((1+1))\n")
    await until_text(viewer, b"here-2")


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 64,
        b"\0\0\0\2\1[]",
        b'\0\0\0\x02\1{}',
        b'\0\0\0\x0f\1{"protocol":99}',
        b'\0\0\0\x1b\1{"protocol":1,"op":"dance"}',
        b"\0\0\0\1\0x",
    ],
)  # fmt: skip
async def test_junk_is_refused_and_others_go_on(bench: HolderBench, junk: bytes) -> None:
    viewer = await bench.attach()
    reader, writer = await asyncio.open_unix_connection(str(HolderPlaces.of(bench.places).socket))
    writer.write(junk)
    async with asyncio.timeout(40):
        answer = await reader.read(4096)
    assert b'"type":"error"' in answer
    writer.close()
    await viewer.write(b"echo on-$((1+1))\n")
    await until_text(viewer, b"on-2")


@pytest.mark.parametrize("size", [(0, 24), (80, 10_000), ("a", 24)])
async def test_a_size_that_cannot_be_ends_that_viewer_with_a_word(bench: HolderBench, size: tuple[int, int]) -> None:
    viewer = await bench.attach()
    other = await bench.attach()
    await viewer.resize(*size)
    with pytest.raises(HolderLost, match="size of"):
        await rest_of(viewer)
    await other.write(b"stty size\n")
    await until_text(other, b"24 80")

"""Sessions in a real holder process, in a real container."""

from __future__ import annotations

import asyncio
import re
import stat
from dataclasses import replace

import docker
import pytest

from backend.domain.errors import Conflict, NotFound, Unavailable
from backend.domain.terminals import EndReason, SessionKey, StartFailed
from tests.terminals.holder_bench import SCOPE, HolderBench, Seen, rest_of, until, until_text


async def test_a_shell_with_a_size_and_an_exit_code(bench: HolderBench) -> None:
    viewer = await bench.attach(columns=101, rows=33)
    assert (viewer.resumed, viewer.size, viewer.container_id) == (False, (101, 33), bench.container_id)
    await viewer.write(b"echo $TERM-$((6*7)); stty size\n")
    assert b"xterm-256color-42" in await until_text(viewer, "33 101")
    await viewer.resize(120, 40)
    await viewer.write(b"stty size\n")
    await until_text(viewer, "40 120")
    await viewer.write(b"exit 7\n")
    await rest_of(viewer)
    assert viewer.end is not None
    assert (viewer.end.reason, await viewer.exit_code()) == (EndReason.EXITED, 7)
    with pytest.raises(Unavailable, match="ended"):
        await viewer.write(b"x")
    await viewer.resize(80, 24)
    await viewer.close()
    assert await bench.client.sessions() == []


async def test_the_screen_and_its_scrollback_are_there_on_return(bench: HolderBench) -> None:
    viewer = await bench.attach()
    await viewer.write(b"seq 1 500; printf '\\033[1;35mend\\033[m of it\\n'; x=kept\n")
    await until_text(viewer, b"of it\r\n")
    await viewer.close()
    assert [(info.name, info.viewers) for info in await bench.client.sessions(SCOPE)] == [("main", 0)]

    again = await bench.attach()
    assert again.resumed
    seen = await Seen().follow(again, lambda seen: "end of it" in seen.lines and seen.lines[-1].endswith("$"))
    assert [line for line in seen.scrollback + seen.lines if line.isdigit()] == [str(n) for n in range(1, 501)]
    assert len(seen.lines) == 24
    await again.write(b"echo $x\n")
    await seen.follow(again, lambda seen: "kept" in seen.lines)
    # The shell's own terminal and the viewer's agree about where the cursor is.
    await again.write(b"\x15echo ab\x1b[D\x1b[DX\n")
    await seen.follow(again, lambda seen: "Xab" in seen.lines)


async def test_a_full_screen_program_is_there_on_return_in_the_new_size(bench: HolderBench) -> None:
    viewer = await bench.attach()
    seen = Seen()
    await viewer.write(b"vi /tmp/notes\n")
    await seen.follow(viewer, lambda seen: seen.lines[1:2] == ["~"])
    await viewer.write(b"ifirst line\rsecond")
    await seen.follow(viewer, lambda seen: seen.lines[:2] == ["first line", "second"])
    await viewer.close()

    again = await bench.attach(columns=100, rows=30)
    later = await Seen(100, 30).follow(again, lambda seen: seen.lines[:2] == ["first line", "second"])
    assert (later.screen.cursor.x, later.screen.cursor.y) == (6, 1)
    await again.write(b" line\x1b")
    await later.follow(again, lambda seen: seen.lines[-1].startswith("-"))
    await again.write(b":wq\r")
    await until_text(again, "$")
    await again.write(b"cat /tmp/notes\n")
    await until_text(again, "first line\r\nsecond line")


async def test_several_viewers_see_the_same_and_the_active_one_gives_the_size(bench: HolderBench) -> None:
    one = await bench.attach(columns=100, rows=30)
    two = await bench.attach(columns=80, rows=20)
    assert two.resumed
    async with asyncio.timeout(30):
        assert await one.next_size() == (80, 20)
    await two.write(b'stty size; echo bo""th\n')
    for viewer in (one, two):
        assert b"20 80" in await until_text(viewer, b"both\r\n")
    # Whoever types gets his size.
    await one.write(b'stty size; echo a""gain\n')
    for viewer in (one, two):
        assert b"30 100" in await until_text(viewer, b"again\r\n")
    async with asyncio.timeout(30):
        assert await two.next_size() == (100, 30)
    assert [(i.columns, i.rows, i.viewers) for i in await bench.client.sessions()] == [(100, 30, 2)]
    await one.close()
    await two.write(b"exit 3\n")
    await rest_of(two)
    assert await two.exit_code() == 3


async def test_every_byte_comes_through_both_ways(bench: HolderBench) -> None:
    viewer = await bench.attach("raw", "sh", "-c", "stty raw -echo; echo ready; cat")
    await until_text(viewer, b"ready\n")
    plain = bytes(byte for byte in range(256) if byte != 0x1B)
    data = bytes(range(256)) * 16 + bytes(byte for first in plain for second in range(256) for byte in (first, second))
    echoed = b""
    sending = asyncio.create_task(viewer.write(data))
    async with asyncio.timeout(30):
        while len(echoed) < len(data):
            data_read = await viewer.read()
            assert data_read, viewer.end
            echoed += data_read
        await sending
    assert echoed == data
    await viewer.write(b"\x1b")
    async with asyncio.timeout(30):
        assert await viewer.read() == b"\x1b", "what may become a question is not kept for ever"


async def test_a_character_cut_in_two_is_whole_for_one_who_comes_in_between(bench: HolderBench) -> None:
    viewer = await bench.attach("cut", "sh", "-c", "stty -echo; printf 'a\\342\\202'; read x; printf '\\254b'; read x")
    await until_text(viewer, b"a\xe2\x82")
    second = await bench.attach("cut")
    shown = await until_text(second, b"\xe2\x82")
    await viewer.write(b"\n")
    assert (await until_text(viewer, b"b")).endswith(b"\xacb")
    seen = Seen().feed(shown)
    assert (await seen.follow(second, lambda seen: "b" in seen.lines[0])).lines[0] == "a€b"


@pytest.mark.parametrize("viewers", [0, 1, 2])
async def test_a_question_is_answered_once_and_seen_by_no_viewer(bench: HolderBench, viewers: int) -> None:
    script = (
        "stty raw -echo; read x; for q in '[5n' '[6n' '[c'; do sleep 0.1; printf \"\\033$q\"; done;"
        " sleep 3; dd bs=64 count=1 2>/dev/null | tr '\\033' E >/tmp/answers; echo done; sleep 100"
    )
    first = await bench.attach("ask", "sh", "-c", script)
    looking = [first, *[await bench.attach("ask") for _ in range(viewers - 1)]]
    await first.write(b"\n")
    if not viewers:
        await first.close()
    shown = [await until_text(viewer, b"done") for viewer in looking[:viewers]]
    other = await bench.attach("other")
    await other.write(b"until [ -s /tmp/answers ]; do sleep 0.05; done; cat /tmp/answers; echo .\n")
    answers = await until_text(other, b"c.")
    assert answers.count(b"E[0n") == 1
    assert answers.count(b"E[1;1R") == 1
    assert answers.count(b"E[?6") == 1
    for output in shown:
        seen = Seen().feed(output)
        assert seen.replies == []


async def test_what_only_a_viewer_knows_is_asked_of_the_one_that_was_active_last(bench: HolderBench) -> None:
    first = await bench.attach("ask", "sh", "-c", "stty -echo; read x; printf '\\033]11;?\\007done'; sleep 100")
    second = await bench.attach("ask")
    await first.write(b"\n")
    assert b"\x1b]11;?\x07" in await until_text(first, b"done")
    assert b"\x1b]11;?" not in await until_text(second, b"done")


async def test_two_who_come_at_once_share_one_process(bench: HolderBench) -> None:
    viewers = await asyncio.gather(*(bench.attach("shared") for _ in range(5)))
    assert [viewer.resumed for viewer in viewers].count(False) == 1
    await viewers[3].write(b'echo pid""=$$ en""d\n')
    found = [re.search(rb"pid=(\d+) end", await until_text(viewer, b"end\r\n")) for viewer in viewers]
    assert len({match[1] for match in found if match}) == 1


async def test_a_notice_is_shown_to_all(bench: HolderBench) -> None:
    one, two = await bench.attach("one"), await bench.attach("two")
    elsewhere = await bench.attach("one", scope="environment/other")
    assert await bench.client.notify(SCOPE, "stops in 5 minutes\x1b[2J") == 2
    for viewer in (one, two):
        assert b"stops in 5 minutes[2J" in await until_text(viewer, b"5 minutes[2J")
    await elsewhere.write(b"echo mine\n")
    assert b"stops" not in await until_text(elsewhere, b"mine\r\n")


async def test_ending_a_session_hangs_up_its_processes(bench: HolderBench) -> None:
    viewer = await bench.attach("busy")
    kept = await bench.attach("kept")
    await viewer.write(b"echo begun; sleep 12345\n")
    await until_text(viewer, b"begun\r\n")
    await until(lambda: "12345" in bench.processes(), "it runs")
    assert await bench.client.end(SCOPE, "busy", EndReason.ENDED, "ended by ada") == 1
    await rest_of(viewer)
    assert viewer.end is not None
    assert (viewer.end.reason, viewer.end.message) == (EndReason.ENDED, "ended by ada")
    await until(lambda: "12345" not in bench.processes(), "its program is gone")
    await kept.write(b"echo still-$((1+1))\n")
    await until_text(kept, "still-2")
    assert await bench.client.end(SCOPE, "busy", EndReason.ENDED, "") == 0


async def test_what_cannot_be_started_says_why(bench: HolderBench) -> None:
    with pytest.raises(StartFailed) as failed:
        await bench.attach("none", "/no/such/thing")
    assert b"/no/such/thing" in failed.value.output
    assert await bench.client.sessions() == []
    with pytest.raises(NotFound):
        await bench.client.attach(SessionKey(SCOPE, "x"), replace(bench.start(), container_id="0" * 64), 80, 24)


async def test_output_of_a_short_command_arrives_as_it_was(bench: HolderBench) -> None:
    viewer = await bench.attach("short", "sh", "-c", "printf 'a\\033[31mb'; exit 4")
    assert await rest_of(viewer) == b"a\x1b[31mb"
    assert await viewer.exit_code() == 4


async def test_the_socket_is_the_owners_alone(bench: HolderBench) -> None:
    await bench.attach()
    [socket] = bench.places.socket.parent.glob("hold-*.sock")
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_a_stopped_container_is_a_conflict(bench: HolderBench) -> None:
    viewer = await bench.attach()
    await asyncio.to_thread(docker.from_env().api.stop, bench.container_id, 1)
    await rest_of(viewer)
    assert viewer.end is not None
    assert viewer.end.reason is EndReason.CONTAINER_STOPPED
    with pytest.raises(Conflict):
        await bench.attach()


async def test_a_session_that_lingers_ends_when_nobody_has_viewed_it_for_so_long(bench: HolderBench) -> None:
    start = replace(bench.start(), linger_seconds=0.5)
    one = await bench.client.attach(SessionKey(SCOPE, "main"), start, 80, 24)
    two = await bench.client.attach(SessionKey(SCOPE, "main"), start, 80, 24)
    await one.close()
    await asyncio.sleep(1)
    await two.write(b"echo here-$((1+1))\n")
    await until_text(two, b"here-2")
    await two.close()
    await until(lambda: no_sessions(bench), "its end")
    # One whose viewer never came.
    await (await bench.client.attach(SessionKey(SCOPE, "later"), start, 80, 24, later=True)).close()
    await until(lambda: no_sessions(bench), "its end")


async def test_a_viewer_hangs_up_and_the_others_are_told(bench: HolderBench) -> None:
    one, two = await bench.attach("main", "sleep", "61000"), await bench.attach("main")
    one.hang_up()
    await rest_of(two)
    assert two.end is not None
    assert (two.end.reason, "viewers" in two.end.message) == (EndReason.ENDED, True)
    await until(lambda: "61000" not in bench.processes(), "the end of the process")
    assert await no_sessions(bench)


async def no_sessions(bench: HolderBench) -> bool:
    return await bench.client.sessions() == []

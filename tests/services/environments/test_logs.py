"""What installations say: kept, replayed to late viewers, and followed; and what containers write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.environments import EnvironmentLogLine, EnvironmentStatus, InstallEvent, InstallEventKind
from backend.domain.errors import Invalid
from backend.services.environments.installation import MAX_BATCH_LINES, _Lines
from backend.storage import install_events
from tests.engines.engine_bench import until
from tests.services.environments.environment_core import DEADLINE_SECONDS, EnvironmentCore

Told = InstallEvent | EnvironmentLogLine
WRITE_AS_CONTAINER = "echo 'ERROR it broke' > /proc/1/fd/1; echo plain > /proc/1/fd/1"


async def read_until(lines: AsyncGenerator[Told, None], kind: InstallEventKind) -> list[InstallEvent]:
    """Events up to the first of a kind."""
    found: list[InstallEvent] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        async for item in lines:
            if isinstance(item, InstallEvent):
                found.append(item)
                if item.kind is kind:
                    return found
    raise AssertionError(f"ended after {found}")


async def test_an_installation_is_shown_as_it_goes_and_replayed_whole(core: EnvironmentCore) -> None:
    made = await core.create("echo one", "printf 'two\\nno end'", "true")
    async with aclosing(core.environments.follow(core.who, made.short_id)) as lines:
        live = await read_until(lines, InstallEventKind.COMPLETE)
    assert [event.text for event in live if event.kind is InstallEventKind.LOG] == ["one", "two", "no end"]
    assert [event.sequence for event in live] == sorted({event.sequence for event in live})
    assert [event.text for event in live if event.kind is InstallEventKind.STATUS] == [
        "installing: 3 steps",
        "step 1 of 3: echo one",
        "step 2 of 3: printf 'two\\nno end'",
        "step 3 of 3: true",
    ]
    await core.running(made)
    await core.restart()
    async with aclosing(core.environments.follow(core.who, made.id)) as lines:
        assert await read_until(lines, InstallEventKind.COMPLETE) == live


async def test_a_failure_and_the_next_try_are_told_to_one_viewer(core: EnvironmentCore) -> None:
    made = await core.create("test -e /repaired || exit 3")
    async with aclosing(core.environments.follow(core.who, made.id)) as lines:
        failed = (await read_until(lines, InstallEventKind.ERROR))[-1]
        assert "code 3" in failed.text
        await core.until(made, EnvironmentStatus.ERROR)
        await core.run(made, "touch /repaired")
        await core.environments.restart(core.who, made.id)
        rest = await read_until(lines, InstallEventKind.COMPLETE)
    assert rest[0].sequence == failed.sequence + 1


async def test_a_follower_ends_with_its_environment(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)

    async def follow() -> None:
        async for _ in core.environments.follow(core.who, made.id):
            continue

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await core.environments.delete(core.who, made.id)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await following


async def test_the_log_has_installation_and_container_in_order(core: EnvironmentCore) -> None:
    made = await core.create("echo installing")
    await core.running(made)
    await core.run(made, WRITE_AS_CONTAINER)

    async def container_lines() -> list[EnvironmentLogLine]:
        logs = await core.environments.logs(core.who, made.id)
        found = [line for line in logs.lines if line.source == "container"]
        return found if len(found) == 2 else []

    lines = await until(container_lines)
    assert [(line.level, line.message) for line in lines] == [("ERROR", "ERROR it broke"), ("INFO", "plain")]
    logs = await core.environments.logs(core.who, made.id)
    assert logs.lines[0].source == "installation"
    assert "installing" in [line.message for line in logs.lines]
    assert [line.at for line in logs.lines] == sorted(line.at for line in logs.lines)
    assert logs.total_lines == len(logs.lines)
    assert not logs.has_more
    last = await core.environments.logs(core.who, made.id, lines=1)
    assert ([line.message for line in last.lines], last.total_lines, last.has_more) == (["plain"], 1, True)
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert (await core.environments.logs(core.who, made.id, since=later)).lines == ()
    for wrong in (0, 1001, -1):
        with pytest.raises(Invalid):
            await core.environments.logs(core.who, made.id, lines=wrong)


async def test_container_lines_are_followed_too(core: EnvironmentCore) -> None:
    made = await core.create()
    await core.running(made)
    async with aclosing(core.environments.follow(core.who, made.id)) as lines:
        await read_until(lines, InstallEventKind.COMPLETE)
        await core.run(made, WRITE_AS_CONTAINER)
        found: list[str] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for item in lines:
                if isinstance(item, EnvironmentLogLine):
                    found.append(item.message)
                if len(found) == 2:
                    break
    assert found == ["ERROR it broke", "plain"]


async def test_a_flood_is_cut_and_says_so_and_the_end_is_there(core: EnvironmentCore) -> None:
    made = await core.create("seq 1 300000")
    await core.running(made)
    said = await core.said(made)
    assert said[-1] == "300000"
    assert len(said) < install_events.MAX_EVENTS
    assert any("lines left out" in line for line in said)


async def test_only_the_newest_events_are_kept(core: EnvironmentCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_events, "MAX_EVENTS", 50)
    made = await core.create("seq 1 200")
    await core.running(made)
    events = await core.events(made)
    assert len(events) <= 50
    assert events[-1].kind is InstallEventKind.COMPLETE


def test_lines_are_put_together_from_any_pieces() -> None:
    lines = _Lines()
    for stream, data in (
        ("stdout", b"a"),
        ("stderr", b"other\n"),
        ("stdout", "b\u00e9".encode()[:2]),
        ("stdout", "b\u00e9".encode()[2:] + b"\nprogress 1\rprogress 2\r\n\0\xff\nrest"),
    ):
        lines.feed(stream, data)
    assert lines.take() == ["other", "ab\u00e9", "progress 2", "\ufffd\ufffd"]
    assert lines.take(finish=True) == ["rest"]
    lines.feed("stdout", b"x\n" * 5000)
    taken = lines.take()
    assert taken[0] == f"... {5000 - MAX_BATCH_LINES} lines left out ..."
    assert len(taken) == MAX_BATCH_LINES + 1

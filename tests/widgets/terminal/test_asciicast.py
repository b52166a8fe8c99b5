"""Recordings: written while it happens, read whatever the file holds, replayed at any speed."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.widgets.terminal.waiting import eventually
from widgets.terminal.asciicast import CastError, CastEvent, Recording, read_cast
from widgets.terminal.recorder import Recorder, recording_path
from widgets.terminal.replay import SPEEDS, Replay

HEADER = '{"version": 2, "width": 80, "height": 24}\n'


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "some.cast"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def test_what_is_recorded_can_be_read_again_by_its_owner_only(tmp_path: Path) -> None:
    path = recording_path(tmp_path / "recordings", "ada@example.com: /srv", datetime(2026, 1, 2, 3, 4, 5))
    assert path.name == "2026-01-02-030405-ada-example.com-srv.cast"
    recorder = await Recorder.start(path, 80, 24, title="a shell", first=lambda: b"$ ")
    recorder.output("é".encode()[:1])
    recorder.output("é".encode()[1:] + b"\x1b[1m")
    recorder.typed(b"secret")
    recorder.resized(100, 30)
    recorder.output(b"\xe2\x82")
    assert await recorder.stop() == path
    recorder.output(b"too late")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    recording = read_cast(path)
    assert (recording.columns, recording.rows, recording.title, recording.left_out) == (80, 24, "a shell", 0)
    assert [(event.kind, event.data) for event in recording.events] == [
        ("o", "$ "), ("o", "é\x1b[1m"), ("r", "100x30"), ("o", "�"),
    ]  # fmt: skip
    assert "secret" not in path.read_text()
    with pytest.raises(FileExistsError):
        await Recorder.start(path, 80, 24)


async def test_a_recording_is_on_the_disk_before_it_is_stopped(tmp_path: Path) -> None:
    recorder = await Recorder.start(tmp_path / "a.cast", 80, 24)
    recorder.output(b"hello")
    await eventually(lambda: "hello" in recorder.path.read_text())
    await recorder.stop()


async def test_a_full_disk_ends_the_recording_and_is_told() -> None:
    told: list[str] = []
    full = Path("/dev/full")
    recorder = Recorder(full, await asyncio.to_thread(full.open, "w"), told.append)
    recorder.output(b"x" * 100)
    await eventually(lambda: not recorder.running)
    assert told == ["No space left on device"]
    await recorder.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no asciicast header"),
        ("hello\n", "no asciicast header"),
        ("[" * 100_000, "no asciicast header"),
        ('{"version": 1, "width": 80, "height": 24, "stdout": []}', "version 2"),
        ('{"version": 2, "width": 80}', "height makes no sense"),
        ('{"version": 2, "width": -1, "height": 24}', "width makes no sense"),
        (b"\xff\xfe\x00", "no asciicast header"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_reason(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(CastError, match=said):
        read_cast(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CastError, match="There is no file"):
        read_cast(tmp_path / "none.cast")
    with pytest.raises(CastError, match="is no file"):
        read_cast(tmp_path)


def test_broken_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    lines = [
        '[1, "o", "a"]', "[2]", "garbage", "", '[true, "o", "x"]', '[NaN, "o", "x"]', '[1e999, "o", "x"]',
        '[0.5, "o", "b"]', '[3, "i", "typed"]', '[4, "z", "later kind"]', '[5, "r", "0x99999999"]',
        '[5, "r", "wide"]', '["1", "o", "x"]', '[6, "o", "cut o',
    ]  # fmt: skip
    recording = read_cast(written(tmp_path, HEADER + "\n".join(lines)))
    assert recording.left_out == 7
    assert [(event.time, event.kind, event.data) for event in recording.events] == [
        (1.0, "o", "a"), (1.0, "o", "b"), (5.0, "r", "0x99999999"), (5.0, "r", "wide"),
    ]  # fmt: skip
    assert [event.size for event in recording.events[2:]] == [(1, 1000), None]


def test_long_pauses_are_cut_where_the_file_says_so(tmp_path: Path) -> None:
    header = '{"version": 2, "width": 80, "height": 24, "idle_time_limit": 2}\n'
    recording = read_cast(written(tmp_path, header + '[1, "o", "a"]\n[100, "o", "b"]\n[101, "o", "c"]\n'))
    assert [event.time for event in recording.events] == [1.0, 3.0, 4.0]


_junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_junk.map(json.dumps) | st.text(max_size=20), max_size=12), st.booleans())
def test_no_file_does_more_than_be_refused(tmp_path: Path, lines: list[str], headed: bool) -> None:
    path = written(tmp_path, ((HEADER if headed else "") + "\n".join(lines)).encode("utf-8", "replace"))
    try:
        recording = read_cast(path)
    except CastError:
        return
    times = [event.time for event in recording.events]
    assert times == sorted(times)


def recording_of(*events: tuple[float, str, str]) -> Recording:
    return Recording(80, 24, "", tuple(CastEvent(time, kind, data) for time, kind, data in events))  # type: ignore[arg-type]


async def taken(replay: Replay, until: str) -> str:
    """Output up to a text."""
    seen = ""
    async with asyncio.timeout(60):
        while not seen.endswith(until):
            seen += (await replay.read()).decode()
    return seen


async def test_a_replay_keeps_the_order_of_output_and_sizes() -> None:
    sizes: list[tuple[int, int, str]] = []
    seen: list[str] = []
    recording = recording_of((0, "o", "a"), (0, "o", "b"), (0, "r", "100x30"), (0, "o", "c"), (0.02, "o", "d"))
    replay = Replay(recording, sized=lambda columns, rows: sizes.append((columns, rows, "".join(seen))))
    while not replay.ended:
        seen.append((await replay.read()).decode())
    assert "".join(seen) == "abcd"
    assert sizes == [(100, 30, "ab")]


async def test_a_replay_waits_while_paused_and_can_be_gone_through() -> None:
    recording = recording_of((0, "o", "one"), (50, "o", "two"), (100, "o", "three"))
    replay = Replay(recording)
    assert await taken(replay, "one") == "one"
    replay.pause(True)
    replay.seek(70)
    assert await taken(replay, "two") == "two"
    assert (replay.position, replay.paused, replay.ended) == (70.0, True, False)
    replay.seek(10)
    assert await taken(replay, "one") == "\x1bc\x1b[3Jone"
    replay.step()
    assert await taken(replay, "two") == "two"
    replay.seek(1e9)
    assert await taken(replay, "three") == "three"
    assert replay.ended
    replay.pause(False)
    assert await taken(replay, "one") == "\x1bc\x1b[3Jone"
    reading = asyncio.create_task(replay.read())
    await asyncio.sleep(0)
    await replay.close()
    assert await reading == b""


async def test_speeds_go_up_and_down_within_bounds() -> None:
    replay = Replay(recording_of((0, "o", "a"), (1, "o", "b")))
    assert await taken(replay, "a") == "a"
    replay.faster(100)
    assert replay.speed == SPEEDS[-1]
    assert await taken(replay, "b") == "b"
    replay.faster(-100)
    assert replay.speed == SPEEDS[0]


async def test_an_empty_recording_and_half_a_character_do_no_harm() -> None:
    assert Replay(recording_of()).ended
    replay = Replay(recording_of((0, "o", "\ud83d")))
    assert await replay.read() == b"?"

"""Reading the access log: lines, rolls, and where a former reader stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.domain.ingress import RequestRecord
from backend.ingress.access_log import AccessLog, parse


def line(host: str, **more: object) -> str:
    entry = {"ts": 1700000000.5, "status": 200, "duration": 0.25, "size": 7, "host": host, **more}
    return json.dumps(entry) + "\n"


async def take(records: AsyncIterator[RequestRecord], count: int) -> list[str]:
    async with asyncio.timeout(60):
        return [(await anext(records)).host for _ in range(count)]


@pytest.fixture
def log(tmp_path: Path) -> AccessLog:
    return AccessLog(tmp_path / "access.log", tmp_path / "position")


def test_a_line_becomes_a_record() -> None:
    assert parse(line("App.localhost", upstream="10.0.0.1:80").encode()) == RequestRecord(
        at=datetime.fromtimestamp(1700000000.5, UTC),
        host="app.localhost",
        status=200,
        duration_seconds=0.25,
        upstream="10.0.0.1:80",
        response_bytes=7,
    )


@pytest.mark.parametrize("upstream", ["", None])
def test_an_empty_upstream_is_none(upstream: str | None) -> None:
    record = parse(line("a", upstream=upstream).encode())
    assert record is not None
    assert record.upstream is None


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b'{"ts": "x"}', b"\xff\xfe"])
def test_what_is_no_request_is_none(text: bytes) -> None:
    assert parse(text) is None


async def test_a_first_reader_begins_where_the_log_ended_at_the_start(log: AccessLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(line("old"))
    log.begin()
    with path.open("a") as file:
        file.write(line("new"))
    records = log.records()
    assert await take(records, 1) == ["new"]
    await records.aclose()


async def test_a_damaged_position_means_from_now_on(log: AccessLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(line("old"))
    (tmp_path / "position").write_text("{")
    records = log.records()
    reading = asyncio.create_task(take(records, 1))
    await asyncio.sleep(0)
    with path.open("a") as file:
        file.write(line("new"))
    assert await reading == ["new"]
    await records.aclose()


async def test_a_file_that_appears_later_is_read_from_its_beginning(log: AccessLog, tmp_path: Path) -> None:
    records = log.records()
    reading = asyncio.create_task(take(records, 1))
    await asyncio.sleep(0)
    (tmp_path / "access.log").write_text(line("first"))
    assert await reading == ["first"]
    await records.aclose()


async def test_a_half_written_line_is_read_when_it_is_whole(log: AccessLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    (tmp_path / "position").write_text(json.dumps({"inode": -1, "offset": 0}))
    whole = line("second")
    path.write_text(line("first") + whole[:10])
    records = log.records()
    assert await take(records, 1) == ["first"]
    with path.open("a") as file:
        file.write(whole[10:])
    assert await take(records, 1) == ["second"]
    await records.aclose()


async def test_a_new_reader_goes_on_through_the_rolls_of_its_absence(log: AccessLog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    (tmp_path / "position").write_text(json.dumps({"inode": -1, "offset": 0}))
    path.write_text(line("one"))
    records = log.records()
    assert await take(records, 1) == ["one"]
    await records.aclose()
    with path.open("a") as file:
        file.write(line("two"))
    path.rename(tmp_path / "access-2026-01-01T00-00-00.000.log")
    path.write_text(line("three"))
    path.rename(tmp_path / "access-2026-01-02T00-00-00.000.log")
    path.write_text(line("four"))
    again = AccessLog(path, tmp_path / "position").records()
    assert await take(again, 3) == ["two", "three", "four"]
    path.rename(tmp_path / "access-2026-01-03T00-00-00.000.log")
    path.write_text(line("five"))
    assert await take(again, 1) == ["five"]
    await again.aclose()


async def test_what_was_read_but_not_handed_out_is_handed_out_later(log: AccessLog, tmp_path: Path) -> None:
    log.begin()
    (tmp_path / "access.log").write_text(line("one") + line("two") + line("three"))
    records = log.records()
    assert await take(records, 2) == ["one", "two"]
    await records.aclose()
    again = AccessLog(tmp_path / "access.log", tmp_path / "position").records()
    assert await take(again, 1) == ["three"]
    await again.aclose()


async def test_requests_are_read_where_the_position_cannot_be_noted(
    log: AccessLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk."""
    (tmp_path / "position.new").mkdir()
    (tmp_path / "access.log").write_text(line("old"))
    log.begin()
    records = log.records()
    reading = asyncio.create_task(take(records, 2))
    await asyncio.sleep(0)
    with (tmp_path / "access.log").open("a") as file:
        file.write(line("one") + line("two"))
    assert await reading == ["one", "two"]
    await records.aclose()
    assert caplog.text.count("cannot be noted") == 1

"""Log entries as they are written out, and uptime in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.domain.logs import LogLevel, LogRecord
from backend.surfaces.observed import encode_batch, encode_logs, format_uptime
from backend.wire.observed import LogEntry, LogsResponse

AT = datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC)
RECORD = LogRecord(AT, LogLevel.ERROR, 'é "\x1b[31m\u2028\ufffd\\', "app", "web-1", "stderr", "a-1-1")


def test_entries_are_written_as_their_model_would_be() -> None:
    entry = LogEntry(
        timestamp="2026-01-02T03:04:05.000067Z",
        level="error",
        message=RECORD.message,
        source="app",
        replica="web-1",
        stream="stderr",
        cursor="a-1-1",
    )
    assert encode_batch([RECORD], 0) == [entry.model_dump_json().encode()]
    assert encode_logs([RECORD, RECORD]) == LogsResponse(logs=[entry, entry]).model_dump_json().encode()
    assert encode_logs([]) == b'{"logs":[]}'


def test_lines_left_out_are_told_first() -> None:
    lost, told = (LogEntry.model_validate_json(text) for text in encode_batch([RECORD], 3))
    assert (lost.level, lost.source, lost.cursor, lost.timestamp) == ("warn", "pilothouse", "", told.timestamp)
    assert lost.message.startswith("3 lines were left out")
    assert told.message == RECORD.message
    [alone] = encode_batch([], 2)
    assert LogEntry.model_validate_json(alone).message.startswith("2 lines")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (-3, "0s"),
        (45, "45s"),
        (60, "1m 0s"),
        (3600, "1h 0m 0s"),
        (9045, "2h 30m 45s"),
        (90061, "1d 1h 1m 1s"),
        (86400, "1d 0h 0m 0s"),
    ],
)
def test_leading_units_that_are_zero_are_left_out(seconds: int, words: str) -> None:
    assert format_uptime(seconds) == words

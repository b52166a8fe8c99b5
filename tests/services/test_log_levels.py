"""Levels of log lines as real programs write them."""

from __future__ import annotations

import pytest

from backend.domain.logs import LogLevel
from backend.services.log_levels import LevelTracker, classify

D, I, W, E = LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR  # noqa: E741

LINES: list[tuple[str, LogLevel | None]] = [
    ('{"level":"error","msg":"db down"}', E),
    ('{"severity":"WARNING","message":"slow"}', W),
    ('{"lvl": "dbug", "t": 1}', D),
    ('{"level":30,"time":1531171074631,"msg":"hello","pid":657}', I),
    ('{"level":20,"msg":"pino debug"}', D),
    ('{"level":60,"msg":"pino fatal"}', E),
    ('{"event": "user logged in", "user": "a", "level": "warning"}', W),
    ('{"t":{"$date":"2024-01-01"},"s":"I",  "c":"NETWORK","msg":"Listening"}', I),
    ('{"msg":"set \\"level\\":\\"error\\"","level":"info"}', I),
    ('{"msg":"' + "x" * 900 + '","level":"error"}', E),
    ('{"user": "bob"}', None),
    ('time="2024-01-01T00:00:00Z" level=warning msg="disk at 90%"', W),
    ("ts=2024-01-01 lvl=error err=timeout", E),
    ("at=info method=GET path=/ severity=debug", D),
    ("[INFO] ready", I),
    ("[2024-01-01 00:00:00 +0000] [7] [INFO] Starting gunicorn", I),
    ("INFO:     Uvicorn running on http://0.0.0.0:8000", I),
    ('INFO:     127.0.0.1:51000 - "GET /boom HTTP/1.1" 500 Internal Server Error', E),
    ("ERROR:root:it broke", E),
    ("2024-01-01 12:00:00,123 - app.db - WARNING - slow query", W),
    ("12:00:00.001 [main] DEBUG com.example.App - boot", D),
    ("2024-01-01T00:00:00.000Z  INFO 1 --- [main] o.s.b.Application : Started", I),
    (" INFO 123 --- [main] c.e.App : padded", I),
    ("[2024-01-01T00:00:00Z WARN  app::db] retrying", W),
    ("I0101 12:00:00.000001       1 main.go:12] starting", I),
    ("W0101 12:00:00.000001       1 main.go:12] careful", W),
    ("E0101 12:00:00.000001       1 main.go:12] broke", E),
    ("F0101 12:00:00.000001       1 main.go:12] gone", E),
    ("<11>Jan  1 00:00:00 host app: kernel err", E),
    ("<28>app: warning", W),
    ("<191>app: debug", D),
    ("<html><body>", None),
    ('10.0.0.1 - - [01/Jan/2024:00:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8"', I),
    ('10.0.0.1 - - [01/Jan/2024:00:00:00 +0000] "GET /nope HTTP/1.1" 404 153 "-" "curl/8"', W),
    ('10.0.0.1 - bob [01/Jan/2024:00:00:00 +0000] "POST /x HTTP/2.0" 502 157 "-" "-"', E),
    ('10.0.0.1 - - [01/Jan/2024:00:00:00 +0000] "GET /' + "q" * 700 + ' HTTP/1.1" 503 0', E),
    ('10.0.0.1 - - [01/Jan/2024:00:00:00 +0000] "" 400 0 "-" "-"', W),
    ('127.0.0.1 - - [01/Jan/2024 00:00:00] "GET / HTTP/1.1" 304 -', I),
    ("2024/01/01 00:00:00 [error] 7#7: *1 open() failed", E),
    ("2024/01/01 00:00:00 [notice] 1#1: start worker processes", I),
    ("[Mon Jan 01 00:00:00.0 2024] [core:warn] [pid 1] AH00111", W),
    ("2024-01-01 00:00:00.000 UTC [1] LOG:  database system is ready", I),
    ("2024-01-01 00:00:00.000 UTC [9] ERROR:  relation does not exist", E),
    ("I, [2024-01-01T00:00:00.000000 #1]  INFO -- : ruby", I),
    ("info: Microsoft.Hosting.Lifetime[0]", I),
    ("fail: Microsoft.AspNetCore.Server.Kestrel[13]", E),
    ("[12:00:00 WRN] serilog", W),
    ("12:00AM INF zerolog", I),
    ("INFO[0000] logrus on a terminal", I),
    ("12:00:00.000 [info] elixir", I),
    ("[2024-01-01 00:00:00] production.ERROR: monolog", E),
    ("npm ERR! code ELIFECYCLE", E),
    ("\x1b[32mINFO\x1b[0m coloured", I),
    ("\x1b[1m\x1b[31m[error]\x1b[0m coloured", E),
    ("Traceback (most recent call last):", E),
    ("ValueError: bad", E),
    ("requests.exceptions.ConnectionError: refused", E),
    ("java.lang.IllegalStateException: no", E),
    ("panic: runtime error: index out of range", E),
    ('Exception in thread "main" java.lang.Error', E),
    ("thread 'main' panicked at src/main.rs:2:5:", E),
    ("Error: Cannot find module 'x'", E),
    ("warning: LF will be replaced", W),
    ("plain text", None),
    ("the information was errorless and forewarned", None),
    ("GET /ERROR/page fetched", None),
    ("", None),
]


@pytest.mark.parametrize(("line", "level"), LINES)
def test_the_level_that_a_line_names(line: str, level: LogLevel | None) -> None:
    assert classify(line) is level


def levels(*lines: str, stream: str = "stdout") -> list[LogLevel]:
    tracker = LevelTracker()
    return [tracker.level_of(line, stream) for line in lines]


def test_a_python_trace_keeps_its_level_to_the_end() -> None:
    assert levels(
        "INFO:app:before",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "    raise Boom('x')",
        "Boom",
        "afterwards",
    ) == [I, E, E, E, E, I]


def test_a_java_trace_keeps_the_level_of_its_head() -> None:
    assert levels(
        "12:00:00 WARN c.e.App - retry",
        "\tat c.e.App.run(App.java:1)",
        "\t... 12 more",
        "Caused by: java.io.IOException: no",
        "\tat c.e.Io.read(Io.java:9)",
        "12:00:01 INFO c.e.App - ok",
    ) == [W, W, W, E, E, I]


def test_a_go_panic_runs_until_a_line_with_a_level() -> None:
    assert levels(
        "panic: boom",
        "",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/app/main.go:4 +0x1",
        "main.init()",
        "[INFO] again",
    ) == [E, E, E, E, E, E, I]


def test_streams_do_not_mix() -> None:
    tracker = LevelTracker()
    assert tracker.level_of("Traceback (most recent call last):", "stderr") is E
    assert tracker.level_of("  indented table", "stdout") is I
    assert tracker.level_of('  File "a.py"', "stderr") is E


def test_a_line_without_a_level_is_info() -> None:
    assert levels("hello", "  indented") == [I, I]


def test_a_huge_line_is_cut_before_it_is_looked_at() -> None:
    assert classify("x" * 10_000_000 + " ERROR") is None
    assert classify("[" * 100_000) is None
    assert classify('{"' * 100_000) is None
    assert classify("\x1b[" * 100_000) is None

"""The level of a log line, from the line alone: JSON, logfmt, bracketed and leading words, klog, syslog, access logs.

Escape sequences are ignored for classification only; the text of a record stays as it was written, colours included.
Only the head of a line is looked at, and no pattern backtracks over more than a few characters.
"""

from __future__ import annotations

import re

from backend.domain.logs import LogLevel

HEAD = 300  # characters of a line that are looked at
DEEP_HEAD = 2000  # for JSON (where the level may come last) and access logs (long URLs)

_WORDS: dict[str, LogLevel] = {
    word: level
    for level, words in {
        LogLevel.DEBUG: "trace debug dbug dbg trce trc verbose vrb fine finer finest silly",
        LogLevel.INFO: "info inf information informational notice log note http hint",
        LogLevel.WARN: "warn warning wrn warnings",
        LogLevel.ERROR: "error err eror fail failure fatal ftl critical crit panic dpanic emerg emergency alert severe",
    }.items()
    for word in words.split()
}
_LETTERS = {"T": LogLevel.DEBUG, "D": LogLevel.DEBUG, "I": LogLevel.INFO, "W": LogLevel.WARN}  # others: error

_ANSI = re.compile(r"\x1b(?:\[[0-9;:?<=>]{0,40}[@-~]|\][^\x07\x1b]{0,100}(?:\x07|\x1b\\)?|.)")
_JSON = re.compile(
    r'"(?:level|severity|lvl|loglevel|log_level|log\.level|levelname|levelName|Level|LogLevel|@l|s|severityText)"'
    r'\s{0,4}:\s{0,4}(?:"([A-Za-z]{1,14})"|(\d{1,3})\b)'
)
_LOGFMT = re.compile(r"(?:^|[\s{,])(?:level|lvl|severity|loglevel|LEVEL)[=:]\s?\"?([A-Za-z]{3,14})\b")
_KLOG = re.compile(r"([IWEFD])\d{4} \d\d:\d\d:\d\d")
_SYSLOG = re.compile(r"<(\d{1,3})>")
_ACCESS = re.compile(r'HTTP/\d(?:\.\d)?" (\d)\d\d(?!\d)')
_EMPTY_REQUEST = re.compile(r'\] "-?" (\d)\d\d ')  # a client that sent no request line
# A level in capitals, as a token of its own, and in any case where brackets or a colon mark it.
_CAPITALS = re.compile(
    r"(?<![A-Za-z0-9_/])(TRACE|DEBUG|DBG|VRB|INFO|INF|NOTICE|WARN(?:ING)?|WRN|ERROR|ERR|FTL|FATAL|CRIT(?:ICAL)?"
    r"|PANIC|EMERG(?:ENCY)?|ALERT|SEVERE|LOG(?=:))(?![A-Za-z0-9_/=])"
)
_MARKED = re.compile(
    r"[\[(<|](?:[a-z_]{1,20}:)?(trace|debug|verbose|info|notice|warn(?:ing)?|error|err|crit(?:ical)?|fatal|alert|emerg)[\])>|]"
    r"|^(?:\S{1,60} ){0,3}(trace|debug|dbug|trce|info|notice|warn(?:ing)?|error|fail|fatal|crit(?:ical)?|panic):",
    re.IGNORECASE,
)
# What begins a report of failure without naming a level.
_FAILURE = re.compile(
    r"Traceback \(most recent call last\)|panic: |fatal error: |goroutine \d{1,9} \[|Exception in thread "
    r"|thread '[^']{0,80}' .{0,20}panicked at |Unhandled |Uncaught |Segmentation fault|Caused by: |npm ERR!"
    r"|During handling of the above exception|The above exception was the direct cause"
    r"|(?:[A-Za-z_][\w$]{0,60}\.){0,8}[A-Z]\w{0,60}(?:Error|Exception)(?::|$|\s\[)"
)
_LEADING_WORD = re.compile(r"\s{1,8}([A-Z]{3,8})(?=[\s:\]\[])")
# Lines that belong to the one above although they are not indented: Java, .NET, Node and PostgreSQL.
_CONTINUATION = re.compile(
    r"at \S|\.\.\. \d{1,6} more|--- End of |[)}\]]{1,3},?;?$|DETAIL:|HINT:|STATEMENT:|CONTEXT:|QUERY:"
)
_GO_TRACE = ("panic: ", "fatal error: ", "goroutine ")


def classify(text: str) -> LogLevel | None:
    """The level that a line names, or None where it names none."""
    head = text[:HEAD]
    if "\x1b" in head:
        head = _ANSI.sub("", head)
    if not head:
        return None
    first = head[0]
    if first in " \t":
        found = _LEADING_WORD.match(head)
        if found and found[1].lower() in _WORDS:
            return _WORDS[found[1].lower()]
        stripped = head.lstrip()
        return _of_json(text, stripped) if stripped.startswith("{") else None
    if first == "{":
        level = _of_json(text, head)
        if level is not None:
            return level
    elif first == "<":
        found = _SYSLOG.match(head)
        if found and int(found[1]) < 192:
            return _of_syslog(int(found[1]) & 7)
    elif first in "IWEFD":
        found = _KLOG.match(head)
        if found:
            return _LETTERS.get(found[1], LogLevel.ERROR)
    if '"' in head:
        level = _of_access(text, head)
        if level is not None:
            return level
    # Cheaper than the pattern, which begins anew at every word; most lines have none of these.
    if ("=" in head or "evel:" in head) and ("evel" in head or "lvl" in head or "everity" in head or "EVEL" in head):
        found = _LOGFMT.search(head)
        if found:
            level = _WORDS.get(found[1].lower())
            if level is not None:
                return level
    found = _CAPITALS.search(head, 0, 160)
    if found:
        return _WORDS[found[1].lower()]
    found = _MARKED.search(head, 0, 160)
    if found:
        return _WORDS[(found[1] or found[2]).lower()]
    if _FAILURE.match(head):
        return LogLevel.ERROR
    return None


def _of_json(text: str, head: str) -> LogLevel | None:
    found = _JSON.search(head)
    if found is None and len(text) > HEAD:
        found = _JSON.search(text, 0, DEEP_HEAD)
    if found is None:
        return None
    if found[2] is not None:
        return _of_number(int(found[2]))
    word = found[1]
    if len(word) == 1:  # MongoDB: F, E, W, I, D
        return _LETTERS.get(word.upper(), LogLevel.ERROR) if word.upper() in "TDIWEF" else None
    return _WORDS.get(word.lower())


def _of_number(value: int) -> LogLevel:
    """pino and bunyan count up from 10; smaller numbers are syslog severities, which count down."""
    if value < 10:
        return _of_syslog(min(value, 7))
    if value < 30:
        return LogLevel.DEBUG
    if value < 40:
        return LogLevel.INFO
    return LogLevel.WARN if value < 50 else LogLevel.ERROR


def _of_syslog(severity: int) -> LogLevel:
    if severity <= 3:
        return LogLevel.ERROR
    if severity == 4:
        return LogLevel.WARN
    return LogLevel.INFO if severity < 7 else LogLevel.DEBUG


def _of_access(text: str, head: str) -> LogLevel | None:
    at = text.find("HTTP/", 0, DEEP_HEAD)
    found = _ACCESS.match(text, at) if at >= 0 else _EMPTY_REQUEST.search(head)
    if found is None:
        return None
    return {"5": LogLevel.ERROR, "4": LogLevel.WARN}.get(found[1], LogLevel.INFO)


class LevelTracker:
    """Levels of the lines of one container, fed in order. A line that names no level is info, except that stack
    traces and other continuation lines keep the level of their head. stdout and stderr are told apart."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        # stream -> level of the last head, and how its trace goes on: "", "python" or "go"
        self._heads: dict[str, tuple[LogLevel, str]] = {}

    def level_of(self, text: str, stream: str) -> LogLevel:
        head, trace = self._heads.get(stream, (LogLevel.INFO, ""))
        level = classify(text)
        if level is not None:
            if text.startswith("Traceback "):
                trace = "python"
            elif text.startswith(_GO_TRACE):
                trace = "go"
            else:
                trace = ""
            self._heads[stream] = (level, trace)
            return level
        if not text or text[0] in " \t" or trace == "go" or _CONTINUATION.match(text):
            return head
        if trace == "python":  # the line that names the exception ends the trace
            self._heads[stream] = (head, "")
            return head
        self._heads[stream] = (LogLevel.INFO, "")
        return LogLevel.INFO

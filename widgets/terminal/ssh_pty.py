"""A shell on another host: the system's `ssh` in a pseudo terminal, with the user's own configuration and agent.

Whatever ssh asks (host keys, passwords, tokens) it asks in the terminal, as it would anywhere else.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from dataclasses import dataclass
from typing import Final, Literal

from widgets.terminal.local_pty import LocalPty, terminal_environment

CONNECTION_FAILED: Final = 255
"""ssh's own exit status; every other one is the remote shell's."""

KEEPALIVE: Final = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3")
"""Given where the user has no such setting: a dead network would otherwise be noticed after many minutes."""

_TAIL = 1024
_ASK_SECONDS = 3.0
_MAX_LENGTH = 253
# What OpenSSH itself refuses in names since they may go through a shell (ProxyCommand), and what would be an option.
_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]*\Z")
_USER = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+\\@-]*(?<!\\)\Z")

_DROPPED = re.compile(
    r"client_loop: |Timeout, server .* not responding|closed by remote host|Read from remote host |packet_write_wait: "
)
_UNREACHABLE = re.compile(
    r"ssh: connect to host |Could not resolve hostname|kex_exchange_identification: |Connection (?:closed|reset) by "
    r"|Connection timed out|banner exchange: |ssh_dispatch_run_fatal: |Received disconnect from |Network is unreachable"
)


class TargetError(ValueError):
    """What was typed names no host; the message says what would."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where to. `port` 0 and empty texts leave it to the user's configuration. Raises TargetError."""

    host: str
    user: str = ""
    port: int = 0
    jump: str = ""

    def __post_init__(self) -> None:
        _check_host(self.host)
        if self.user and (not _USER.match(self.user) or len(self.user) > _MAX_LENGTH):
            raise TargetError(f"“{_short(self.user)}” is no user name.")
        if not 0 <= self.port <= 65535:
            raise TargetError("The port must be from 1 to 65535.")
        for hop in self.jump.split(",") if self.jump else ():
            parse_target(hop)

    @property
    def label(self) -> str:
        """As people write it: `ada@example.com:2222`."""
        host = f"[{self.host}]" if self.port and ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")

    def arguments(self) -> list[str]:
        """The command line. The host comes behind `--`, so that it is never taken for an option."""
        options: list[str] = []
        if self.port:
            options += ["-p", str(self.port)]
        if self.jump:
            options += ["-J", self.jump]
        if self.user:
            options += ["-l", self.user]
        return ["ssh", *options, "--", self.host]


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _check_host(host: str) -> None:
    if not host:
        raise TargetError("A host is needed.")
    if not _HOST.match(host) or len(host) > _MAX_LENGTH:
        raise TargetError(f"“{_short(host)}” is no host: a name, an address, or a Host of your ssh configuration.")


def parse_target(text: str) -> SshTarget:
    """`host`, `user@host`, `user@host:port`, `[v6::address]:port`. Raises TargetError."""
    user, at, rest = text.strip().rpartition("@")
    if at and not user:
        raise TargetError("There is no user before the @.")
    host, port = rest, 0
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", rest)
    if bracketed:
        host, number = bracketed[1], bracketed[2]
    else:
        name, colon, number_text = rest.partition(":")
        number = number_text if colon and ":" not in number_text else None
        host = name if number is not None else rest
    if number is not None:
        if not (number.isascii() and number.isdecimal() and 1 <= int(number[:6]) <= 65535):
            raise TargetError(f"“{_short(number)}” is no port.")
        port = int(number)
    return SshTarget(host, user, port)


End = Literal["dropped", "unreachable", "over"]


def how_it_ended(code: int | None, tail: str) -> End:
    """From ssh's exit status and the last of its output: a connection that was lost, one that could not be made, or
    an end that trying again would not change (the shell's own, a refused login, a changed host key)."""
    if code != CONNECTION_FAILED:
        return "over"
    last = "\n".join(line for line in tail.splitlines() if line.strip()).splitlines()[-3:]
    said = "\n".join(last)
    if "Permission denied" in said or "verification failed" in said or "Too many authentication failures" in said:
        return "over"
    if _DROPPED.search(said):
        return "dropped"
    return "unreachable" if _UNREACHABLE.search(said) else "over"


class SshConnector:
    """Opens ssh to one target again and again: its `open` is a `SourceFactory`. Once a connection has been lost, one
    that cannot be made is worth another attempt too."""

    def __init__(self, target: SshTarget) -> None:
        self.target = target
        self.was_dropped = False

    async def open(self, columns: int, rows: int) -> SshPty:
        """Starts ssh. Raises OSError where there is none on this machine."""
        command = self.target.arguments()
        if shutil.which(command[0]) is None:
            raise FileNotFoundError("There is no ssh on this machine: install the OpenSSH client.")
        environment = terminal_environment(os.environ)
        if not await _keeps_alive(command, environment):
            command[1:1] = KEEPALIVE
        return SshPty(await LocalPty.open(command, columns, rows, env=environment), self)


async def _keeps_alive(command: list[str], environment: dict[str, str]) -> bool:
    """Whether the user's configuration looks after dead connections itself; asked of ssh, which also reads it."""
    asking = await asyncio.create_subprocess_exec(
        command[0], "-G", *command[1:],
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(asking.communicate(), _ASK_SECONDS)
    except TimeoutError:
        asking.kill()
        await asking.wait()
        return False
    found = re.search(rb"^serveraliveinterval (\d+)$", said, re.MULTILINE)
    return found is not None and int(found[1]) > 0


class SshPty:
    """A `TerminalSource` of one ssh. A lost connection is a ConnectionError of `read`."""

    def __init__(self, pty: LocalPty, connector: SshConnector) -> None:
        self._pty = pty
        self._connector = connector
        self._tail = b""

    async def read(self) -> bytes:
        data = await self._pty.read()
        if data:
            self._tail = (self._tail + data)[-_TAIL:]
            return data
        ended = how_it_ended(await self._pty.exit_code(), self._tail.decode(errors="replace"))
        if ended == "dropped" or (ended == "unreachable" and self._connector.was_dropped):
            self._connector.was_dropped = True
            raise ConnectionError(f"The connection to {self._connector.target.label} is lost")
        return b""

    async def write(self, data: bytes) -> None:
        await self._pty.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        await self._pty.resize(columns, rows)

    async def exit_code(self) -> int | None:
        return await self._pty.exit_code()

    async def close(self) -> None:
        await self._pty.close()

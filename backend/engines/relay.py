"""The way to a remote engine: a private local socket whose connections lead there, over TLS or one SSH connection.

So everything else speaks to a remote engine as to a local one: the SDK needs no key files that stay, CA settings of the
environment mean nothing to it, and SSH costs one connection however many calls there are. (Its channels to a socket are
no sessions, of which an SSH server allows ten.)
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger("pilothouse.engine")

_CHUNK = 64 * 1024


class Reader(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> Any: ...
    async def drain(self) -> None: ...
    def can_write_eof(self) -> bool: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...


class CannotDial(Exception):
    """The engine cannot be reached; the text says why, without a secret."""


class Dialler(Protocol):
    """Opens connections to one engine."""

    async def dial(self) -> tuple[Reader, Writer]:
        """Raises CannotDial."""

    async def close(self) -> None: ...


class EngineRelay:
    """A local socket that only this user can open. `fault` says why the last connection could not be made, and is empty
    where it could."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        self.fault = ""

    @property
    def path(self) -> str:
        """The socket; it is there once `open` was called."""
        return str(self._folder / "engine.sock") if self._folder else "/nonexistent"

    async def open(self) -> None:
        """Listen, where that is not so yet. Raises OSError."""
        async with self._opening:
            if self._server is not None:
                return
            # The folder is of mode 0700.
            self._folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="pilothouse-"))
            self._server = await asyncio.start_unix_server(self._entered, self.path, limit=_CHUNK)

    async def close(self) -> None:
        async with self._opening:
            if self._server is not None:
                self._server.close()
            for relay in self._relays:
                relay.cancel()
            await asyncio.gather(*self._relays, return_exceptions=True)
            await self._dialler.close()
            if self._folder is not None:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._server = self._folder = None

    def _entered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(reader, writer), name="engine-relay")
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            try:
                there_reader, there_writer = await self._dialler.dial()
            except CannotDial as error:
                self.fault = str(error)
                return
            self.fault = ""
            await _relay(reader, writer, there_reader, there_writer)
        except ssl.SSLError as error:
            # With TLS 1.3 a server looks at the client's certificate when the handshake is over on our side.
            self.fault = f"it ended TLS, as where the client certificate is not its own: {error.reason}"
        except Exception:
            log.exception("a connection to a remote engine failed")
        finally:
            writer.transport.abort()


async def _relay(reader: Reader, writer: Writer, there_reader: Reader, there_writer: Writer) -> None:
    """Both ways at once, each side waiting for the other. It is over when the engine's side ends: an end of ours is
    passed on, and what the engine still says comes through."""
    sending = asyncio.create_task(_pump(reader, there_writer))
    receiving = asyncio.create_task(_pump(there_reader, writer))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        if not receiving.done() and sending.result():
            await asyncio.wait((receiving,))
        if receiving.done():
            receiving.result()
    finally:
        sending.cancel()
        receiving.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
        with suppress(OSError):
            there_writer.close()


async def _pump(reader: Reader, writer: Writer) -> bool:
    """Until the reader ends. True where the other side was told so and may still answer. Raises ssl.SSLError."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return True
    except ssl.SSLError:
        raise
    except OSError:
        log.debug("a connection to a remote engine was cut")
    return False


def reason_of(error: OSError) -> str:
    """Why a connection could not be made, in words."""
    if isinstance(error, socket.gaierror):
        return "its name does not resolve"
    return os.strerror(error.errno) if error.errno else str(error) or type(error).__name__

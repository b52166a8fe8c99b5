"""Every finished request, read from the access log that Caddy writes.

The log is a rolled file, not a socket: Caddy's socket writer blocks requests while the reader is slow and drops lines
while it is away. The file costs one write a request, and what is finished while the backend is down is counted after.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from backend.domain.ingress import RequestRecord

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024
_POLL_SECONDS = 0.25
_REMEMBER_SECONDS = 1.0


class _Line(msgspec.Struct):
    ts: float
    status: int
    duration: float
    size: int
    host: str
    upstream: str | None = None


_decoder = msgspec.json.Decoder(_Line)


def parse(line: bytes) -> RequestRecord | None:
    """One line of the log; None where it is no finished request. The host is in lower case and without a port."""
    try:
        entry = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return RequestRecord(
        at=datetime.fromtimestamp(entry.ts, UTC),
        host=entry.host.lower(),
        status=entry.status,
        duration_seconds=entry.duration,
        upstream=entry.upstream or None,
        response_bytes=entry.size,
    )


class AccessLog:
    """Follows the log through its rolls, from where the last reader stopped."""

    def __init__(self, path: Path, position: Path) -> None:
        self._path = path
        self._position = position
        self._file: io.FileIO | None = None
        self._rest = b""
        self._offset = 0  # behind the last line that was handed out
        self._remembered_at = 0.0
        self._remembered: tuple[int, int] | None = None
        self._noted: tuple[int, int] | None = None  # the inode and offset, also where they cannot be written
        self._failing = False  # told once that the position cannot be noted

    def begin(self) -> None:
        """Where nothing is remembered: remember the end of the log as it is now."""
        if self._position.exists():
            return
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._note(inode=0, offset=0)
        else:
            self._note(inode=status.st_ino, offset=status.st_size)

    async def records(self) -> AsyncIterator[RequestRecord]:
        """Every request finished from the remembered position on, and then for ever. A backend that was killed may
        see up to a second of records again."""
        self.begin()
        self._resume()
        loop = asyncio.get_running_loop()
        try:
            while True:
                chunk = self._read()
                for record in self._parse(chunk):
                    yield record
                if loop.time() - self._remembered_at > _REMEMBER_SECONDS:
                    self._remembered_at = loop.time()
                    self.remember()
                await asyncio.sleep(0 if chunk else _POLL_SECONDS)
        finally:
            self.remember()
            self._close()

    def remember(self) -> None:
        """Note how far the log has been read."""
        if self._file is None:
            return
        inode = os.fstat(self._file.fileno()).st_ino
        if (inode, self._offset) != self._remembered:
            self._note(inode=inode, offset=self._offset)

    def _note(self, *, inode: int, offset: int) -> None:
        self._noted = (inode, offset)
        draft = self._position.with_name(self._position.name + ".new")
        try:
            draft.write_text(json.dumps({"inode": inode, "offset": offset}))
            draft.replace(self._position)
        except OSError as error:
            # Requests counted twice after a restart are better than none counted now.
            if not self._failing:
                logger.warning("how far the access log has been read cannot be noted: %s", error)
            self._failing = True
        else:
            self._failing = False
            self._remembered = self._noted

    def _parse(self, chunk: bytes) -> Iterator[RequestRecord]:
        if not chunk:
            return
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._offset += len(line) + 1
            record = parse(line)
            if record is not None:
                yield record

    def _read(self) -> bytes:
        """The next bytes; empty where there are none now."""
        if self._file is None:
            self._open_next(after=None)
            if self._file is None:
                return b""
        chunk = self._file.read(_CHUNK_BYTES) or b""
        if chunk or self._is_current():
            return chunk
        # Rolled: nothing is written to it any more, but something may have been since the read above.
        chunk = self._file.read(_CHUNK_BYTES) or b""
        if not chunk:
            self._open_next(after=os.fstat(self._file.fileno()))
        return chunk

    def _is_current(self) -> bool:
        assert self._file is not None
        try:
            return self._path.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return True  # between the rename of a roll and the new file

    def _resume(self) -> None:
        self._close()
        try:
            inode, offset = self._noted or self._read_position()
        except (ValueError, KeyError, TypeError):
            logger.warning("%s cannot be read: requests are counted from now on", self._position)
            self._position.unlink()
            self.begin()
            return self._resume()
        for path, status in self._files():
            if status.st_ino == inode and status.st_size >= offset:
                self._file = path.open("rb", buffering=0)
                self._file.seek(offset)
                self._offset = offset
                return None
        # Not written yet, or rolled away and deleted: all that is there is newer.
        self._open_next(after=None)
        return None

    def _read_position(self) -> tuple[int, int]:
        place = json.loads(self._position.read_text())
        return int(place["inode"]), int(place["offset"])

    def _open_next(self, after: os.stat_result | None) -> None:
        files = self._files()
        if after is not None:
            known = [index for index, (_, status) in enumerate(files) if status.st_ino == after.st_ino]
            files = files[known[0] + 1 :] if known else files
        if files:
            self._close()
            self._file = files[0][0].open("rb", buffering=0)

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """The rolled files, oldest first, and the current one."""
        rolled = sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
        found = []
        for path in [*rolled, self._path]:
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self._rest = b""
        self._offset = 0

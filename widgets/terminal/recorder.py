"""Writes what a terminal shows into an asciicast file while it happens."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from widgets.terminal.asciicast import event_line, header_line

FLUSH_SECONDS: Final = 0.5
MAX_WAITING: Final = 16 * 1024 * 1024
"""Characters that may wait for a disk that does not take them; then the recording ends, with what it has."""


def recording_path(folder: Path, title: str, now: datetime) -> Path:
    """A file for a new recording, by its time and title."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:40]
    stamp = now.strftime("%Y-%m-%d-%H%M%S")
    return folder / f"{stamp}{f'-{words}' if words else ''}.cast"


class Recorder:
    """A `Listener` of a tapped source. Make it with `start`; `stop` ends it. What is typed is not recorded: passwords
    are, and what programs show of it is in their output."""

    def __init__(self, path: Path, file: TextIO, failed: Callable[[str], None]) -> None:
        self.path = path
        self._file = file
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: list[str] = []
        self._waiting = 0
        self._ended = False
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._write())

    @classmethod
    async def start(
        cls,
        path: Path,
        columns: int,
        rows: int,
        *,
        title: str = "",
        first: Callable[[], bytes] = bytes,
        failed: Callable[[str], None] = lambda _: None,
    ) -> Recorder:
        """Makes the file, which only its owner can read, and its folder. `first` gives output that brings about
        what the terminal shows when the file is there. `failed` is told where the disk takes no more; the recording is
        over then. Raises OSError, FileExistsError among them."""
        now = int(datetime.now().timestamp())
        header = header_line(columns, rows, timestamp=now, title=title, term="xterm-256color")
        recorder = cls(path, await asyncio.to_thread(_made, path, header), failed)
        if shown := first():
            recorder.output(shown)
        return recorder

    @property
    def running(self) -> bool:
        """Whether it still records."""
        return not self._ended

    def output(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if text:
            self._add("o", text)

    def typed(self, data: bytes) -> None:
        """Not recorded."""

    def resized(self, columns: int, rows: int) -> None:
        self._add("r", f"{columns}x{rows}")

    def _add(self, kind: str, data: str) -> None:
        if self._ended:
            return
        line = event_line(self._loop.time() - self._began, "r" if kind == "r" else "o", data)
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting > MAX_WAITING:
            self._ended = True
            self._failed("the disk is too slow")

    async def _write(self) -> None:
        while not self._ended:
            try:
                await asyncio.wait_for(self._wake.wait(), FLUSH_SECONDS)
            except TimeoutError:
                await self._flush()

    async def _flush(self) -> None:
        lines, self._lines, self._waiting = self._lines, [], 0
        if not lines:
            return
        try:
            await asyncio.to_thread(_put, self._file, "".join(lines))
        except OSError as error:
            if not self._ended:
                self._ended = True
                self._failed(error.strerror or str(error))

    async def stop(self) -> Path:
        """Writes the rest and closes the file."""
        rest = self._decoder.decode(b"", True)
        if rest:
            self._add("o", rest)
        self._wake.set()
        self._ended, was_ended = True, self._ended
        await self._task
        if not was_ended:
            await self._flush()
        # What the disk refused has been told.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._file.close)
        return self.path


def _made(path: Path, header: str) -> TextIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="\n")
    _put(file, header)
    return file


def _put(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()

"""Mails as files, where no mail server is set."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from backend.delivery.message import Sender, compose
from backend.domain.outbox import DeliveryFailed, Mail

log = logging.getLogger(__name__)


class MailFiles:
    """Writes each mail to `<time>-<message id>.eml` in a folder; both are readable by their owner only."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail, message_id: str, written_at: datetime) -> None:
        """The same mail again replaces its file. Raises DeliveryFailed where it cannot be written."""
        content = compose(mail, self._sender, message_id, written_at).as_bytes()
        path = self._folder / f"{written_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{message_id}.eml"
        try:
            await asyncio.to_thread(_write, path, content)
        except OSError as error:
            raise DeliveryFailed(f"{path} cannot be written: {error}") from error
        log.info("no mail server is set: a mail was written to %s", path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""Where logins at remote backends are kept: the system's keyring, or a file that only the user can read.

The keyring is asked only where a person sits at the machine's own screen: over SSH or without a desktop it may wait for
a dialog that nobody sees.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

SERVICE = "pilothouse"
PATIENCE_SECONDS = 5.0
KEYRING_PLACE = "the system's keyring"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """One login at a backend: the tokens are secrets, the address tells whose they are."""

    email: str
    access_token: str
    refresh_token: str


class Keyring(Protocol):
    """The part of a keyring backend that is used here."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class _KeyringFailed(Exception):
    """The keyring is not there, does not answer, or refuses."""


def keyring_is_usable(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether somebody could answer the keyring's questions."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    if platform in ("darwin", "win32"):
        return True
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return bool(environment.get("DBUS_SESSION_BUS_ADDRESS") and desktop)


class TokenStore:
    """Logins by the backend's URL. Nothing here blocks the event loop, and a keyring that hangs does not hang us."""

    def __init__(self, file: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._use_keyring = keyring_is_usable(os.environ if environment is None else environment)

    async def load(self, url: str) -> Login | None:
        """The login kept for that URL. A file that cannot be read is as none."""
        if self._use_keyring:
            try:
                text = await _patiently(lambda: _keyring().get_password(SERVICE, url))
            except _KeyringFailed:
                self._use_keyring = False
            else:
                found = _parsed(json.loads(text)) if text else None
                if found is not None:
                    return found
        return _parsed(self._read().get(url))

    async def save(self, url: str, login: Login) -> str:
        """Returns where it is kept now, for people. Raises OSError where it can be kept nowhere."""
        if self._use_keyring:
            text = json.dumps(asdict(login))
            try:
                await _patiently(lambda: _keyring().set_password(SERVICE, url, text))
            except _KeyringFailed:
                self._use_keyring = False
            else:
                self._drop(url)
                return KEYRING_PLACE
        self._write(self._read() | {url: asdict(login)})
        return str(self._file)

    async def forget(self, url: str) -> None:
        """Raises OSError where the file cannot be written."""
        if self._use_keyring:
            # What is not there need not be deleted, and one that fails holds nothing that we could reach.
            with contextlib.suppress(_KeyringFailed):
                await _patiently(lambda: _keyring().delete_password(SERVICE, url))
        self._drop(url)

    def _drop(self, url: str) -> None:
        kept = self._read()
        if kept.pop(url, None) is not None:
            self._write(kept)

    def _read(self) -> dict[str, object]:
        try:
            raw = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return raw if isinstance(raw, dict) else {}

    def _write(self, logins: Mapping[str, object]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes it 0600 from the first byte.
        handle, temporary = tempfile.mkstemp(prefix=f".{self._file.name}.", dir=self._file.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(logins, file, indent=1)
        Path(temporary).replace(self._file)


def _keyring() -> Keyring:
    from keyring import get_keyring

    return get_keyring()


def _parsed(raw: object) -> Login | None:
    if not isinstance(raw, dict):
        return None
    values = [raw.get(name) for name in ("email", "access_token", "refresh_token")]
    texts = [value for value in values if isinstance(value, str)]
    return Login(*texts) if len(texts) == len(values) else None


async def _patiently(call: Callable[[], T]) -> T:
    """Runs it in a thread that nobody waits for at the end. Raises _KeyringFailed where it fails or takes too long."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(_KeyringFailed(str(error)))
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        fault: Exception | None = None
        try:
            result = call()
        except Exception as error:  # every keyring backend has errors of its own
            fault = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, fault)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, PATIENCE_SECONDS)
    except TimeoutError as error:
        raise _KeyringFailed("the keyring does not answer") from error

"""Logins are kept in the keyring where somebody sits before it, else in a file that only the user can read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from tui.client import token_store
from tui.client.token_store import KEYRING_PLACE, Login, TokenStore, keyring_is_usable

URL = "https://platform.example.com"
LOGIN = Login("ann@example.com", "access", "refresh")
DESKTOP = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus", "DISPLAY": ":0"}


class MemoryKeyring(KeyringBackend):
    """A keyring of the library's own kind, in memory; it may hang as one does that asks nobody."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def _wait(self) -> None:
        if self.hangs.is_set():
            self.let_go.wait()

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._wait()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, ring = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(ring)
    try:
        yield ring
    finally:
        ring.let_go.set()
        keyring.set_keyring(before)


def test_a_keyring_is_asked_only_where_somebody_can_answer() -> None:
    assert keyring_is_usable(DESKTOP, "linux")
    assert not keyring_is_usable({}, "linux")
    assert not keyring_is_usable(DESKTOP | {"SSH_CONNECTION": "10.0.0.5 1 10.0.0.6 22"}, "linux")
    assert keyring_is_usable({}, "darwin")
    assert not keyring_is_usable({"SSH_TTY": "/dev/pts/1"}, "darwin")


async def test_a_file_of_0600_without_a_desktop(tmp_path: Path) -> None:
    file = tmp_path / "config" / "logins.json"
    store = TokenStore(file, environment={})
    assert await store.load(URL) is None
    assert await store.save(URL, LOGIN) == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    await store.save("https://other.example.com", Login("bob@example.com", "a", "r"))
    assert await TokenStore(file, environment={}).load(URL) == LOGIN
    await store.forget(URL)
    assert await store.load(URL) is None
    assert await store.load("https://other.example.com") is not None


async def test_a_broken_file_is_as_none(tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    for text in ("no json", "[1]", '{"https://platform.example.com": {"email": 3}}'):
        file.write_text(text)
        assert await TokenStore(file, environment={}).load(URL) is None


async def test_the_keyring_leaves_nothing_in_the_file(tmp_path: Path, ring: MemoryKeyring) -> None:
    file = tmp_path / "logins.json"
    await TokenStore(file, environment={}).save(URL, LOGIN)
    store = TokenStore(file, environment=DESKTOP)
    assert await store.load(URL) == LOGIN
    assert await store.save(URL, LOGIN) == KEYRING_PLACE
    assert "refresh" not in file.read_text()
    assert await store.load(URL) == LOGIN
    await store.forget(URL)
    assert ring.kept == {}
    await store.forget(URL)


async def test_a_keyring_that_hangs_hangs_nobody(
    tmp_path: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "PATIENCE_SECONDS", 0.1)
    ring.hangs.set()
    file = tmp_path / "logins.json"
    store = TokenStore(file, environment=DESKTOP)
    assert await store.save(URL, LOGIN) == str(file)
    assert await store.load(URL) == LOGIN
    await store.forget(URL)
    assert await store.load(URL) is None

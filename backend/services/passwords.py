"""Passwords: Argon2id, in threads of its own because a hash takes tens of milliseconds and as many mebibytes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.domain.errors import TooMany

_T = TypeVar("_T")
_THREADS = 2
_MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outdated` tells that the hash was made with other parameters than today's: hash the password anew."""

    right: bool
    outdated: bool = False


class Passwords:
    """Hashes and checks. Raises TooMany where too many wait for their turn, so that a flood of logins does not pile
    up."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The Argon2id hash with its parameters and salt, under 128 characters."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Without a hash the answer is no, after as much work as with one."""
        return await self._run(lambda: self._verify(password_hash, password))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(password_hash or self._decoy_hash(), password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return Verdict(False)
        if password_hash is None:
            return Verdict(False)
        return Verdict(True, outdated=self._hasher.check_needs_rehash(password_hash))

    def _decoy_hash(self) -> str:
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_hex())
        return self._decoy

    async def _run(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= _MOST_WAITING:
            raise TooMany("too many logins at once: try again in a moment", retry_after=1.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

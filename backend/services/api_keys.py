"""API keys: long-lived credentials for programs, shown once and stored as hashes."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from backend.domain.accounts import ApiKey, CreatedApiKey, CredentialKind, Principal
from backend.domain.errors import Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.paging import Page, PageRequest
from backend.services import account_rules
from backend.services.sessions import DEACTIVATED
from backend.services.tokens import hash_of
from backend.storage import api_keys
from backend.storage.database import Database

CONTAINER_ENGINE_PREFIX = "ce_api_"
CONTAINER_ENGINE_SNAKE_PREFIX = "ce_dev_"
PREFIXES = (CONTAINER_ENGINE_PREFIX, CONTAINER_ENGINE_SNAKE_PREFIX)

_SECRET_BYTES = 32
_NOTE_USE_EVERY = timedelta(minutes=1)
_REFERENCE = re.compile(r"[0-9a-z-]{1,36}")

_log = logging.getLogger(__name__)


class ApiKeys:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    async def create(
        self, who: Principal, name: str, description: str, expires_at: datetime | None, prefix: str
    ) -> CreatedApiKey:
        """Raises Forbidden where the caller came with an API key, Invalid at name, description, expires_at or
        prefix."""
        if who.credential is CredentialKind.API_KEY:
            raise Forbidden("an API key cannot make API keys: log in and use the access token")
        now = self._clock()
        faults = account_rules.Faults()
        name = account_rules.key_name(name, faults)
        description = account_rules.key_description(description, faults)
        expires_at = account_rules.key_expiry(expires_at, now, faults)
        faults.check()
        if prefix not in PREFIXES:
            raise Invalid.at("prefix", f"prefix must be one of {', '.join(PREFIXES)}")
        secret = prefix + secrets.token_hex(_SECRET_BYTES)
        key = ApiKey(
            id=new_uuid(),
            short_id=new_short_id(Kind.API_KEY),
            user_id=who.user.id,
            name=name,
            description=description,
            prefix=prefix,
            created_at=now,
            expires_at=expires_at,
            last_used=None,
        )
        async with self._database.transaction() as session:
            await api_keys.insert_key(session, key, who.tenant_id, hash_of(secret))
        return CreatedApiKey(key, secret)

    async def page(self, who: Principal, request: PageRequest) -> Page[ApiKey]:
        async with self._database.session() as session:
            return await api_keys.keys_of_user(session, who.user.id, request)

    async def revoke(self, who: Principal, key_id: str) -> None:
        """`key_id` is either form of id. Raises NotFound, for keys of others too."""
        deleted = None
        if _REFERENCE.fullmatch(key_id):
            async with self._database.transaction() as session:
                deleted = await api_keys.delete_key(session, who.user.id, key_id)
        if deleted is None:
            raise NotFound("no such API key: list the keys to see their ids")
        self._noted.pop(deleted, None)

    async def authenticate(self, secret: str) -> Principal:
        """Raises Unauthorized where the key is unknown, revoked or expired."""
        async with self._database.glance() as session:
            stored = await api_keys.key_by_hash(session, hash_of(secret))
        if stored is None:
            raise Unauthorized("the API key is not known or was revoked")
        now = self._clock()
        if stored.key.expires_at is not None and stored.key.expires_at <= now:
            raise Unauthorized("the API key has expired: make a new one")
        if not stored.user.is_active:
            raise Unauthorized(DEACTIVATED)
        await self._note_use(stored.key, now)
        return Principal(
            stored.user, CredentialKind.API_KEY, api_key_id=stored.key.id, expires_at=stored.key.expires_at
        )

    async def _note_use(self, key: ApiKey, now: datetime) -> None:
        """At most once a minute: the memory here spares requests that come at once their turn at writing."""
        noted = max((at for at in (key.last_used, self._noted.get(key.id)) if at is not None), default=None)
        if noted is not None and now - noted < _NOTE_USE_EVERY:
            return
        self._noted[key.id] = now
        try:
            async with self._database.transaction() as session:
                await api_keys.note_use(session, key.id, now, now - _NOTE_USE_EVERY)
        except Unavailable as error:
            # The key is good all the same; a request that only reads need not fail for this.
            _log.warning("the last use of API key %s was not recorded: %s", key.short_id, error)

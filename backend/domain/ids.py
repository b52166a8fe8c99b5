"""Identity: every object has a UUID and a unique short id with its kind's prefix."""

from __future__ import annotations

import secrets
import string
import uuid
from enum import StrEnum

_ALPHABET = string.ascii_lowercase + string.digits
SHORT_LENGTH = 10


class Kind(StrEnum):
    """Kinds of object, and the prefix of their short ids."""

    USER = "usr"
    API_KEY = "key"
    DEPLOYMENT = "dpl"
    DOMAIN = "dom"
    TENANT = "tnt"
    SESSION = "ses"
    ENVIRONMENT = "env"
    TEMPLATE = "tpl"
    CLUSTER = "cls"


def new_uuid() -> str:
    """A random UUID as 36 lower-case characters."""
    return str(uuid.uuid4())


def new_short_id(kind: Kind) -> str:
    """`<prefix>-` and ten random characters of [a-z0-9], e.g. `dpl-a1b2c3d4e5` (51 bits)."""
    return f"{kind.value}-" + "".join(secrets.choice(_ALPHABET) for _ in range(SHORT_LENGTH))

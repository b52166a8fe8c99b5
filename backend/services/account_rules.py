"""What a username, an address, a password and a key's name may be. Faults are collected, so that a caller sees all of
them at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import email_validator

from backend.domain.errors import FieldError, Invalid

USERNAME_LENGTHS = (3, 50)
PASSWORD_LENGTHS = (8, 128)
KEY_NAME_LENGTHS = (1, 100)
MAX_KEY_DESCRIPTION = 500
MAX_FULL_NAME = 200
MAX_EMAIL = 254  # RFC 5321

_USERNAME = re.compile(r"[A-Za-z0-9_-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

# Names of private networks, which a platform on one's own machine must take. (Changing this list is the way that the
# library documents.)
for _domain in ("local", "localhost", "test"):
    if _domain in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_domain)


class Faults:
    """Collects faults field by field; `check` raises them."""

    def __init__(self) -> None:
        self._found: list[FieldError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, field: str, message: str) -> None:
        self._found.append(FieldError(field, message))

    def check(self) -> None:
        """Raises Invalid with every fault found, its message all of them in one sentence each."""
        if self._found:
            raise Invalid("; ".join(fault.message for fault in self._found), fields=tuple(self._found))


def username(value: str, faults: Faults) -> str:
    shortest, longest = USERNAME_LENGTHS
    if not shortest <= len(value) <= longest:
        faults.add("username", f"username must have {shortest} to {longest} characters, not {len(value)}")
    elif not _USERNAME.fullmatch(value):
        faults.add("username", "username may contain only letters A-Z and a-z, digits, '_' and '-'")
    return value


def email(value: str, faults: Faults) -> str:
    """The address as it is kept: its domain in lower case."""
    value = value.strip()
    # Said here, since the validator's words hold what it does not like.
    if len(value) > MAX_EMAIL:
        faults.add("email", f"email must have at most {MAX_EMAIL} characters, not {len(value)}")
        return value
    try:
        return email_validator.validate_email(value, check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        reason = str(error).rstrip(".").encode("utf-8", "backslashreplace").decode()
        faults.add("email", f"email is not a valid address: {reason[:1].lower()}{reason[1:]}")
        return value


def full_name(value: str, faults: Faults) -> str | None:
    """None for an empty one."""
    name = value.strip()
    if len(name) > MAX_FULL_NAME:
        faults.add("full_name", f"full_name must have at most {MAX_FULL_NAME} characters, not {len(name)}")
    elif _CONTROL.search(name):
        faults.add("full_name", "full_name must be one line of plain text")
    return name or None


def password(value: str, confirmation: str | None, faults: Faults, *, prefix: str = "") -> None:
    """`prefix` is put before the fields' names, e.g. `new_`. No confirmation, no check of it."""
    shortest, longest = PASSWORD_LENGTHS
    label = f"{prefix}password"
    if not shortest <= len(value) <= longest:
        faults.add(label, f"{label.replace('_', ' ')} must have {shortest} to {longest} characters, not {len(value)}")
    elif _CONTROL.search(value):
        faults.add(label, f"{label.replace('_', ' ')} contains a character that cannot be typed")
    if confirmation is not None and confirmation != value:
        faults.add(f"confirm_{label}", f"the confirmation differs from the {label.replace('_', ' ')}")


def key_name(value: str, faults: Faults) -> str:
    shortest, longest = KEY_NAME_LENGTHS
    name = value.strip()
    if not shortest <= len(name) <= longest:
        faults.add("name", f"name must have {shortest} to {longest} characters, not {len(name)}")
    elif _CONTROL.search(name):
        faults.add("name", "name must be one line of plain text")
    return name


def key_description(value: str, faults: Faults) -> str:
    if len(value) > MAX_KEY_DESCRIPTION:
        faults.add("description", f"description must have at most {MAX_KEY_DESCRIPTION} characters, not {len(value)}")
    elif _CONTROL.search(value.replace("\n", "").replace("\t", "")):
        faults.add("description", "description must be plain text")
    return value


def key_expiry(value: datetime | None, now: datetime, faults: Faults) -> datetime | None:
    """In UTC; a time without a zone is taken as UTC."""
    if value is None:
        return None
    try:
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        faults.add("expires_at", "expires_at is out of range")
        return None
    if moment <= now:
        faults.add("expires_at", "expires_at must lie in the future; leave it out for a key that does not expire")
    return moment

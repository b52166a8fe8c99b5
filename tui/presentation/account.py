"""The account: profile lines, rows of API keys, and what the forms ask. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tui.presentation.figures import field_line
from tui.presentation.words import age
from widgets.form import Field, SelectField, TextField
from widgets.table_columns import Cell, Column

if TYPE_CHECKING:
    from backend.wire.container_engine import ApiKeyResponse, ProfileResponse
    from tui.presentation.overview import Line

SOON = timedelta(days=7)
LEAST_PASSWORD = 8
MOST_PASSWORD = 128
_USERNAME = re.compile(r"[A-Za-z0-9_-]{3,50}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
NEVER = 0
# Label and days; the shortest first, which is also what the form begins with.
EXPIRIES: tuple[tuple[str, int], ...] = (
    ("in 30 days", 30),
    ("in 90 days", 90),
    ("in a year", 365),
    ("never", NEVER),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One API key as the table shows it. Times are words already."""

    id: str
    name: str
    description: str
    prefix: str
    created: str
    created_at: float
    expires: str
    expires_token: str
    used: str


def key_row(key: ApiKeyResponse, now: datetime) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        description=key.description,
        prefix=f"{key.prefix}…",
        created=f"{age(key.created_at, now)} ago",
        created_at=key.created_at.timestamp(),
        expires=_expires(key.expires_at, now),
        expires_token=_expires_token(key.expires_at, now),
        used="never" if key.last_used is None else f"{age(key.last_used, now)} ago",
    )


def _expires(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    return "has expired" if moment <= now else f"in {age(now - (moment - now), now)}"


def _expires_token(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "muted"
    return "status-failed" if moment <= now else "status-pending" if moment - now < SOON else ""


def key_columns() -> list[Column[KeyRow]]:
    return [
        Column("name", "NAME", lambda row: row.name, min_width=12, max_width=40, flex=2),
        Column("prefix", "KEY", lambda row: Cell(row.prefix, "muted"), min_width=8, priority=2),
        Column("created", "CREATED", lambda row: row.created, sort=lambda row: -row.created_at, priority=1),
        Column("expires", "EXPIRES", lambda row: Cell(row.expires, row.expires_token), min_width=8),
        Column("used", "LAST USED", lambda row: Cell(row.used, "muted" if row.used == "never" else ""), min_width=9),
        Column(
            "description", "DESCRIPTION", lambda row: Cell(row.description, "muted"), min_width=12, flex=2, priority=3
        ),
    ]


def profile_lines(profile: ProfileResponse, backend: str, now: datetime) -> list[Line]:
    """Who this is, and where."""
    login = "never" if profile.last_login is None else f"{age(profile.last_login, now)} ago"
    return [
        [*field_line("User", profile.username), (f"  {profile.id}", "muted")],
        field_line("E-mail", profile.email),
        field_line("Member", f"for {age(profile.created_at, now)}, last login {login}"),
        field_line("Backend", backend),
    ]


# --- forms --------------------------------------------------------------------------------------------------


def check_username(value: str) -> str | None:
    return None if _USERNAME.match(value) else "3 to 50 of the letters A-Z and a-z, digits, _ and -"


def check_email(value: str) -> str | None:
    return None if _EMAIL.match(value) else "An e-mail address, such as ann@example.com"


def check_invitation(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z0-9_]*", value.strip()) else "The code as it was given to you"


def check_password(value: str) -> str | None:
    if len(value) < LEAST_PASSWORD:
        return f"At least {LEAST_PASSWORD} characters"
    return f"At most {MOST_PASSWORD} characters" if len(value) > MOST_PASSWORD else None


def check_repeated(values: Mapping[str, Any]) -> dict[str, str]:
    """The new password stands there twice."""
    return {} if values["password"] == values["again"] else {"again": "This is not the same password"}


def profile_fields(profile: ProfileResponse) -> list[Field]:
    return [
        TextField(key="username", label="Username", required=True, value=profile.username, check=check_username),
        TextField(key="email", label="E-mail", required=True, value=profile.email, check=check_email),
    ]


def password_fields() -> list[Field]:
    return [
        TextField(
            key="current",
            label="Current",
            password=True,
            help="Empty if this account has no password yet",
        ),
        *new_password_fields(),
    ]


def new_password_fields(label: str = "New") -> list[Field]:
    return [
        TextField(key="password", label=label, required=True, password=True, check=check_password),
        TextField(key="again", label="Once more", required=True, password=True),
    ]


def key_fields() -> list[Field]:
    return [
        TextField(key="name", label="Name", required=True, placeholder="ci", help="What will use it, or where"),
        TextField(key="description", label="Description"),
        SelectField(key="expires", label="Expires", options=EXPIRIES),
    ]


def login_fields(email: str) -> list[Field]:
    return [
        TextField(
            key="email", label="E-mail", required=True, value=email, check=check_email, placeholder="ann@example.com"
        ),
        TextField(key="password", label="Password", required=True, password=True),
    ]


def register_fields() -> list[Field]:
    return [
        TextField(key="username", label="Username", required=True, check=check_username),
        TextField(key="email", label="E-mail", required=True, check=check_email),
        *new_password_fields("Password"),
        TextField(
            key="invitation",
            label="Invitation",
            placeholder="ce_invite_…",
            help="The code of an administrator, where registration is by invitation",
            check=check_invitation,
        ),
    ]


PASSWORD_WIRE_NAMES = {
    "current_password": "current",
    "currentPassword": "current",
    "new_password": "password",
    "newPassword": "password",
    "confirm_new_password": "again",
    "confirmNewPassword": "again",
    "confirm_password": "again",
    "confirmPassword": "again",
}

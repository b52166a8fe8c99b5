"""What needs an administrator."""

from __future__ import annotations

from backend.domain.accounts import Principal, Role
from backend.domain.errors import Forbidden


def require_admin(who: Principal) -> None:
    """Raises Forbidden unless the caller is an administrator of the installation."""
    if who.user.role is not Role.ADMIN:
        raise Forbidden("only an administrator may do this")

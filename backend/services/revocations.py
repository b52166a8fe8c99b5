"""Word of credentials that ended, for those who go on serving whom they once let in."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Revocations:
    """Within this process; what another one ends is seen when a credential is next looked at."""

    def __init__(self) -> None:
        self._notices: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def notice(self, user_id: str) -> asyncio.Event:
        """Set once a credential of the user may have ended. Take it before looking at the credential, and another one
        after it was set."""
        found = self._notices.get(user_id)
        if found is None:
            found = self._notices[user_id] = asyncio.Event()
        return found

    def tell(self, user_id: str) -> None:
        """A session or key of this user ended, and that is committed."""
        notice = self._notices.pop(user_id, None)
        if notice is not None:
            notice.set()

"""Composition of rate limits: the documented ones and what the settings change of them, around each surface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from litestar.types import ASGIApp

from backend.domain.rate_limits import RateClass
from backend.services.accounts import AccountService
from backend.services.rate_limits import DEFAULT_LIMITS, DEVPOCKET_LIMITS, RateLimiter, SharedWindows
from backend.setting_parsers import SURFACES, RateLimit
from backend.settings import Settings
from backend.surfaces.client_address import ClientAddresses
from backend.surfaces.container_engine.errors import FAILURES as CONTAINER_ENGINE_FAILURES
from backend.surfaces.container_engine_snake.errors import FAILURES as SNAKE_FAILURES
from backend.surfaces.devpocket.errors import FAILURES as DEVPOCKET_FAILURES
from backend.surfaces.failures import Failures
from backend.surfaces.rate_limits import RateLimited
from backend.surfaces.rate_rules import CONTAINER_ENGINE, DEVPOCKET, RateRule


@dataclass(frozen=True, slots=True)
class _Limited:
    """How a surface with documented limits counts, and how it refuses."""

    failures: Failures
    rules: Sequence[RateRule] = CONTAINER_ENGINE
    limits: Mapping[RateClass, int] = field(default_factory=lambda: DEFAULT_LIMITS)


_LIMITED: dict[str, _Limited] = {
    "container-engine": _Limited(CONTAINER_ENGINE_FAILURES),
    "container-engine-snake": _Limited(SNAKE_FAILURES),
    "devpocket": _Limited(DEVPOCKET_FAILURES, DEVPOCKET, DEVPOCKET_LIMITS),
}


@dataclass(frozen=True, slots=True)
class RateLimiting:
    """What limits surfaces. Close it after the listeners."""

    limiter: RateLimiter
    addresses: ClientAddresses
    accounts: AccountService

    @classmethod
    def of(cls, settings: Settings, accounts: AccountService) -> RateLimiting:
        """Counted in Redis where it is set, else in this process."""
        limiter = RateLimiter(limits_of(settings.rate_limits), _shared(settings))
        return cls(limiter, ClientAddresses(settings.trusted_proxies), accounts)

    def around(self, surfaces: Mapping[str, ASGIApp]) -> dict[str, ASGIApp]:
        """The surfaces, those with documented limits within them; ours has none."""
        return {name: self._limited(name, app) for name, app in surfaces.items()}

    def _limited(self, name: str, app: ASGIApp) -> ASGIApp:
        limited = _LIMITED.get(name)
        if limited is None:
            return app
        return RateLimited(
            app, name, limited.rules, self.limiter, self.accounts, self.addresses, limited.failures.answer
        )


def limits_of(changes: Iterable[RateLimit]) -> dict[tuple[str, RateClass], int]:
    """Requests a minute by surface and class: the documented ones, the changes over them in their order."""
    limits = {(surface, kind): limit for surface in SURFACES for kind, limit in _LIMITED[surface].limits.items()}
    for change in changes:
        for surface, kind in limits:
            if change.surface in (None, surface) and change.kind in (None, kind):
                limits[surface, kind] = change.limit
    return limits


def _shared(settings: Settings) -> SharedWindows | None:
    if not settings.redis_url:
        return None
    from backend.storage.redis_windows import RedisWindows

    return RedisWindows(settings.redis_url)

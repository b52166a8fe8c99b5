"""Which requests of a surface count in which class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.domain.rate_limits import RateClass

SOCKET: Final = "WEBSOCKET"
_READING = frozenset({"GET", "HEAD", "OPTIONS", SOCKET})


@dataclass(frozen=True, slots=True)
class RateRule:
    """`methods` empty: every one; opening a socket is the method WEBSOCKET. `by_address`: counted by where it comes
    from even if a credential came along, for more credentials must not buy more guesses. Without `counted` the answer
    has the headers, with all that is allowed left."""

    kind: RateClass
    path: re.Pattern[str] = re.compile("")
    methods: frozenset[str] = frozenset()
    by_address: bool = False
    counted: bool = True


_READ = RateRule(RateClass.READ)
_CHANGE = RateRule(RateClass.DEPLOYMENT_OPERATIONS)


def rule_of(rules: Sequence[RateRule], method: str, path: str) -> RateRule:
    """The first rule that fits, else by whether the request reads or changes; also for paths that are not there."""
    for rule in rules:
        if (not rule.methods or method in rule.methods) and rule.path.fullmatch(path):
            return rule
    return _READ if method in _READING else _CHANGE


# The container-engine documents. Writes of keys and of the profile are in none of the first one's classes: they count
# as deployment operations, and a change of password as authentication. The second document has no limits of its own.
CONTAINER_ENGINE: tuple[RateRule, ...] = (
    RateRule(RateClass.AUTHENTICATION, re.compile(r"/v1/auth/logout")),
    RateRule(RateClass.AUTHENTICATION, re.compile(r"/v1/auth/.*"), by_address=True),
    RateRule(RateClass.AUTHENTICATION, re.compile(r"/v1/user/password"), frozenset({"PUT"})),
    RateRule(
        RateClass.LOGS_AND_METRICS, re.compile(r"/v1/deployments/[^/]+/(logs|metrics)"), frozenset({"GET", "HEAD"})
    ),
    # Probes of load balancers: refusing them would take a healthy server out of service.
    RateRule(RateClass.READ, re.compile(r"/health|/v1/ws/health"), frozenset({"GET", "HEAD"}), counted=False),
)

# The DevPocket document's. Reading one's own profile and leaving are in its chapter on authentication, where five a
# minute would make them useless: they count as general. Another mail is the caller's own.
DEVPOCKET: tuple[RateRule, ...] = (
    RateRule(RateClass.GENERAL, re.compile(r"/api/v1/auth/(me|logout)")),
    RateRule(RateClass.AUTHENTICATION, re.compile(r"/api/v1/auth/resend-verification")),
    RateRule(RateClass.AUTHENTICATION, re.compile(r"/api/v1/auth/.*"), by_address=True),
    RateRule(RateClass.GENERAL, re.compile(r"/health(/ready|/live)?"), frozenset({"GET", "HEAD"}), counted=False),
    RateRule(RateClass.GENERAL, re.compile(".*")),
)

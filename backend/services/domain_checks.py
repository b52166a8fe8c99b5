"""The checker of custom domains: looks each up when it is due, has it routed and certified, and gives up in time.

When a domain is due is in storage. A check first claims it by moving that time on, so that a check that is killed is
taken up again, and two backends never check one domain at once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from backend.domain.domains import ROUTED_STATES, CustomDomain, DomainState
from backend.domain.errors import DomainError, Unavailable
from backend.domain.ingress import Ingress
from backend.domain.journal import JournalKind
from backend.services.domain_proof import DomainProver, Finding, Proof
from backend.services.journal import Journal, utc_now
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.domains import DomainQueries

log = logging.getLogger(__name__)

_CLAIM = timedelta(seconds=30)  # longer than a proof takes
_CERTIFICATE_CLAIM = timedelta(seconds=90)  # longer than the ingress takes to answer
_LONGEST_SLEEP_SECONDS = 30.0  # until what another backend stored is seen


@dataclass(frozen=True, slots=True)
class DomainTimes:
    """Seconds. Lists are the waits after the first, second, ... check that brought nothing; the last one repeats.
    Each wait varies by a fifth. A domain fails `missing_for` after it was added where its records are missing, and
    `elsewhere_for` after where they lead to something else; an active one likewise, counted from when that began; and
    one without a certificate `uncertified_for` after it was proved."""

    pending: tuple[float, ...] = (2, 5, 10, 30, 60, 120, 300, 600, 900)
    certificate: tuple[float, ...] = (60, 120, 300, 900, 1800, 3600)
    failed: tuple[float, ...] = (900, 1800, 3600, 7200, 21600)
    active: float = 12 * 3600
    troubled: tuple[float, ...] = (60, 300, 900, 3600)
    missing_for: float = 72 * 3600
    elsewhere_for: float = 3600
    lost_for: float = 72 * 3600
    uncertified_for: float = 24 * 3600

    @classmethod
    def with_patience(cls, seconds: float) -> DomainTimes:
        """No domain is waited for any longer."""
        times = cls()
        return replace(
            times,
            missing_for=seconds,
            elsewhere_for=min(seconds, times.elsewhere_for),
            uncertified_for=min(seconds, times.uncertified_for),
        )


class DomainChecker:
    """Start it, `wake` it when a domain came, close it."""

    def __init__(
        self,
        database: Database,
        deployments: DeploymentQueries,
        domains: DomainQueries,
        journal: Journal,
        ingress: Ingress,
        prover: DomainProver,
        *,
        route: Callable[[], Awaitable[None]],
        times: DomainTimes | None = None,
        at_once: int = 8,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`route` serves the domains that storage has (raises Unavailable); at most `at_once` checks run."""
        self._database = database
        self._deployments = deployments
        self._domains = domains
        self._journal = journal
        self._ingress = ingress
        self._prover = prover
        self._route = route
        self._times = times or DomainTimes()
        self._at_once = at_once
        self._clock = clock
        self._wake = asyncio.Event()
        self._checks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="domain-checks")

    async def close(self) -> None:
        """Checks that run are left off, and done again when their claim ends."""
        tasks = [*self._checks, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Look for what is due now."""
        self._wake.set()

    # --- when

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            sleep = _LONGEST_SLEEP_SECONDS
            try:
                sleep = await self._begin_due()
            except DomainError as error:
                log.warning("domains are not checked now: %s", error.message)
            except Exception:
                log.exception("looking for domains to check failed")
            try:
                async with asyncio.timeout(sleep):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _begin_due(self) -> float:
        """Begin what is due, and tell how many seconds nothing more will be."""
        free = self._at_once - len(self._checks)
        if free <= 0:
            return _LONGEST_SLEEP_SECONDS  # a check that ends wakes us
        async with self._database.session() as session:
            due_at = await self._domains.next_due(session)
        now = self._clock()
        if due_at is None or due_at > now:
            wait = _LONGEST_SLEEP_SECONDS if due_at is None else (due_at - now).total_seconds()
            return min(_LONGEST_SLEEP_SECONDS, wait)
        async with self._database.transaction() as session:
            due = await self._domains.due(session, now, free)
            for domain in due:
                await self._domains.write(session, domain, next_check_at=now + _CLAIM)
        for domain in due:
            task = asyncio.create_task(self._checked(replace(domain, next_check_at=now + _CLAIM)))
            self._checks.add(task)
            task.add_done_callback(self._ended)
        return 0.0 if due else 1.0  # where another backend was faster

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._checks.discard(task)
        self._wake.set()

    def _after(self, waits: tuple[float, ...], attempts: int) -> datetime:
        seconds = waits[min(attempts, len(waits) - 1)] * random.uniform(0.8, 1.2)
        return self._clock() + timedelta(seconds=seconds)

    # --- what

    async def _checked(self, domain: CustomDomain) -> None:
        try:
            await self._check(domain)
        except DomainError as error:
            log.warning("the check of %s is put off: %s", domain.name, error.message)
        except Exception:
            log.exception("checking %s failed", domain.name)

    async def _check(self, domain: CustomDomain) -> None:
        finding = await self._prover.prove(domain)
        if finding.proof is not Proof.PROVED:
            await self._not_proved(domain, finding)
            return
        failed_before = domain.state is DomainState.FAILED
        columns: dict[str, Any] = {"next_check_at": self._clock() + _CERTIFICATE_CLAIM}
        if domain.state not in ROUTED_STATES:
            columns["state"] = DomainState.VERIFIED
            columns["reason"] = "proved: it is being routed and given a certificate"
            if not failed_before:
                columns |= {"attempts": 0, "troubled_since": None}
        proved = await self._write(domain, **columns)
        if proved is None:
            return
        try:
            await self._route()
        except Unavailable as error:
            # As just after a start, when the engine has not been looked at yet.
            log.info("%s is not routed yet: %s", domain.name, error.message)
            await self._write(proved, next_check_at=self._after(self._times.pending, 0))
            return
        try:
            await self._ingress.certificate(proved.name)
        except Unavailable as error:
            waits, patience = self._times.certificate, self._times.uncertified_for
            if domain.state is DomainState.ACTIVE:
                patience = math.inf  # it is proved: neither the authority's outage nor ours takes it away
            await self._trouble(proved, error.message, waits, patience, told=failed_before)
            return
        await self._serves(proved)

    async def _not_proved(self, domain: CustomDomain, finding: Finding) -> None:
        times = self._times
        if domain.state in ROUTED_STATES:
            if finding.proof is Proof.UNKNOWN:
                # A resolver's outage takes nobody's domain away.
                await self._write(domain, next_check_at=self._after(times.troubled, domain.attempts))
                return
            await self._trouble(domain, finding.reason, times.troubled, times.lost_for)
        elif domain.state is DomainState.PENDING:
            patience = times.elsewhere_for if finding.proof is Proof.ELSEWHERE else times.missing_for
            await self._trouble(domain, finding.reason, times.pending, patience)
        else:
            await self._trouble(domain, finding.reason, times.failed, 0.0, told=True)

    async def _serves(self, domain: CustomDomain) -> None:
        """Proved, routed and certified."""
        now = self._clock()
        next_check = self._after((self._times.active,), 0)
        fine: dict[str, Any] = {"reason": "", "attempts": 0, "troubled_since": None, "next_check_at": next_check}
        if domain.state is DomainState.ACTIVE:
            await self._write(domain, **fine)
            return
        await self._write(
            domain,
            kind=JournalKind.DOMAIN_VERIFIED,
            message=f"domain {domain.name} is verified and served",
            state=DomainState.ACTIVE,
            verified_at=now,
            **fine,
        )

    async def _trouble(
        self, domain: CustomDomain, reason: str, waits: tuple[float, ...], patience: float, *, told: bool = False
    ) -> None:
        """Another check that brought nothing. `patience` seconds after the first one the domain fails; with `told` it
        had failed before, which is not told again."""
        now = self._clock()
        since = domain.troubled_since or now
        if (now - since).total_seconds() < patience and not told:
            await self._write(
                domain,
                reason=reason,
                attempts=domain.attempts + 1,
                troubled_since=since,
                next_check_at=self._after(waits, domain.attempts),
            )
            return
        failed: dict[str, Any] = {"state": DomainState.FAILED, "reason": reason, "troubled_since": since}
        if told:
            again = self._after(waits, domain.attempts)
            written = await self._write(domain, attempts=domain.attempts + 1, next_check_at=again, **failed)
        else:
            again = self._after(self._times.failed, 0)
            message = f"domain {domain.name} failed: {reason}"
            kind = JournalKind.DOMAIN_FAILED
            written = await self._write(domain, kind=kind, message=message, attempts=0, next_check_at=again, **failed)
        if written is not None and domain.state in ROUTED_STATES:
            await self._route()

    async def _write(
        self, domain: CustomDomain, *, kind: JournalKind | None = None, message: str = "", **columns: Any
    ) -> CustomDomain | None:
        """The domain as it is now, with its journal entry where `kind` is given; None where it was removed since the
        claim, or the claim ended and another has it."""
        async with self._journal.transaction() as change:
            renamed = {("status" if name == "state" else name): value for name, value in columns.items()}
            if not await self._domains.write(change.session, domain, checked_at=change.now, **renamed):
                log.info("%s was removed, or is checked by another", domain.name)
                return None
            written = replace(domain, checked_at=change.now, **columns)
            deployment = await self._deployments.by_id(change.session, domain.deployment_id) if kind else None
            if kind and deployment:
                data = {"domainId": domain.short_id, "domain": domain.name, "status": written.status.value}
                if written.reason:
                    data["reason"] = written.reason
                await change.record(deployment, kind, message, data=data)
        return written

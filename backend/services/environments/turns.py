"""Starting, stopping, restarting and deleting: the ways to ask for another state of an environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from backend.domain.accounts import Principal
from backend.domain.environments import Environment, EnvironmentDesire, EnvironmentStatus
from backend.domain.errors import NotFound, WrongState
from backend.domain.journal import JournalKind
from backend.domain.shown import shown
from backend.services.journal import SYSTEM, Journal, JournalTransaction
from backend.storage.environments import EnvironmentQueries

_RESTARTABLE = (EnvironmentStatus.RUNNING, EnvironmentStatus.STOPPED, EnvironmentStatus.ERROR)


class EnvironmentTurns:
    """Each commits what was asked for, and then tells of it."""

    def __init__(self, journal: Journal, queries: EnvironmentQueries, woken: Callable[[str], None]) -> None:
        self._journal = journal
        self._queries = queries
        self._woken = woken

    async def start(self, who: Principal, environment_id: str) -> Environment:
        """Raises WrongState unless it is stopped."""
        return await self._turn(
            who,
            environment_id,
            JournalKind.ENVIRONMENT_START_REQUESTED,
            (EnvironmentStatus.STOPPED,),
            EnvironmentDesire.STOPPED,
            desired=EnvironmentDesire.RUNNING,
            reason="starting",
            message="start asked for",
        )

    async def stop(self, who: Principal, environment_id: str) -> Environment:
        """Raises WrongState unless it runs. The container and its home stay."""
        return await self._turn(
            who,
            environment_id,
            JournalKind.ENVIRONMENT_STOP_REQUESTED,
            (EnvironmentStatus.RUNNING,),
            EnvironmentDesire.RUNNING,
            desired=EnvironmentDesire.STOPPED,
            reason="stopping",
            message="stop asked for",
        )

    async def restart(self, who: Principal, environment_id: str) -> Environment:
        """Ends what runs in it and starts it again; one in error is tried again, from the step that failed. Raises
        WrongState unless it runs, is stopped or in error."""
        return await self._turn(
            who,
            environment_id,
            JournalKind.ENVIRONMENT_RESTART_REQUESTED,
            _RESTARTABLE,
            None,
            desired=EnvironmentDesire.RUNNING,
            reason="restarting",
            message="restart asked for",
        )

    async def delete(self, who: Principal, environment_id: str) -> None:
        """The name is free again when this returns; container, home and terminals go in the background, also after a
        crash. Deleting it again while they go is no fault."""
        async with self._journal.transaction() as transaction:
            found = await self._queries.of_tenant(transaction.session, who.tenant_id, environment_id)
            if found is None:
                raise environment_not_found(environment_id)
            if found.desired is EnvironmentDesire.DELETED:
                return
            await self._queries.write(
                transaction.session,
                found.id,
                desired=EnvironmentDesire.DELETED,
                status=EnvironmentStatus.TERMINATED,
                reason="deleting",
                message="being deleted",
                name_key=None,
                updated_at=transaction.now,
            )
            await transaction.record(
                found,
                JournalKind.ENVIRONMENT_DELETED,
                f"{found.name} deleted",
                actor=who.user.short_id,
                data={"name": found.name, "status": EnvironmentStatus.TERMINATED.value},
            )
        self._woken(found.id)

    async def _turn(
        self,
        who: Principal,
        environment_id: str,
        kind: JournalKind,
        allowed: tuple[EnvironmentStatus, ...],
        desired_before: EnvironmentDesire | None,
        *,
        desired: EnvironmentDesire,
        reason: str,
        message: str,
    ) -> Environment:
        async with self._journal.transaction() as transaction:
            before = await self.locked(transaction, who, environment_id)
            if before.status not in allowed:
                words = " or ".join(status.value for status in allowed)
                raise WrongState(
                    f"{before.name} is {before.status.value}: that needs it to be {words}", status=before.status.value
                )
            if desired_before is not None and before.desired is not desired_before:
                raise WrongState(f"{before.name} is {before.reason or 'busy'} already", status=before.status.value)
            after = await self._asked(transaction, before, kind, who.user.short_id, desired, reason, message)
        self._woken(after.id)
        return after

    async def _asked(
        self,
        transaction: JournalTransaction,
        before: Environment,
        kind: JournalKind,
        actor: str,
        desired: EnvironmentDesire,
        reason: str,
        message: str,
    ) -> Environment:
        status = before.status
        if status is EnvironmentStatus.ERROR:
            # What is in error is left alone until it is something else.
            status = EnvironmentStatus.CREATING
        error = before.error_message if desired is EnvironmentDesire.STOPPED else None
        after = replace(
            before,
            desired=desired,
            status=status,
            reason=reason,
            message=message,
            error_message=error,
            updated_at=transaction.now,
        )
        await self._queries.write(
            transaction.session,
            after.id,
            desired=desired,
            status=status,
            reason=reason,
            message=message,
            error_message=error,
            updated_at=transaction.now,
        )
        if kind is JournalKind.ENVIRONMENT_RESTART_REQUESTED:
            await self._queries.ask_restart(transaction.session, after.id)
        await transaction.record(after, kind, message, actor=actor, data={"name": after.name, "status": status.value})
        return after

    async def stop_idle(self, environment: Environment, why: str) -> None:
        """The system stops it, unless somebody did something else with it meanwhile."""
        async with self._journal.transaction() as transaction:
            before = await self._queries.by_id(transaction.session, environment.id)
            if (
                before is None
                or before.status is not EnvironmentStatus.RUNNING
                or before.desired is not EnvironmentDesire.RUNNING
                or not before.idle_stop_minutes
            ):
                return
            await self._asked(
                transaction,
                before,
                JournalKind.ENVIRONMENT_IDLE,
                SYSTEM,
                EnvironmentDesire.STOPPED,
                "stopping",
                f"stopping: {why}",
            )
        self._woken(environment.id)

    async def locked(self, transaction: JournalTransaction, who: Principal, environment_id: str) -> Environment:
        """One that may be changed, within a transaction. Raises NotFound, WrongState where it is being deleted."""
        found = await self._queries.of_tenant(transaction.session, who.tenant_id, environment_id)
        if found is None:
            raise environment_not_found(environment_id)
        if found.desired is EnvironmentDesire.DELETED:
            raise WrongState(f"{found.name} is being deleted", status=found.status.value)
        return found


def environment_not_found(environment_id: str) -> NotFound:
    return NotFound(f"there is no environment {shown(environment_id)}")

"""What can be done to an environment's container and volume. Each step may be repeated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from backend.domain.engine import ContainerPhase, ContainerSpec, ContainerState, ImageUser, PullProgress, VolumeSpec
from backend.domain.environments import Environment, EnvironmentStatus, EnvironmentWork
from backend.domain.errors import Conflict, DomainError, NotFound
from backend.domain.journal import JournalKind
from backend.domain.terminals import EndReason
from backend.services.environments.context import EnvironmentShared, container_name, home_of, host_name, volume_name
from backend.services.environments.places import KIND_ENVIRONMENT, Place
from backend.services.environments.record import EnvironmentRecorder
from backend.services.environments.rules import Amounts
from backend.services.reconciler.replica_steps import pull_text

log = logging.getLogger(__name__)

# More than a deployment's: builds start many processes at once.
PIDS_LIMIT = 4096
# Does nothing until it is told to end, in every image that has a shell; the engine's init reaps what terminals leave.
IDLE_COMMAND = ("sleep", "2147483647")
_STARTABLE = (ContainerPhase.CREATED, ContainerPhase.EXITED, ContainerPhase.DEAD)


class EnvironmentSteps:
    """One environment's."""

    def __init__(self, shared: EnvironmentShared, recorder: EnvironmentRecorder) -> None:
        self._shared = shared
        self._recorder = recorder

    # --- up

    async def pull(self, environment: Environment, work: EnvironmentWork, place: Place) -> None:
        """Pull the image where it is not there, telling of the progress. Raises ImageRejected."""
        if await place.images.present(environment.digest):
            return
        text = f"pulling {environment.image}"
        note = (JournalKind.ENVIRONMENT_PULLING, text)
        await self._recorder.write(
            environment, work, status=EnvironmentStatus.CREATING, reason="pulling", message=text, notes=(note,)
        )

        def progressed(progress: PullProgress) -> None:
            self._shared.report(environment.id, "pulling", f"{text}: {pull_text(progress)}", EnvironmentStatus.CREATING)

        await place.images.pull(environment.image, environment.digest, None, progressed)
        done = (JournalKind.ENVIRONMENT_PULLED, f"pulled {environment.image}")
        await self._recorder.write(environment, work, notes=(done,))

    async def make(
        self, environment: Environment, work: EnvironmentWork, place: Place, old: Sequence[ContainerState]
    ) -> ContainerState | None:
        """A started container of this generation, in place of those of older ones, with the home volume; None where
        it went away at once."""
        await self._recorder.write(
            environment,
            work,
            status=EnvironmentStatus.CREATING,
            reason="creating",
            message="creating the container",
            installation_completed=False,
        )
        self._shared.settled(environment.id)
        user = await place.engine.image_user(environment.digest)
        home = home_of(user)
        amounts = Amounts.of(environment.resources)
        volume = await place.engine.ensure_volume(
            VolumeSpec(
                name=volume_name(self._shared.options.installation, environment),
                kind=KIND_ENVIRONMENT,
                object_id=environment.id,
                tenant_id=environment.tenant_id,
                size_bytes=amounts.storage_bytes,
            )
        )
        if old:
            text = f"{environment.name} is made anew; its home stays"
            await self._shared.end_terminals(environment.id, EndReason.CONTAINER_REMOVED, text)
        for replaced in old:
            await self.remove(environment, place, replaced)
        name = container_name(self._shared.options.installation, environment)
        spec = ContainerSpec(
            name=name,
            image=environment.digest,
            kind=KIND_ENVIRONMENT,
            object_id=environment.id,
            tenant_id=environment.tenant_id,
            generation=environment.generation,
            ordinal=0,
            network=await place.networks.network(environment.tenant_id),
            env=_variables(environment, user, home),
            port=environment.port,
            address=await place.networks.address(environment.tenant_id, environment.id, name),
            cpu_millicores=amounts.cpu_millicores,
            memory_bytes=amounts.memory_bytes,
            storage_bytes=amounts.storage_bytes,
            pids_limit=PIDS_LIMIT,
            entrypoint=IDLE_COMMAND[:1],
            command=IDLE_COMMAND[1:],
            volumes={volume.name: home},
            working_dir=home,
            hostname=host_name(environment),
            stop_timeout_seconds=self._shared.options.stop_timeout_seconds,
        )
        async with self._shared.engine_slots:
            made = await self._create(place, spec)
            return await self._start(place, made, name)

    async def _create(self, place: Place, spec: ContainerSpec) -> str:
        try:
            return await place.engine.create_container(spec)
        except NotFound:
            # The network went away under us: look at it anew at the next try.
            place.networks.forget_networks()
            raise
        except Conflict as error:
            if error.details.get("reason") == "address":
                await place.networks.release(spec.name)
            raise

    async def start(self, environment: Environment, place: Place, state: ContainerState) -> ContainerState | None:
        """Start one that was made, or stopped, before; None where only a new one can do it."""
        async with self._shared.engine_slots:
            return await self._start(place, state.id, state.name)

    async def _start(self, place: Place, container_id: str, name: str) -> ContainerState | None:
        try:
            await place.engine.start_container(container_id)
        except NotFound as error:
            if error.details.get("reason") != "network":
                place.view.drop(container_id)
                return None
            # Its network was removed: it stays bound to what is gone.
            place.networks.forget_networks()
            await self._discard(place, container_id)
            return None
        except Conflict as error:
            if error.details.get("reason") != "address":
                raise
            # Its fixed address is taken: it is made anew with another.
            await self._discard(place, container_id)
            await place.networks.release(name)
            return None
        finally:
            await place.view.refresh(container_id)
        return await place.view.refresh(container_id)

    async def _discard(self, place: Place, container_id: str) -> None:
        await place.engine.remove_container(container_id)
        place.view.drop(container_id)

    async def give_home(
        self, environment: Environment, work: EnvironmentWork, place: Place, state: ContainerState
    ) -> None:
        """Let the image's user write in its home: a folder that the image does not have is made for root, and one
        that an image with another user filled is all that user's."""
        user = await place.engine.image_user(environment.digest)
        home = home_of(user)
        if work.home_uid != user.uid and not (work.home_uid is None and user.uid == 0):
            await self._own(place, state, user, home, whole=work.home_uid is not None)
        await self._recorder.write(environment, work, home=home, home_uid=user.uid)

    async def _own(self, place: Place, state: ContainerState, user: ImageUser, home: str, *, whole: bool) -> None:
        recursive = ["-R"] if whole else []
        process = await place.engine.exec_process(
            state.id, ["chown", *recursive, f"{user.uid}:{user.gid}", home], env={}, user="0"
        )
        said = b""
        try:
            while output := await process.read():
                said = (said + b"".join(data for _, data in output))[-500:]
            code = await process.exit_code()
        finally:
            await process.close()
        if code != 0:
            log.warning("the home of %s was not given to %d: %s", state.name, user.uid, said.decode("utf-8", "replace"))

    async def restart(self, environment: Environment, place: Place, state: ContainerState) -> ContainerState | None:
        """End all that runs in it, and start it again; what it has on its disk stays."""
        await self._shared.end_terminals(
            environment.id, EndReason.CONTAINER_STOPPED, f"{environment.name} is being restarted"
        )
        try:
            await place.engine.restart_container(state.id, self._shared.options.stop_timeout_seconds)
        except NotFound as error:
            if error.details.get("reason") != "network":
                place.view.drop(state.id)
                return None
            place.networks.forget_networks()
            await self._discard(place, state.id)
            return None
        return await place.view.refresh(state.id)

    async def limit(self, environment: Environment, place: Place, state: ContainerState) -> ContainerState | None:
        """Apply the limits that are asked for. Where it uses more memory than that now, it is restarted."""
        amounts = Amounts.of(environment.resources)
        limits = {"cpu_millicores": amounts.cpu_millicores, "memory_bytes": amounts.memory_bytes}
        try:
            await place.engine.update_container(state.id, **limits)
        except Conflict as error:
            log.info("%s is restarted for its new limits: %s", state.name, error.message)
            await place.engine.stop_container(state.id, self._shared.options.stop_timeout_seconds)
            await place.engine.update_container(state.id, **limits)
            await place.engine.start_container(state.id)
        return await place.view.refresh(state.id)

    # --- down

    async def stop(self, place: Place, state: ContainerState) -> None:
        try:
            await place.engine.stop_container(state.id, self._shared.options.stop_timeout_seconds)
        except NotFound:
            place.view.drop(state.id)
            return
        await place.view.refresh(state.id)

    async def remove(self, environment: Environment, place: Place, state: ContainerState) -> None:
        """Stop and remove a container. The volume stays."""
        if state.phase not in _STARTABLE:
            await self.stop(place, state)
        await self._discard(place, state.id)
        await place.networks.release(state.name)

    async def remove_everything(self, environment: Environment, place: Place) -> None:
        """The containers and the volume with all files, also what a crash left half-made."""
        await self._shared.end_terminals(environment.id, EndReason.CONTAINER_REMOVED, f"{environment.name} was deleted")
        for state in place.containers(environment.id):
            await self.remove(environment, place, state)
        for state in await place.engine.list_containers(environment.id):
            if state.kind == KIND_ENVIRONMENT:
                await self.remove(environment, place, state)
        await place.engine.remove_volume(volume_name(self._shared.options.installation, environment))
        await place.networks.release(container_name(self._shared.options.installation, environment))

    async def release_network(self, environment: Environment, place: Place, in_use: bool) -> None:
        """Give back the network of a tenant that has nothing there any more."""
        if in_use:
            return
        try:
            async with asyncio.timeout(30):
                await place.networks.release_tenant(environment.tenant_id)
        except (DomainError, TimeoutError) as error:
            # Somebody made something again meanwhile, or attached a container of their own.
            log.info("the tenant's network stays: %s", error)


def limits_hold(environment: Environment, state: ContainerState) -> bool:
    """Whether the container has the CPU and memory limits that are asked for."""
    amounts = Amounts.of(environment.resources)
    return (state.cpu_millicores, state.memory_limit_bytes) == (amounts.cpu_millicores, amounts.memory_bytes)


def _variables(environment: Environment, user: ImageUser, home: str) -> dict[str, str]:
    """The user's own go first. HOME is told where the image's passwd file does not."""
    told = {} if user.home == home else {"HOME": home}
    return {"PORT": str(environment.port), **told, **environment.env}

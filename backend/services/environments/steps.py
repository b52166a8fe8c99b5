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
from backend.services.environments.places import KIND_ENVIRONMENT, KIND_HELPER, Place
from backend.services.environments.record import EnvironmentRecorder
from backend.services.environments.rules import Amounts
from backend.services.reconciler.faults import last_lines
from backend.services.reconciler.replica_steps import pull_text

log = logging.getLogger(__name__)

# More than a deployment's: builds start many processes at once.
PIDS_LIMIT = 4096
# Does nothing until it is told to end, in every image that has a shell; the engine's init reaps what terminals leave.
IDLE_COMMAND = ("sleep", "2147483647")
# How often the end of a helper is looked for.
HELPER_STEP_SECONDS = 0.1
_UNENDED = (ContainerPhase.CREATED, ContainerPhase.RUNNING, ContainerPhase.RESTARTING, ContainerPhase.PAUSED)
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
        network = await place.networks.network(environment.tenant_id)
        given = _changes_hands(work, user)
        if given:
            await self._give_home(environment, work, place, user, volume.name, home, network)
        spec = ContainerSpec(
            name=name,
            image=environment.digest,
            kind=KIND_ENVIRONMENT,
            object_id=environment.id,
            tenant_id=environment.tenant_id,
            generation=environment.generation,
            ordinal=0,
            network=network,
            env={"PORT": str(environment.port), "HOME": home, **environment.env},
            port=environment.port,
            address=await place.networks.address(environment.tenant_id, environment.id, name),
            cpu_millicores=amounts.cpu_millicores,
            memory_bytes=amounts.memory_bytes,
            storage_bytes=amounts.storage_bytes,
            pids_limit=PIDS_LIMIT,
            entrypoint=IDLE_COMMAND[:1],
            command=IDLE_COMMAND[1:],
            volumes={volume.name: home},
            # The engine fills an empty volume from the image, and gives it to whom the image gives the folder: only
            # at first, else an empty home would be filled again and be another's.
            fill_volumes=work.home_uid is None and not given,
            working_dir=home,
            hostname=host_name(environment),
            stop_timeout_seconds=self._shared.options.stop_timeout_seconds,
        )
        async with self._shared.engine_slots:
            made = await self._create(place, spec)
            return await self._start(place, made, name)

    async def note_home(self, environment: Environment, work: EnvironmentWork, place: Place) -> None:
        """Keep where the home is and whose: the container with it is there."""
        user = await place.engine.image_user(environment.digest)
        await self._recorder.write(environment, work, home=home_of(user), home_uid=user.uid)

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

    async def _give_home(
        self,
        environment: Environment,
        work: EnvironmentWork,
        place: Place,
        user: ImageUser,
        volume: str,
        home: str,
        network: str,
    ) -> None:
        """Let the image's user write in its home: a folder that the image does not have is made for root, and what
        another image's user kept there is all that user's. Only root may change that, and the environment itself may
        not be root: a container that runs once does it. Raises Conflict where it fails."""
        whole = ["-R"] if work.home_uid is not None else []
        spec = ContainerSpec(
            name=f"{container_name(self._shared.options.installation, environment)}-home",
            image=environment.digest,
            kind=KIND_HELPER,
            object_id=environment.id,
            tenant_id=environment.tenant_id,
            generation=environment.generation,
            ordinal=0,
            network=network,
            entrypoint=("chown",),
            command=(*whole, f"{user.uid}:{user.gid}", home),
            user="0",
            volumes={volume: home},
            fill_volumes=work.home_uid is None,
            restart=False,
        )
        # One that a crash left behind may have ended already: make it anew.
        await place.engine.remove_container(await self._create(place, spec))
        made = await self._create(place, spec)
        try:
            await place.engine.start_container(made)
            state = await _ended(place, made)
            if state.exit_code != 0:
                said = await last_lines(place.engine, made)
                raise Conflict(f"the home could not be given to user {user.uid} (code {state.exit_code}){said}")
        finally:
            await place.engine.remove_container(made)
            place.view.drop(made)

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
            if state.kind in (KIND_ENVIRONMENT, KIND_HELPER):
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


async def _ended(place: Place, container_id: str) -> ContainerState:
    """A container that runs once, when it has."""
    while True:
        state = await place.engine.inspect_container(container_id)
        if state.phase not in _UNENDED:
            return state
        await asyncio.sleep(HELPER_STEP_SECONDS)


def _changes_hands(work: EnvironmentWork, user: ImageUser) -> bool:
    """Whether what is in the home, or the folder itself, is another user's."""
    return user.uid != (work.home_uid or 0)

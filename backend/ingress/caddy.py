"""The ingress on Caddy: a door that never changes and a router that is loaded anew (see `compile`)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.domain.errors import Unavailable
from backend.domain.ingress import Certificate, RequestRecord, Route
from backend.ingress.access_log import AccessLog
from backend.ingress.certificates import served_certificate
from backend.ingress.compile import (
    LogFiles,
    compile_door,
    compile_router,
    listen_addresses,
    retired_upstreams,
    upstreams,
    upstreams_by_host,
    with_retired,
    with_routes_of,
)
from backend.ingress.paths import IngressPaths
from backend.ingress.process import CaddyProcess, require_free_port
from backend.ingress.tls import QUESTION_PATH, TlsOptions, authority, dial_host

logger = logging.getLogger(__name__)

DOOR = "door"
ROUTER = "router"

_WATCH_SECONDS = 0.25
_LONGEST_BACKOFF_SECONDS = 10.0
_PROMPT_SECONDS = 2.0
# It goes through door and router to an answer of the router's own, which is no app's and leaves no line in the log.
_PROBE = f"GET {QUESTION_PATH}?domain=probe.invalid HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
_PROBED = ("HTTP/1.1 200 ", "HTTP/1.1 404 ")


@dataclass(frozen=True, slots=True)
class _Applied:
    """How the last load ended that carried the calls up to `ticket`."""

    ticket: int
    error: Unavailable | None


@dataclass(frozen=True, slots=True)
class _Routes:
    """A router's config, without retired upstreams, and the addresses in it."""

    config: dict[str, Any]
    addresses: frozenset[str]


class CaddyIngress:
    """The domain's `Ingress`. All state is in `run_dir`, `log_dir` and the folder of the certificates; two objects on
    the same directories, one after the other, drive the same processes. HTTPS is served where `tls` is given.
    `drain_seconds` bounds how long `stop` waits for requests in flight."""

    def __init__(
        self,
        run_dir: Path,
        log_dir: Path,
        *,
        listen: str = "127.0.0.1",
        port: int,
        tls: TlsOptions | None = None,
        drain_seconds: float = 10.0,
    ) -> None:
        self._listen = listen
        self._port = port
        self._tls = tls
        self._drain_seconds = drain_seconds
        self._paths = IngressPaths.prepare(run_dir, log_dir)
        self._door = CaddyProcess(DOOR, self._paths)
        self._router = CaddyProcess(ROUTER, self._paths)
        self._access_log = AccessLog(self._paths.access_log, self._paths.access_position)
        self._running = asyncio.Lock()  # held while processes start
        self._loading = asyncio.Lock()  # held while routes are loaded
        self._wanted = _Routes({}, frozenset())
        self._ticket = 0
        self._applied = _Applied(0, None)
        self._serving = _Routes({}, frozenset())
        self._retired: frozenset[str] = frozenset()
        self._watch: asyncio.Task[None] | None = None
        self._closed = False
        self._begun = False
        self.fault: str | None = None

    @property
    def pids(self) -> dict[str, int | None]:
        """The process ids by name, for status and diagnosis."""
        return {process.name: process.pid for process in (self._door, self._router)}

    async def start(self) -> None:
        """Adopt the running processes of this installation, or start them with the routes that were last applied.
        Raises Unavailable, naming the port where another process has it."""
        self._access_log.begin()
        try:
            async with self._running:
                adopted = await self._door.adopt()
                if not adopted:
                    self._require_free_ports()  # before a router is started for nothing
                await self._start_router()
                if adopted:
                    await self._renew_door()
                else:
                    await self._start_door()
        except Unavailable as error:
            self.fault = error.message
            raise
        self._begun, self.fault = True, None
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_running(), name="ingress-watch")

    async def apply(self, routes: Sequence[Route]) -> None:
        """Serve exactly these routes. Calls made while one loads are answered by one load of the latest. Raises
        Unavailable (the watch goes on trying), and Invalid for routes that cannot be served (see `compile_router`)."""
        # Compiled at once, so that routes which are refused do not replace what others want.
        addresses = frozenset(upstream.address for route in routes for upstream in route.upstreams)
        self._wanted = _Routes(self._compile(routes), addresses)
        self._ticket += 1
        mine = self._ticket
        async with self._loading:
            if self._applied.ticket < mine:
                ticket, wanted = self._ticket, self._wanted
                try:
                    await self._load(wanted)
                except Unavailable as error:
                    self._applied = _Applied(ticket, error)
                    raise
                self._applied = _Applied(ticket, None)
            elif self._applied.error is not None:
                raise Unavailable(self._applied.error.message)

    async def serving(self) -> dict[str, frozenset[str]]:
        """By the running router's routes; where none answers, by those that it will start with."""
        try:
            config = await self._router.admin.config() if await self._router.admin.answers() else None
        except Unavailable as error:
            logger.warning("what the ingress serves is read from its saved routes: %s", error.message)
            config = None
        return upstreams_by_host(self._router.saved_config() or {} if config is None else config)

    async def ready(self) -> bool:
        """Whether `start` succeeded, both processes run and a request through the port is answered; False once closed.
        Processes that still serve at another address do not count."""
        if self._closed or not self._begun or not self._both_run():
            return False
        if not await self._router.admin.answers():
            return False
        return await _answers(dial_host(self._listen), self._port)

    async def certificate(self, name: str) -> Certificate | None:
        """The certificate for a host name that is served, obtained where it is not there yet; None without TLS.
        Raises Unavailable with the reason why there is none."""
        if self._tls is None:
            return None
        return await served_certificate(dial_host(self._listen), self._tls.port, name, self._paths.errors(DOOR))

    def requests(self) -> AsyncIterator[RequestRecord]:
        """Every finished request, with those finished since the last reader stopped. One consumer."""
        return self._access_log.records()

    async def in_flight(self) -> dict[str, int]:
        """Requests now at each upstream address, also of upstreams that have left their route; empty where none.
        Raises Unavailable."""
        return await self._router.admin.in_flight()

    async def close(self) -> None:
        """Let go of the processes; they keep serving. The object cannot be started again."""
        self._closed = True
        await self._end_watch()
        self._access_log.remember()
        await self._door.admin.close()
        await self._router.admin.close()

    async def stop(self) -> None:
        """End the processes: first the door, so that no request meets a missing router. Adopts them first where
        `start` was not called."""
        await self._end_watch()
        async with self._running:
            for process in (self._door, self._router):
                if process.pid is not None or await process.adopt():
                    await process.stop(self._drain_seconds)
        await self.close()

    async def _start_router(self) -> None:
        if self._router.alive():
            return
        if await self._router.adopt():
            self._note_loaded(await self._router.admin.config())
            logger.info("adopted the ingress router, process %s", self._router.pid)
            return
        saved = self._router.saved_config()
        empty = self._compile(())
        # The directories may have moved since it was saved: only the routes are taken over.
        config = with_routes_of(empty, saved) if saved else empty
        try:
            await self._router.start(config)
        except Unavailable:
            if config == empty:
                raise
            logger.exception("the ingress router does not start with its last routes: starting without any")
            config = empty
            await self._router.start(config)
        self._note_loaded(config)

    async def _start_door(self) -> None:
        if self._door.alive():
            return
        self._require_free_ports()
        if self._tls is not None:
            self._tls.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._door.start(self._compile_door())

    async def _renew_door(self) -> None:
        """Give an adopted door the config of this version and the port asked for."""
        loaded, config = await self._door.admin.config(), self._compile_door()
        if loaded == config:
            logger.info("adopted the ingress door, process %s", self._door.pid)
        elif listen_addresses(loaded) == listen_addresses(config):
            await self._door.load(config)
        else:
            # Keep the old door until the new ports are known to be free.
            self._require_free_ports(but=listen_addresses(loaded))
            await self._door.stop(self._drain_seconds)
            await self._start_door()

    def _require_free_ports(self, but: Collection[str] = ()) -> None:
        """Raises Unavailable, naming the port, where one is taken that is not among the addresses `but`."""
        if authority(self._listen, self._port) not in but:
            require_free_port(self._listen, self._port)
        if self._tls is not None and authority(self._listen, self._tls.port) not in but:
            require_free_port(self._listen, self._tls.port, "the setting ingress_https_port")

    def _compile_door(self) -> dict[str, Any]:
        return compile_door(
            listen=self._listen,
            port=self._port,
            admin_socket=self._paths.admin_socket(DOOR),
            router_socket=self._paths.router_socket,
            logs=LogFiles(self._paths.errors(DOOR)),
            tls=self._tls,
        )

    async def _load(self, wanted: _Routes) -> None:
        async with self._running:
            await self._start_router()
        if wanted.config == self._serving.config:
            self._serving = wanted  # the watch compares by identity
            return
        # Those that leave now stay counted, and of those that left before the ones that still have requests.
        busy = await self._router.admin.in_flight() if self._retired else {}
        retired = (self._serving.addresses | (self._retired & busy.keys())) - wanted.addresses
        await self._router.load(with_retired(wanted.config, retired))
        self._serving, self._retired = wanted, retired

    def _note_loaded(self, config: dict[str, Any]) -> None:
        self._retired = frozenset(retired_upstreams(config))
        self._serving = _Routes(with_retired(config, ()), frozenset(upstreams(config)) - self._retired)

    def _compile(self, routes: Sequence[Route]) -> dict[str, Any]:
        return compile_router(
            routes,
            admin_socket=self._paths.admin_socket(ROUTER),
            router_socket=self._paths.router_socket,
            logs=LogFiles(self._paths.errors(ROUTER), self._paths.access_log),
        )

    async def _keep_running(self) -> None:
        """Start a process that died again, with what it had, and see to it that the routes wanted are in force."""
        pause = _WATCH_SECONDS
        while True:
            await self._rest(pause)
            pause = min(2 * pause, _LONGEST_BACKOFF_SECONDS)
            try:
                if not self._both_run():
                    logger.warning("an ingress process died: starting it again")
                    async with self._running:
                        await self._start_router()
                        await self._start_door()
                await self._load_again()
            except Unavailable as error:
                logger.error("the ingress is not mended, next attempt in %.1f s: %s", pause, error.message)
            except Exception:
                logger.exception("mending the ingress failed, next attempt in %.1f s", pause)
            else:
                pause = _WATCH_SECONDS

    async def _rest(self, seconds: float) -> None:
        """Sleep, but no longer than until one of two processes that run dies."""
        clock = asyncio.get_running_loop().time
        until, both_ran = clock() + seconds, self._both_run()
        while (left := until - clock()) > 0:
            await asyncio.sleep(min(left, _WATCH_SECONDS))
            if both_ran and not self._both_run():
                return

    async def _load_again(self) -> None:
        """Load the routes wanted where others are in force: a router that died starts with those that were kept, or
        with none. Raises Unavailable."""
        if self._ticket == 0 or self._serving is self._wanted:
            return  # until routes are asked for, the saved ones are right
        if self._loading.locked():
            return  # `apply` is at it, and waiting for it would leave the processes unwatched
        async with self._loading:
            await self._load(self._wanted)

    def _both_run(self) -> bool:
        return self._door.alive() and self._router.alive()

    async def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch


async def _answers(host: str, port: int) -> bool:
    """Whether a request is answered promptly: the kernel takes connections for a process that is frozen, too."""
    try:
        async with asyncio.timeout(_PROMPT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(_PROBE)
                status_line = await reader.readline()
            finally:
                writer.close()
    except OSError:
        return False
    return status_line.decode("latin-1").startswith(_PROBED)

"""Connections to an engine's socket on another machine, as channels of one SSH connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.domain.clusters import DockerAddress
from backend.domain.errors import Invalid
from backend.engines.relay import CannotDial, Reader, Writer, reason_of

if TYPE_CHECKING:
    import asyncssh

DIAL_SECONDS = 8.0
ALIVE_SECONDS = 15.0
REMOTE_SOCKET = "/var/run/docker.sock"


class _Reading:
    """A channel's output, whose faults are those of any connection."""

    def __init__(self, reader: asyncssh.SSHReader[bytes]) -> None:
        self._reader = reader

    async def read(self, n: int = -1, /) -> bytes:
        import asyncssh

        try:
            return await self._reader.read(n)
        except asyncssh.Error as error:
            raise ConnectionResetError(f"the SSH connection was lost: {error.reason}") from error


class _Writing:
    """A channel's input, likewise."""

    def __init__(self, writer: asyncssh.SSHWriter[bytes]) -> None:
        self._writer = writer

    def write(self, data: bytes, /) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        import asyncssh

        try:
            await self._writer.drain()
        except asyncssh.Error as error:
            raise ConnectionResetError(f"the SSH connection was lost: {error.reason}") from error

    def can_write_eof(self) -> bool:
        return self._writer.can_write_eof()

    def write_eof(self) -> None:
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


class SshDialler:
    """See `backend.engines.relay.Dialler`. The connection is made when first needed, and again once it is lost."""

    def __init__(
        self,
        host: str,
        port: int | None,
        user: str | None,
        *,
        socket: str = REMOTE_SOCKET,
        private_key: str | None = None,
        host_key: str | None = None,
    ) -> None:
        """Without `private_key` and `host_key` the files of this process's user count, as for its own ssh; a server
        whose key is not known is never trusted. Raises Invalid at docker.ssh_private_key or docker.ssh_host_key."""
        import asyncssh  # loaded only where there is such an engine

        self._socket = socket
        self._where: dict[str, Any] = {"host": host, "username": user or ()}
        if port is not None:
            self._where["port"] = port
        if private_key is not None:
            try:
                self._where["client_keys"] = [asyncssh.import_private_key(private_key)]
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
                raise Invalid.at(
                    "docker.ssh_private_key", "docker.ssh_private_key is no unencrypted private key of SSH"
                ) from error
            self._where["agent_path"] = None
        if host_key is not None:
            try:
                self._where["known_hosts"] = ([asyncssh.import_public_key(host_key)], [], [])
            except (asyncssh.KeyImportError, ValueError) as error:
                raise Invalid.at(
                    "docker.ssh_host_key", "docker.ssh_host_key must be a public key such as 'ssh-ed25519 AAAA...'"
                ) from error
        if private_key is not None and host_key is not None:
            self._where["config"] = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    def of(cls, address: DockerAddress) -> SshDialler:
        """To `ssh://[user@]host[:port][/path/of/its.sock]`."""
        url = urlsplit(address.url)
        return cls(
            url.hostname or "",
            url.port,
            url.username,
            socket=url.path if len(url.path) > 1 else REMOTE_SOCKET,
            private_key=address.ssh_private_key,
            host_key=address.ssh_host_key,
        )

    async def dial(self) -> tuple[Reader, Writer]:
        import asyncssh

        connection = await self._connected()
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                reader, writer = await connection.open_unix_connection(self._socket, encoding=None)
                return _Reading(reader), _Writing(writer)
        except asyncssh.ChannelOpenError as error:
            raise CannotDial(f"the SSH server opens no way to {self._socket}: {error.reason}") from error
        except TimeoutError as error:
            self._forget(connection)
            raise CannotDial(f"the SSH server does not answer within {DIAL_SECONDS:g} s") from error
        except (asyncssh.Error, OSError) as error:
            self._forget(connection)
            raise CannotDial(f"the SSH connection was lost: {error}") from error

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    async def _connected(self) -> asyncssh.SSHClientConnection:
        import asyncssh

        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            try:
                async with asyncio.timeout(DIAL_SECONDS):
                    self._connection = await asyncssh.connect(
                        **self._where,
                        preferred_auth="publickey",
                        keepalive_interval=ALIVE_SECONDS,
                        keepalive_count_max=3,
                    )
            except TimeoutError as error:
                raise CannotDial(f"the SSH server does not answer within {DIAL_SECONDS:g} s") from error
            except asyncssh.HostKeyNotVerifiable as error:
                raise CannotDial(
                    "the SSH server has another key than the known one: give docker.ssh_host_key"
                ) from error
            except asyncssh.PermissionDenied as error:
                raise CannotDial("the SSH server refuses the user or its key") from error
            except asyncssh.Error as error:
                raise CannotDial(f"SSH failed: {error.reason}") from error
            except OSError as error:
                raise CannotDial(reason_of(error)) from error
            return self._connection

    def _forget(self, connection: asyncssh.SSHClientConnection) -> None:
        """A connection that is lost is not used again; another may have taken its place already."""
        connection.abort()
        if self._connection is connection:
            self._connection = None

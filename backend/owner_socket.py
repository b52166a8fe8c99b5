"""Unix sockets that only their owner's processes may use."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from pathlib import Path

_PEER = struct.Struct("3i")  # pid, uid, gid of SO_PEERCRED


def bind_owner_socket(path: Path, backlog: int) -> socket.socket:
    """A listening socket, mode 0600. One that a killed process left is replaced: hold a lock. Raises FileExistsError
    where something else is in the way, OSError."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} is in the way and no socket: remove it")
        path.unlink()
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            found.bind(str(path))
        finally:
            os.umask(before)
        found.listen(backlog)
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end."""
    _, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)

"""Whom an image runs as and where that user's home is, read from the image's own passwd file."""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import tarfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from backend.domain.engine import LABEL_ID, LABEL_INSTALLATION, LABEL_KIND, ImageUser
from backend.engines.connection import EngineConnection
from backend.engines.errors import EngineFault, translated
from backend.engines.sdk import Client

PROBE_KIND = "image-probe"
_MAX_PASSWD = 1024 * 1024
_ID = re.compile(r"[0-9]{1,10}")
_LAST_ID = 2**31 - 1  # the most that the engine takes
# What passwd files say of users who have no home.
_NO_HOMES = ("/", "/nonexistent", "/dev/null", "/var/empty", "/proc", "/sys", "/dev", "/etc", "/bin", "/usr", "/sbin")


async def read_image_user(connection: EngineConnection, installation: str, pinned: str) -> ImageUser:
    """A file of an image can only be read through a container: one is made, never started, and removed. Raises
    NotFound where the image is not here."""
    with translated(f"image {pinned}"):
        image = await connection.call(lambda client: client.inspect_image(pinned))
        passwd = await _read_file(connection, installation, pinned, "/etc/passwd")
    config = image.get("Config") or {}
    return find_user(str(config.get("User") or ""), str(config.get("WorkingDir") or ""), passwd)


def find_user(user: str, working_dir: str, passwd: str) -> ImageUser:
    """`user` as an image names it: a name or number, with or without a group. Without any, root."""
    wanted, _, group = user.partition(":")
    wanted = wanted or "root"
    number = _id(wanted)
    uid = 0 if number is None else number
    gid = _id(group) or 0
    home: str | None = "/root" if wanted in ("root", "0") else None
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) < 6 or wanted not in (fields[0], fields[2]):
            continue
        named, primary = _id(fields[2]), _id(fields[3])
        if named is not None and primary is not None:
            uid = named
            gid = gid if group else primary
            home = _usable(fields[5]) or home
            break
    return ImageUser(name=user, uid=uid, gid=gid, home=home, working_dir=working_dir)


def _id(text: str) -> int | None:
    """A user's or group's number, which the image's maker chose: no other digits than ASCII's, and none too many."""
    found = int(text) if _ID.fullmatch(text) else None
    return found if found is not None and found <= _LAST_ID else None


def _usable(home: str) -> str | None:
    path = posixpath.normpath(home) if home.startswith("/") else "/"
    return None if path in _NO_HOMES or path == "//" else path


async def _read_file(connection: EngineConnection, installation: str, pinned: str, path: str) -> str:
    """A small text file of an image; empty where it has none."""
    digest = hashlib.sha256(pinned.encode()).hexdigest()[:12]
    name = f"ph-{installation[:8]}-probe-{digest}"
    config: Mapping[str, Any] = {
        "Image": pinned,
        "Entrypoint": ["true"],
        "Labels": {LABEL_INSTALLATION: installation, LABEL_KIND: PROBE_KIND, LABEL_ID: PROBE_KIND},
        "HostConfig": {"NetworkMode": "none"},
    }

    def make(client: Client) -> str:
        return str(client.create_container_from_config(config, name)["Id"])

    try:
        made = await connection.call(make)
    except EngineFault as fault:
        if fault.status != 409:
            raise
        # left behind by a crash
        await connection.call(lambda client: client.remove_container(name, v=True, force=True), slow=True)
        made = await connection.call(make)
    try:
        return await _from_archive(connection, made, path)
    finally:
        await connection.call(lambda client: client.remove_container(made, v=True, force=True), slow=True)


async def _from_archive(connection: EngineConnection, container_id: str, path: str) -> str:
    data = b""
    try:
        address = f"/containers/{quote(container_id, safe='')}/archive?{urlencode({'path': path})}"
        async with connection.stream("GET", address) as response:
            while (part := await connection.read_watched(response)) and len(data) <= _MAX_PASSWD:
                data += part
    except EngineFault as fault:
        if fault.status == 404:
            return ""
        raise
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = archive.next()
            content = archive.extractfile(member) if member is not None and member.isfile() else None
            return content.read().decode("utf-8", "replace") if content else ""
    except tarfile.TarError:
        return ""  # cut off: longer than any such file

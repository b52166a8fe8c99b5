"""An image made from what is on this machine, for a demo where no registry can be reached.

It serves a page with Caddy, a static binary that Pilothouse always has. Where a static busybox is installed too, the
container also gets a shell and the usual tools.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import docker.errors

from backend.domain.errors import EngineUnavailable, Unavailable
from backend.engines.address import EngineAddress

REPOSITORY = "pilothouse-demo"
PORT = 8080
_SECONDS = 60.0

_CADDYFILE = f"""{{
	admin off
	auto_https off
}}
:{PORT} {{
	log
	root * /www
	templates
	file_server
}}
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>It sails</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #0b1d2a; color: #d8e6ee;
         font: 1.1rem/1.6 ui-monospace, monospace }
  main { max-width: 34rem; padding: 2rem }
  h1 { color: #ffb454; margin: 0 0 1rem }
  code { color: #7fd1ff }
</style>
<main>
  <h1>⎈ It sails.</h1>
  <p>This page is served by a container that Pilothouse deployed.</p>
  <p>Replica <code>{{env "HOSTNAME"}}</code>, {{now | date "15:04:05"}}.</p>
  <p>Reload: the ingress takes the replicas in turn. Then scale it, watch its logs, open a shell in it.</p>
</main>
</html>
"""


def build(caddy: Path, *, base_url: str | None = None) -> str:
    """The image's tag; built where it is not there yet. Raises EngineUnavailable."""
    busybox = static_busybox()
    tag = f"{REPOSITORY}:{_fingerprint(caddy, busybox)}"
    address = EngineAddress.find(base_url)
    try:
        first = address.client(None, _SECONDS, 1)
        client: Any = address.client(str(first.version(api_version=False)["ApiVersion"]), _SECONDS, 1)
        first.close()
        try:
            client.inspect_image(tag)
        except docker.errors.ImageNotFound:
            repository, _, version = tag.partition(":")
            client.import_image_from_data(
                _archive(caddy, busybox),
                repository=repository,
                tag=version,
                changes=[
                    'CMD ["/bin/caddy", "run", "--config", "/etc/Caddyfile", "--adapter", "caddyfile"]',
                    f"EXPOSE {PORT}",
                    "ENV PATH=/bin",
                    "ENV HOME=/tmp",
                    "WORKDIR /www",
                ],
            )
        finally:
            client.close()
    except docker.errors.APIError as error:
        raise Unavailable(f"the engine refuses the image: {error.explanation or error}") from error
    except (docker.errors.DockerException, OSError) as error:
        raise EngineUnavailable(f"the container engine does not answer: {error}") from error
    return tag


def static_busybox() -> Path | None:
    """A busybox that runs without any library, if this machine has one."""
    found = shutil.which("busybox")
    if found is None:
        return None
    path = Path(found).resolve()
    return path if _is_static(path) else None


def _is_static(path: Path) -> bool:
    """Whether an ELF file names no interpreter (ELF specification, program header type PT_INTERP = 3)."""
    data = path.read_bytes()
    if data[:4] != b"\x7fELF" or data[4] != 2 or data[5] != 1:
        return False
    offset = int.from_bytes(data[32:40], "little")
    size, count = int.from_bytes(data[54:56], "little"), int.from_bytes(data[56:58], "little")
    kinds = (int.from_bytes(data[offset + n * size : offset + n * size + 4], "little") for n in range(count))
    return 3 not in kinds


def _applets(busybox: Path) -> list[str]:
    done = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=False)
    return [name for name in done.stdout.split() if name.replace("[", "").replace("-", "").replace("_", "").isalnum()]


def _fingerprint(caddy: Path, busybox: Path | None) -> str:
    marks = [_CADDYFILE, _PAGE, *(f"{path.name} {path.stat().st_size}" for path in (caddy, busybox) if path)]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]


def _archive(caddy: Path, busybox: Path | None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:

        def add(name: str, data: bytes, mode: int) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))

        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("www", 0o755), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        add("bin/caddy", caddy.read_bytes(), 0o755)
        add("etc/Caddyfile", _CADDYFILE.encode(), 0o644)
        add("etc/passwd", b"root:x:0:0:root:/tmp:/bin/sh\n", 0o644)
        add("www/index.html", _PAGE.encode(), 0o644)
        if busybox:
            add("bin/busybox", busybox.read_bytes(), 0o755)
            for name in _applets(busybox):
                if name != "busybox":
                    entry = tarfile.TarInfo(f"bin/{name}")
                    entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(entry)
    return buffer.getvalue()

"""An image with the full-screen programs that people live in, made of this machine's: there is no registry to ask."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import ImageNotFound

PROGRAMS = ("bash", "vim", "htop", "less", "mc", "tmux")
DATA = (
    "/usr/lib/locale/C.utf8/**/*",
    "/lib/terminfo/[xtsl]/*",
    "/usr/share/terminfo/[xts]/*",
    "/usr/share/vim/vim*/*.vim",
    "/usr/share/vim/vim*/syntax/sy*.vim",
    "/usr/share/vim/vim*/colors/lists/*.vim",
    "/usr/share/vim/vim*/autoload/dist/*.vim",
    "/usr/share/mc/skins/default.ini",
    "/usr/share/mc/hints/mc.hint",
    "/usr/share/mc/*.hlp",
    "/etc/mc/*",
)
DOCKERFILE = """FROM busybox:latest
ADD root.tar /
ENV LANG=C.UTF-8
CMD ["httpd", "-f", "-p", "80", "-h", "/tmp"]
"""


def build_programs_image() -> str:
    """Built once for each set of files; serves an empty folder on port 80, so that it counts as ready."""
    root = _archive(_files())
    tag = f"pilothouse-tests/programs:{hashlib.sha256(DOCKERFILE.encode() + root).hexdigest()[:12]}"
    client = docker.from_env().api
    try:
        client.inspect_image(tag)
    except ImageNotFound:
        context = _archive({"Dockerfile": DOCKERFILE.encode(), "root.tar": root})
        log = list(client.build(fileobj=io.BytesIO(context), custom_context=True, tag=tag, decode=True, rm=True))
        faults = [line["error"] for line in log if "error" in line]
        assert not faults, faults
    return tag


def _files() -> dict[str, bytes | Path]:
    """By their paths in the image. Programs go to /usr/bin, before busybox's own of the same names."""
    found: dict[str, bytes | Path] = {}
    for name in PROGRAMS:
        program = shutil.which(name)
        assert program, f"no {name} on this machine"
        found[f"usr/bin/{name}"] = Path(program).resolve()
        for library in _libraries(program):
            found[str(library).lstrip("/")] = library.resolve()
    for pattern in DATA:
        for path in Path("/").glob(pattern.lstrip("/")):
            if path.is_file():
                found[str(path).lstrip("/")] = path.resolve()
    return found


def _libraries(program: str) -> Iterator[Path]:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True, timeout=20).stdout
    yield from (Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE))


def _archive(files: dict[str, bytes | Path]) -> bytes:
    """The same files make the same bytes."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in sorted(files.items()):
            data = content.read_bytes() if isinstance(content, Path) else content
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()

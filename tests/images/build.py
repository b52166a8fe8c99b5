"""Builds the tests' images on the engine at hand; their tags follow from their content, so each is built once."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

APP = Path(__file__).with_name("app.py")


def build_app_image() -> str:
    return _build(
        "app",
        'FROM python:3.11-slim\nCOPY app.py /app.py\nENV PYTHONUNBUFFERED=1\nCMD ["python3", "/app.py"]\n',
        {"app.py": APP.read_bytes()},
    )


def build_static_image() -> str:
    return _build(
        "static",
        'FROM busybox:latest\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-v", "-p", "80", "-h", "/www"]\n',
        {"index.html": b"hello from a container\n"},
    )


def _build(name: str, dockerfile: str, files: dict[str, bytes]) -> str:
    content = dockerfile.encode() + b"".join(path.encode() + data for path, data in sorted(files.items()))
    tag = f"pilothouse-tests/{name}:{hashlib.sha256(content).hexdigest()[:12]}"
    client = docker.from_env().api
    try:
        client.inspect_image(tag)
    except ImageNotFound:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, data in {**files, "Dockerfile": dockerfile.encode()}.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        archive.seek(0)
        log = list(client.build(fileobj=archive, custom_context=True, tag=tag, decode=True, rm=True))
        faults = [line["error"] for line in log if "error" in line]
        assert not faults, faults
    return tag

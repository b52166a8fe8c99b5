"""An engine behind TLS with client certificates, beside CA settings of the environment that know nothing of it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from backend.domain.errors import EngineUnavailable
from backend.engines.docker import DockerEngine
from tests.engines.certificates import write_certificates
from tests.engines.engine_bench import Bench
from tests.images.engine_socket import engine_socket

# Asked now: a test below sets DOCKER_HOST.
ENGINE_SOCKET = engine_socket()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    up_reader, up_writer = await asyncio.open_unix_connection(ENGINE_SOCKET)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            return  # the other side left
        finally:
            sink.close()

    await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))


async def test_calls_and_streams_go_through_tls(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "ca.pem"))
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    made = await bench.run("sh", "-c", "echo hello; exec sleep 600")
    engine = DockerEngine(bench.installation)
    assert [state.id for state in await engine.list_containers()] == [made]
    assert [line.text for line in await anext(engine.logs(made, follow=True))] == ["hello"]
    shell = await engine.exec_terminal(made, ["echo", "hi"], columns=80, rows=24, env={})
    assert await shell.read() == b"hi\r\n"
    await shell.close()
    assert (await engine.usage(await engine.list_containers()))[0].container_id == made
    await engine.close()
    server.close()


async def test_wrong_settings_are_told_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", "/no/such/folder")
    engine = DockerEngine("0" * 32)
    await engine.start()
    with pytest.raises(EngineUnavailable, match="DOCKER_CERT_PATH"):
        await engine.list_containers()
    await engine.close()

"""A second real engine, reached over TLS and over SSH: everything that a local one does, and faults told in words."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from backend.domain.clusters import DockerAddress
from backend.domain.errors import EngineUnavailable, Invalid
from backend.engines.docker import DockerEngine
from tests.engines.certificates import write_certificates
from tests.engines.engine_bench import Bench, exit_code_of
from tests.engines.second_engine import SecondEngine, second_engine

WAYS = ("tls", "ssh")
AT_ONCE = 40  # four times as many as an SSH server lets sessions into a connection


@pytest.fixture(scope="module")
def second() -> Iterator[SecondEngine]:
    with second_engine() as found:
        found.load("busybox:latest")
        yield found


def _address(second: SecondEngine, way: str) -> DockerAddress:
    found: DockerAddress = getattr(second, way)
    return found


@pytest.fixture(params=WAYS)
async def remote(request: pytest.FixtureRequest, second: SecondEngine) -> AsyncIterator[Bench]:
    installation = secrets.token_hex(16)
    engine = DockerEngine(installation, remote=_address(second, request.param))
    await engine.start()
    bench = Bench(engine, installation, f"tenant-{secrets.token_hex(4)}")
    await bench.set_up()
    yield bench
    await bench.clean()
    await engine.close()


async def test_calls_streams_and_terminals(
    remote: Bench, second: SecondEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    engine = remote.engine
    assert (await engine.ping()).version
    events = engine.events()
    coming = asyncio.ensure_future(anext(aiter(events)))
    made = await remote.run("sh", "-c", "echo hello; exec sleep 600")
    async with asyncio.timeout(20):
        assert (await coming).container_id == made
    with closing(second.client()) as there:
        assert there.containers.get(made).status == "running", "it runs on that engine"
    assert [line.text for line in await anext(engine.logs(made, follow=True))] == ["hello"]
    shell = await engine.exec_terminal(made, ["sh", "-c", "read x; echo got $x"], columns=80, rows=24, env={})
    await shell.write(b"this\n")
    said = b""
    while part := await shell.read():
        said += part
    assert b"got this" in said
    assert await exit_code_of(shell) == 0
    await shell.close()
    assert (await engine.usage(await engine.list_containers()))[0].container_id == made


async def test_many_calls_at_once(remote: Bench) -> None:
    made = await remote.run()
    states = await asyncio.gather(*(remote.engine.inspect_container(made) for _ in range(AT_ONCE)))
    assert {state.id for state in states} == {made}
    streams = [remote.engine.logs(made, follow=True) for _ in range(AT_ONCE)]
    followers = [asyncio.ensure_future(anext(stream, None)) for stream in streams]
    assert (await remote.engine.ping()).containers_running >= 1, "many open streams leave room for a call"
    for follower in followers:
        follower.cancel()
    await asyncio.gather(*followers, return_exceptions=True)


async def test_a_lost_ssh_connection_is_made_again(second: SecondEngine, caplog: pytest.LogCaptureFixture) -> None:
    engine = DockerEngine(secrets.token_hex(16), remote=second.ssh)
    await engine.start()
    assert await engine.list_containers() == []
    listening = asyncio.ensure_future(anext(aiter(engine.events())))
    for _ in range(3):  # what was asked before them is under way when they are answered
        assert (await engine.ping()).version
    second.cut_ssh()
    with pytest.raises(EngineUnavailable):
        await listening
    for _ in range(3):
        try:
            assert await engine.list_containers() == []
            break
        except EngineUnavailable:
            continue  # the calls under way at the cut fail; those after it are made anew
    assert (await engine.ping()).version
    await engine.close()
    assert "Traceback" not in caplog.text


async def test_nothing_is_left_behind(second: SecondEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = DockerEngine(secrets.token_hex(16), remote=second.tls)
    await engine.start()
    assert await engine.list_containers() == []
    assert _private(tmp_path) == [(0o700, ["engine.sock"])], "and no key files while it is used"
    await engine.close()
    assert _private(tmp_path) == []


def _private(folder: Path) -> list[tuple[int, list[str]]]:
    """Modes of the folders in there, and names of what they hold."""
    return [(path.stat().st_mode & 0o777, [one.name for one in path.iterdir()]) for path in folder.iterdir()]


async def _fault(address: DockerAddress) -> str:
    engine = DockerEngine(secrets.token_hex(16), remote=address)
    await engine.start()
    with pytest.raises(EngineUnavailable) as caught:
        await engine.ping()
    with pytest.raises(EngineUnavailable):
        await engine.list_containers()
    await engine.close()
    assert "PRIVATE KEY" not in caught.value.message
    return caught.value.message


async def test_faults_say_why(second: SecondEngine, tmp_path: Path) -> None:
    write_certificates(tmp_path, "127.0.0.1")
    other = {name: (tmp_path / f"{name}.pem").read_text() for name in ("ca", "cert", "key")}
    assert "certificate does not hold" in await _fault(replace(second.tls, ca_pem=other["ca"]))
    foreign = replace(second.tls, cert_pem=other["cert"], key_pem=other["key"])
    assert "the client certificate is not its own" in await _fault(foreign)
    assert "refused" in await _fault(replace(second.tls, url="tcp://127.0.0.1:1"))
    assert "does not resolve" in await _fault(replace(second.tls, url="tcp://nowhere.invalid:1"))

    strange = (Path(second.socket).parent / "user_key.pub").read_text()
    assert "another key" in await _fault(replace(second.ssh, ssh_host_key=strange))
    wrong = (Path(second.socket).parent / "host_key").read_text()
    assert "refuses the user or its key" in await _fault(replace(second.ssh, ssh_private_key=wrong))
    gone = await _fault(replace(second.ssh, url=second.ssh.url + ".gone"))
    assert "opens no way to" in gone
    assert "refused" in await _fault(replace(second.ssh, url="ssh://root@127.0.0.1:1"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ca_pem": "no pem"}, "docker.ca_certificate"),
        ({"key_pem": "no pem"}, "docker.client_certificate"),
        ({"cert_pem": None}, "docker.client_certificate"),
        ({"url": "ssh://root@h", "ssh_private_key": "no key"}, "docker.ssh_private_key"),
        ({"url": "ssh://root@h", "ssh_host_key": "no key"}, "docker.ssh_host_key"),
    ],
)
def test_keys_that_are_none(tmp_path: Path, change: dict[str, str], field: str) -> None:
    write_certificates(tmp_path)
    good = {f"{name}_pem": (tmp_path / f"{name}.pem").read_text() for name in ("ca", "cert", "key")}
    with pytest.raises(Invalid) as caught:
        DockerEngine("0" * 32, remote=DockerAddress(**({"url": "tcp://127.0.0.1:1"} | good | change)))
    assert [fault.field for fault in caught.value.fields] == [field]
    assert "no key" not in caught.value.message


async def test_a_key_with_a_password_does_not_ask_for_it(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    sealed = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(Invalid):
        DockerEngine(
            "0" * 32,
            remote=DockerAddress("tcp://h:1", None, (tmp_path / "cert.pem").read_text(), sealed.decode()),
        )

"""Looking at Kubernetes through its own client library, against a stand-in server over real TLS."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.domain.clusters import ClusterSight
from backend.domain.errors import Invalid, Unavailable
from backend.engines import kubernetes
from backend.engines.kubernetes import KubernetesClusters
from tests.engines.kubernetes_server import TOKEN, VERSION, KubernetesServer, kubernetes_server

CLUSTERS = KubernetesClusters()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KubernetesServer]:
    with kubernetes_server(tmp_path) as found:
        yield found


async def _fault(kubeconfig: str) -> str:
    with pytest.raises(Unavailable) as caught:
        await CLUSTERS.look(kubeconfig)
    assert TOKEN not in caught.value.message
    assert "PRIVATE KEY" not in caught.value.message
    return caught.value.message


async def test_version_and_nodes(server: KubernetesServer) -> None:
    assert await CLUSTERS.look(server.kubeconfig()) == ClusterSight(VERSION, 3, 3)
    server.ready = [True, False, True, False, False]
    assert await CLUSTERS.look(server.kubeconfig()) == ClusterSight(VERSION, 5, 2)
    assert server.asked.count("/api/v1/nodes") == 2 + 3, "page by page"
    server.ready = []
    assert await CLUSTERS.look(server.kubeconfig()) == ClusterSight(VERSION, 0, 0)


async def test_a_client_certificate_and_no_files_left(
    server: KubernetesServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    sight = await CLUSTERS.look(server.kubeconfig(user=server.client_certificate()))
    assert sight == ClusterSight(VERSION, 3, 3)
    assert await asyncio.to_thread(lambda: list(folder.iterdir())) == []


async def test_faults_say_why(server: KubernetesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not know these credentials" in await _fault(server.kubeconfig(user={"token": "another"}))
    server.status = 403
    assert "may not read its nodes" in await _fault(server.kubeconfig())
    server.status = 500
    assert "answers 500" in await _fault(server.kubeconfig())
    server.status, server.body = 200, b"<html>a web page</html>"
    assert "as a Kubernetes API server does" in await _fault(server.kubeconfig())
    server.body = b'{"items": "none"}'
    assert "as a Kubernetes API server does" in await _fault(server.kubeconfig())
    server.body = None
    untrusted = {"certificate-authority-data": None}
    assert "certificate" in await _fault(server.kubeconfig(**untrusted))
    trusting = server.kubeconfig(**untrusted, **{"insecure-skip-tls-verify": True})
    assert (await CLUSTERS.look(trusting)).node_count == 3
    assert "cannot be reached" in await _fault(server.kubeconfig(server="https://127.0.0.1:1"))
    assert "cannot be reached" in await _fault(server.kubeconfig(server="https://nowhere.invalid:6443"))
    monkeypatch.setattr(kubernetes, "LOOK_SECONDS", 0.3)
    server.pause = 2.0
    assert "does not answer within" in await _fault(server.kubeconfig())


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "touch", "args": ["/tmp/owned"]}},
        {"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh"}}},
        {"client-certificate": "/etc/passwd", "client-key": "/etc/shadow"},
        {"tokenFile": "/etc/shadow"},
        {"username": "u", "password": "p"},
        {"token": TOKEN, "as": "system:admin"},
        {"token": ["a"]},
        {"token": "two\nlines"},
        {"client-certificate-data": "no base64!"},
    ],
    ids=lambda user: ",".join(user),
)
async def test_users_that_are_not_taken(server: KubernetesServer, user: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        await CLUSTERS.check(server.kubeconfig(user=user))
    assert [fault.field for fault in caught.value.fields] == ["kubeconfig"]
    assert TOKEN not in caught.value.message


@pytest.mark.parametrize(
    "cluster",
    [
        {"certificate-authority": "/etc/passwd"},
        {"proxy-url": "http://127.0.0.1:1"},
        {"server": "http://127.0.0.1:8080"},
        {"server": "https://user:pass@127.0.0.1"},
        {"server": "file:///etc/passwd"},
        {"server": None},
        {"server": ["x"]},
    ],
    ids=str,
)
async def test_clusters_that_are_not_taken(server: KubernetesServer, cluster: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await CLUSTERS.check(server.kubeconfig(**cluster))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: b",
        "{",
        "\x00",
        "!!python/object/apply:os.system ['true']",
        "clusters: 5\ncontexts: 6\nusers: 7\ncurrent-context: x",
        "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x",
        "a: &a [*a]",
        "[" * 2_000,
    ],
)
async def test_what_is_no_kubeconfig(text: str) -> None:
    with pytest.raises(Invalid):
        await CLUSTERS.check(text)

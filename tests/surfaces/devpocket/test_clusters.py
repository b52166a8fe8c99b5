"""Clusters as the document has them: a second real engine over TLS and SSH that runs environments, and a stand-in for
Kubernetes, whose real API server cannot run here."""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.domain.clusters import DockerAddress
from tests.backend.running_backend import RunningBackend
from tests.engines.kubernetes_server import TOKEN, VERSION, KubernetesServer, kubernetes_server
from tests.engines.second_engine import SecondEngine, second_engine
from tests.surfaces.devpocket.client import Client, error_of
from tests.surfaces.shapes import fits

CLUSTERS = "/api/v1/clusters"
CLUSTER = {
    "id": "uuid",
    "name": "text",
    "description": "text?",
    "provider": "text",
    "region": "text",
    "kubeconfig": "text",
    "status": "text",
    "node_count": "int",
    "created_at": "time",
    "updated_at": "time",
}
HEALTH = {
    "cluster_id": "uuid",
    "cluster_name": "text",
    "status": "text",
    "version": "text",
    "node_count": "int",
    "nodes_ready": "int",
    "checks": "texts",
    "latency_ms": "number?",
    "message": "text",
    "checked_at": "time",
}


@pytest.fixture(scope="module")
def second() -> Iterator[SecondEngine]:
    with second_engine() as found:
        found.load("busybox:latest")
        yield found


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesServer]:
    with kubernetes_server(tmp_path_factory.mktemp("kubernetes")) as found:
        yield found


@pytest.fixture
def named(admin: Client) -> Iterator[str]:
    """A name for clusters, which are deleted at the end."""
    name = f"cluster-{secrets.token_hex(4)}"
    yield name
    for one in admin.http.get(CLUSTERS).json():
        if one["name"].startswith(name):
            assert admin.http.delete(f"{CLUSTERS}/{one['id']}").status_code == 204


def _docker(address: DockerAddress) -> dict[str, str]:
    fields = {
        "endpoint": address.url,
        "ca_certificate": address.ca_pem,
        "client_certificate": address.cert_pem,
        "client_key": address.key_pem,
        "ssh_private_key": address.ssh_private_key,
        "ssh_host_key": address.ssh_host_key,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _register(admin: Client, **body: Any) -> dict[str, Any]:
    made = admin.http.post(CLUSTERS, json={"region": "GRA11"} | body)
    assert made.status_code == 201, made.text
    fits(made.json(), CLUSTER | {"kubeconfig": "=encrypted"})
    found: dict[str, Any] = made.json()
    return found


def _health(admin: Client, cluster_id: str) -> dict[str, Any]:
    answer = admin.http.get(f"{CLUSTERS}/{cluster_id}/health")
    assert answer.status_code == 200
    fits(answer.json(), HEALTH | {"cluster_id": f"={cluster_id}"})
    found: dict[str, Any] = answer.json()
    return found


def test_the_local_engine(admin: Client) -> None:
    listed = admin.http.get(CLUSTERS)
    assert listed.status_code == 200
    fits(listed.json(), [CLUSTER])
    local = listed.json()[0]
    assert (local["name"], local["kind"], local["kubeconfig"], local["status"]) == ("local", "local", "none", "active")
    one = admin.http.get(f"{CLUSTERS}/{local['id']}")
    assert (one.status_code, one.json()) == (200, local)
    health = _health(admin, local["id"])
    assert (health["status"], health["checks"]) == ("healthy", {"engine": "healthy", "nodes": "healthy"})
    assert health["version"]
    assert health["latency_ms"] > 0
    error_of(admin.http.delete(f"{CLUSTERS}/{local['id']}"), 400)
    error_of(admin.http.put(f"{CLUSTERS}/{local['id']}", json={"provider": "ovh"}), 400)
    named = admin.http.put(f"{CLUSTERS}/{local['id']}", json={"description": "under the desk"})
    assert (named.status_code, named.json()["description"]) == (200, "under the desk")


@pytest.mark.parametrize("way", ["tls", "ssh"])
def test_environments_run_on_a_second_engine(
    admin: Client, user: Client, shell: str, second: SecondEngine, named: str, way: str
) -> None:
    address: DockerAddress = getattr(second, way)
    body: dict[str, Any] = (
        {"docker": _docker(address)} if way == "tls" else {"kubeconfig": json.dumps(_docker(address))}
    )
    cluster = _register(admin, name=named, provider="docker", description="another machine", **body)
    assert (cluster["status"], cluster["node_count"], cluster["kind"]) == ("active", 1, "docker")
    assert _health(admin, cluster["id"])["status"] == "healthy"

    made = user.environment(shell, cluster_id=cluster["id"])
    found = user.until(made, "running")
    assert found["cluster_id"] == cluster["id"]
    with closing(second.client()) as there:
        (container,) = there.containers.list(filters={"label": f"pilothouse.id={made}"})
        assert container.attrs["HostConfig"]["Memory"] == 64 * 2**20
    with user.socket(f"terminal/{made}") as terminal:
        terminal.type("echo here on $HOSTNAME > ~/file; cat ~/file\n")
        terminal.until_shown("here on ")
    with user.socket(f"logs/{made}") as logs:
        assert logs.until("installation_log")["data"] == "hello from the installation"
        logs.until("installation_complete")
    used = user.http.get(f"/api/v1/environments/{made}/metrics").json()
    assert used["memory"]["usage"] > 0
    error_of(admin.http.delete(f"{CLUSTERS}/{cluster['id']}"), 400)
    error_of(
        admin.http.put(f"{CLUSTERS}/{cluster['id']}", json={"provider": "ovh", "kubeconfig": "a: b"}), 422, "kubeconfig"
    )

    assert user.http.post(f"/api/v1/environments/{made}/restart").status_code == 200
    user.until(made, "running")
    with user.socket(f"terminal/{made}", session="again") as terminal:
        terminal.type("cat ~/file; exit\n")
        terminal.until_shown("here on ")
    assert user.http.delete(f"/api/v1/environments/{made}").status_code == 204
    user.until_gone(made)
    with closing(second.client()) as there:
        assert there.containers.list(all=True, filters={"label": f"pilothouse.id={made}"}) == []


def test_another_way_to_an_engine_in_use(
    admin: Client, user: Client, shell: str, second: SecondEngine, named: str
) -> None:
    """The environments on it go on, and are reached by the new way."""
    cluster = _register(admin, name=named, provider="docker", docker=_docker(second.tls))
    made = user.environment(shell, cluster_id=cluster["id"])
    user.until(made, "running")
    changed = admin.http.put(f"{CLUSTERS}/{cluster['id']}", json={"docker": _docker(second.ssh)})
    assert (changed.status_code, changed.json()["status"]) == (200, "active")
    with user.socket(f"terminal/{made}") as terminal:
        terminal.type("echo by an''other way; exit\n")
        terminal.until_shown("by another way")
    assert user.http.get(f"/api/v1/environments/{made}/metrics").status_code == 200
    assert user.http.post(f"/api/v1/environments/{made}/stop").status_code == 200
    user.until(made, "stopped")
    assert user.http.delete(f"/api/v1/environments/{made}").status_code == 204
    user.until_gone(made)


def test_a_cluster_that_never_answers_again(
    admin: Client, user: Client, shell: str, second: SecondEngine, named: str
) -> None:
    """Its environments keep it; once they are deleted, although nothing can be removed there, it goes with them."""
    cluster = _register(admin, name=named, provider="docker", docker=_docker(second.tls))
    made = user.environment(shell, cluster_id=cluster["id"])
    user.until(made, "running")
    one = f"{CLUSTERS}/{cluster['id']}"
    elsewhere = _docker(second.tls) | {"endpoint": "tcp://127.0.0.1:1"}
    assert admin.http.put(one, json={"docker": elsewhere}).json()["status"] == "unreachable"
    error_of(admin.http.delete(one), 400)
    assert user.http.delete(f"/api/v1/environments/{made}").status_code == 204
    assert user.http.get(f"/api/v1/environments/{made}").json()["status"] == "terminated"
    assert admin.http.delete(one).status_code == 204
    user.until_gone(made)
    with closing(second.client()) as there:
        for container in there.containers.list(all=True, filters={"label": f"pilothouse.id={made}"}):
            container.remove(force=True)


def test_kubernetes(admin: Client, user: Client, shell: str, kubernetes: KubernetesServer, named: str) -> None:
    kubernetes.ready = [True, True, True]
    cluster = _register(admin, name=named, kubeconfig=kubernetes.kubeconfig())
    assert (cluster["provider"], cluster["status"], cluster["node_count"]) == ("ovh", "active", 3)
    health = _health(admin, cluster["id"])
    assert (health["status"], health["version"], health["nodes_ready"]) == ("healthy", VERSION, 3)
    assert health["checks"] == {"api_server": "healthy", "nodes": "healthy"}
    kubernetes.ready = [True, False]
    ill = _health(admin, cluster["id"])
    assert (ill["status"], ill["node_count"], ill["nodes_ready"]) == ("unhealthy", 2, 1)
    assert (ill["checks"], ill["message"]) == (
        {"api_server": "healthy", "nodes": "unhealthy"},
        "1 of 2 nodes are ready",
    )
    assert admin.http.get(f"{CLUSTERS}/{cluster['id']}").json()["node_count"] == 2

    body = {"name": "nowhere", "template_id": shell, "cluster_id": cluster["id"]}
    refused = user.http.post("/api/v1/environments", json=body)
    assert "Kubernetes" in error_of(refused, 400, "cluster_id")
    assert user.http.get("/api/v1/environments").json() == []

    unknown = kubernetes.kubeconfig(user={"token": "wrong"})
    changed = admin.http.put(f"{CLUSTERS}/{cluster['id']}", json={"kubeconfig": unknown})
    assert (changed.status_code, changed.json()["status"]) == (200, "unreachable")
    lost = _health(admin, cluster["id"])
    assert (lost["status"], lost["latency_ms"], lost["checks"]["api_server"]) == ("unhealthy", None, "unhealthy")
    assert "credentials" in lost["message"]


def test_changing_and_regions(admin: Client, user: Client, shell: str, second: SecondEngine, named: str) -> None:
    cluster = _register(admin, name=named, provider="docker", docker=_docker(second.tls))
    one = f"{CLUSTERS}/{cluster['id']}"
    body = {"name": f"{named}-b", "description": "moved", "region": f"here-{named}", "node_count": 7}
    changed = admin.http.put(one, json=body)
    assert changed.status_code == 200
    fits(changed.json(), CLUSTER)
    assert {name: changed.json()[name] for name in body} == body
    regions = admin.http.get(f"{CLUSTERS}/regions")
    assert regions.status_code == 200
    fits(regions.json(), ["text"])
    assert regions.json()[0] == "local"
    assert f"here-{named}" in regions.json()

    assert admin.http.put(one, json={"status": "inactive"}).json()["status"] == "inactive"
    _health(admin, cluster["id"])
    assert admin.http.get(one).json()["status"] == "inactive", "a look does not change an administrator's word"
    wanted = {"name": "late", "template_id": shell, "cluster_id": cluster["id"]}
    error_of(user.http.post("/api/v1/environments", json=wanted), 400, "cluster_id")
    assert admin.http.put(one, json={"status": "active"}).json()["status"] == "active"

    elsewhere = _docker(second.tls) | {"endpoint": "tcp://127.0.0.1:1"}
    assert admin.http.put(one, json={"docker": elsewhere}).json()["status"] == "unreachable"
    lost = _health(admin, cluster["id"])
    assert (lost["status"], lost["checks"]["engine"]) == ("unhealthy", "unhealthy")
    assert "refused" in lost["message"]
    assert admin.http.put(one, json={"docker": _docker(second.tls)}).json()["status"] == "active"

    second_one = _register(admin, name=f"{named}-c", provider="docker", docker=_docker(second.tls))
    error_of(admin.http.put(f"{CLUSTERS}/{second_one['id']}", json={"name": f"{named}-B"}), 400, "name")
    error_of(admin.http.post(CLUSTERS, json=body | {"provider": "docker"}), 422, "node_count")
    gone = admin.http.delete(f"{CLUSTERS}/{second_one['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    error_of(admin.http.get(f"{CLUSTERS}/{second_one['id']}"), 404)


def test_secrets_stay_inside(
    backend: RunningBackend, admin: Client, second: SecondEngine, kubernetes: KubernetesServer, named: str
) -> None:
    kubeconfig = kubernetes.kubeconfig()
    made = [
        _register(admin, name=f"{named}-k", kubeconfig=kubeconfig),
        _register(admin, name=f"{named}-d", provider="docker", docker=_docker(second.tls)),
        _register(admin, name=f"{named}-s", provider="docker", docker=_docker(second.ssh)),
    ]
    assert second.tls.key_pem is not None
    assert second.ssh.ssh_private_key is not None
    hidden = [TOKEN, second.tls.key_pem.splitlines()[1], second.ssh.ssh_private_key.splitlines()[1]]
    shown = admin.http.get(CLUSTERS).text + "".join(
        admin.http.get(f"{CLUSTERS}/{one['id']}{path}").text for one in made for path in ("", "/health")
    )
    with closing(sqlite3.connect(backend.data_dir / "pilothouse.db")) as database:
        stored = b"".join(row[0] for row in database.execute("SELECT sealed FROM clusters WHERE sealed IS NOT NULL"))
    files = b"".join(path.read_bytes() for path in _files(backend.data_dir))
    for secret in hidden:
        assert secret not in shown
        assert secret not in backend.log()
        assert secret.encode() not in stored
        assert secret.encode() not in files


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_no_cluster(admin: Client, second: SecondEngine, kubernetes: KubernetesServer) -> None:
    def refused(*fields: str, **body: Any) -> None:
        answer = admin.http.post(CLUSTERS, json={"name": "wrong", "region": "r"} | body)
        detail = error_of(answer, 422, *fields)
        assert "PRIVATE KEY" not in detail

    docker = _docker(second.tls)
    refused("kubeconfig")
    refused("kubeconfig", kubeconfig="")
    refused("kubeconfig", kubeconfig="not: a kubeconfig")
    refused("kubeconfig", kubeconfig=kubernetes.kubeconfig(user={"exec": {"command": "id"}}))
    refused("name", name="", kubeconfig=kubernetes.kubeconfig())
    refused("region", region="two\nlines", kubeconfig=kubernetes.kubeconfig())
    refused("provider", provider="no provider", kubeconfig=kubernetes.kubeconfig())
    refused("docker", provider="docker")
    refused("docker", provider="aws", docker=docker)
    refused("docker", provider="docker", docker=docker, kubeconfig="{}")
    refused("kubeconfig", provider="docker", kubeconfig="no json")
    refused("kubeconfig", provider="docker", kubeconfig='{"endpoint": "tcp://h:1", "extra": 1}')
    refused("docker.endpoint", provider="docker", docker={})
    for endpoint in ("unix:///var/run/docker.sock", "http://h:1", "tcp://h:1/path", "ssh://u:p@h", "tcp://", "h"):
        refused("docker.endpoint", provider="docker", docker=docker | {"endpoint": endpoint})
    plain = {"endpoint": "tcp://127.0.0.1:2375"}
    refused("docker.client_certificate", "docker.client_key", provider="docker", docker=plain)
    refused("docker.client_certificate", provider="docker", docker=docker | {"client_key": "no key"})
    refused("docker.ca_certificate", provider="docker", docker=docker | {"ca_certificate": "no certificate"})
    refused("docker.ssh_host_key", provider="docker", docker=docker | {"ssh_host_key": "ssh-ed25519 AAAA"})
    ssh = _docker(second.ssh)
    refused("docker.ssh_private_key", provider="docker", docker=ssh | {"ssh_private_key": "no key"})
    refused("docker.client_key", provider="docker", docker=ssh | {"client_key": "x"})
    error_of(admin.http.post(CLUSTERS, json={}), 422, "name", "region")
    assert "wrong" not in [one["name"] for one in admin.http.get(CLUSTERS).json()]


def test_administrators_alone(user: Client, admin: Client, nobody: httpx.Client) -> None:
    local = admin.http.get(CLUSTERS).json()[0]["id"]
    one = f"{CLUSTERS}/{local}"
    operations = [
        ("GET", CLUSTERS), ("POST", CLUSTERS), ("GET", f"{CLUSTERS}/regions"), ("GET", one), ("PUT", one),
        ("DELETE", one), ("GET", f"{one}/health"),
    ]  # fmt: skip
    for method, path in operations:
        body = {"wrong": True} if method in ("POST", "PUT") else None
        error_of(nobody.request(method, path, json=body), 401)
        error_of(user.http.request(method, path, json=body), 403)
        gone = path.replace(local, str(uuid.uuid4()))
        if gone != path:
            error_of(admin.http.request(method, gone, json={} if body else None), 404)

"""Whatever is sent to an operation of the DevPocket document, its answer is one that its description allows."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import yaml
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error

from tests.backend.running_backend import RunningBackend
from tests.surfaces.devpocket.client import Client
from tests.surfaces.test_fuzzing import CHECKS, HANG_SECONDS, TRIES, repeatable
from tests.surfaces.test_openapi import DOCUMENTED

# They take nothing, so that nothing about them can be wrong.
PLAIN = ("/health", "/health/ready", "/health/live", "/api/v1/info")
MODES = [
    (label, mode)
    for label in sorted(DOCUMENTED["devpocket"])
    for mode in GenerationMode
    if not (label.split()[1] in PLAIN and mode is GenerationMode.NEGATIVE)
]
NOWHERE = yaml.safe_dump(
    {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
)


@dataclass
class Target:
    """A user with a key, an administrator, and objects of their own to hit."""

    backend: RunningBackend
    admin: Client
    user: Client
    template: str
    found: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.backend.port}/devpocket"

    @cached_property
    def session(self) -> requests.Session:
        made = requests.Session()
        made.trust_env = False
        return made

    @cached_property
    def operations(self) -> dict[str, Any]:
        """By method and path without the names of its parameters."""
        document = httpx.get(f"{self.base_url}/openapi.json", trust_env=False, timeout=30).json()
        schema = schemathesis.openapi.from_dict(document)
        each = [result.ok() for result in schema.get_all_operations()]
        return {f"{one.method.upper()} {re.sub('{[^}]+}', '{}', one.path)}": one for one in each}

    @cached_property
    def key(self) -> str:
        with self.backend.tcp(self.user.token) as elsewhere:
            found: str = elsewhere.post("/v1/api-keys", json={"name": "fuzz"}).json()["apiKey"]
        return found

    def there(self, parameter: str) -> str:
        """The id of an object that is there; a new one where the last was deleted."""
        path = f"/api/v1/{parameter.removesuffix('_id')}s"
        known = self.found.get(parameter)
        if known and self.admin.http.get(f"{path}/{known}").status_code == 200:
            return known
        name = f"fuzz-{secrets.token_hex(4)}"
        body: dict[str, Any] = {
            "environment_id": {"name": name, "template_id": self.template},
            "template_id": {
                "name": name,
                "display_name": name,
                "docker_image": "busybox:latest",
                "category": "devops",
                "description": "",
            },
            "cluster_id": {"name": name, "region": "r", "kubeconfig": NOWHERE},
        }[parameter]
        made = self.admin.http.post(path, json=body)
        assert made.status_code == 201, made.text
        self.found[parameter] = made.json()["id"]
        return self.found[parameter]

    def leave(self) -> None:
        self.session.close()
        for one in self.admin.http.get("/api/v1/clusters").json():
            if one["kind"] != "local":
                self.admin.http.delete(f"/api/v1/clusters/{one['id']}")
        for one in self.admin.http.get("/api/v1/environments").json():
            self.admin.http.delete(f"/api/v1/environments/{one['id']}")


@pytest.fixture(scope="module")
def target(backend: RunningBackend, admin: Client, shell: str) -> Iterator[Target]:
    with Client.registered(f"http://127.0.0.1:{backend.devpocket_port}", f"fuzz-{secrets.token_hex(4)}") as user:
        found = Target(backend, admin, user, shell)
        yield found
        found.leave()


@pytest.mark.parametrize(("label", "mode"), MODES, ids=lambda value: getattr(value, "value", value))
def test_operation(target: Target, label: str, mode: GenerationMode) -> None:
    operation = target.operations[label]
    # Ending a session would end the run; a key is refused there, which is an answer as well.
    credentials = [target.admin.token, target.admin.token, target.user.token, target.key, "nonsense"]
    if label.endswith("/logout"):
        credentials = [target.key]
    # This backend has no Google client id, and says so with 503.
    checks = [check for check in CHECKS if check is not not_a_server_error or not label.endswith("/google")]

    @repeatable(TRIES)
    @given(
        case=operation.as_strategy(generation_mode=mode),
        credential=st.sampled_from(credentials),
        real=st.sampled_from([True, True, False]),
    )
    def holds(case: Case, credential: str, real: bool) -> None:
        if real and case.path_parameters:
            case.path_parameters = {name: target.there(name) for name in sorted(case.path_parameters)}
        _harmless(case, target, real)
        case.call_and_validate(
            base_url=target.base_url,
            session=target.session,
            headers={"Authorization": f"Bearer {credential}"},
            checks=checks,
            timeout=HANG_SECONDS,
        )

    holds()


def _harmless(case: Case, target: Target, real: bool) -> None:
    """Few containers, and no connections to machines that are made up."""
    body = case.body
    if not isinstance(body, dict):
        return
    if real and isinstance(body.get("template_id"), str):
        body["template_id"] = target.template
        body.pop("cluster_id", None)
    if isinstance(body.get("docker_image"), str):
        body["docker_image"] = "busybox:latest" if real else "no such image"
    docker = body.get("docker")
    if isinstance(docker, dict) and isinstance(docker.get("endpoint"), str):
        docker["endpoint"] = "tcp://127.0.0.1:1"
    if real and isinstance(body.get("kubeconfig"), str):
        body["kubeconfig"] = NOWHERE


def test_headers_and_paths(target: Target) -> None:
    """Requests that no description speaks of: odd headers, odd paths, odd methods."""
    texts = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
    parts = ["api", "v1", "environments", "auth", "ws", "%00", "%ff", "..%2f", "a" * 2000, "é", "{}", "logs"]

    @repeatable(60)
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"]),
        path=st.lists(st.sampled_from(parts)),
        name=st.sampled_from(["Authorization", "Content-Type", "Accept", "X-Forwarded-For", "Content-Encoding", "X-Y"]),
        value=texts,
    )
    def holds(method: str, path: list[str], name: str, value: str) -> None:
        headers = {"Authorization": f"Bearer {target.user.token}"} | {name: value}
        raw = [(key.encode(), text.encode("latin-1")) for key, text in headers.items()]
        url = f"{target.base_url}/{'/'.join(path)}"
        answer = client.request(method, url, headers=raw, content=b"{}", timeout=HANG_SECONDS)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and method != "HEAD":
            assert set(json.loads(answer.content)) == {"detail", "errors"}
        assert "x-ratelimit-limit" in answer.headers

    with httpx.Client(trust_env=False, timeout=30) as client:
        holds()

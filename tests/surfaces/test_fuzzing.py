"""Whatever is sent to an operation, its answer is one that its description allows: no 500, no hang, no other shape."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backend.running_backend import RunningBackend
from tests.surfaces.people import PASSWORD
from tests.surfaces.test_openapi import DOCUMENTED

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TRIES = 14  # of each operation, once with what its description allows and once with what it does not
HANG_SECONDS = 20.0
SURFACES = ("container-engine", "container-engine-snake")
LABELS = [(surface, operation) for surface in SURFACES for operation in sorted(DOCUMENTED[surface])]
# They take nothing, so that nothing about them can be wrong.
PLAIN = ("GET /health", "GET /v1/ws/health")
MODES = [
    (*one, mode)
    for one in LABELS
    for mode in GenerationMode
    if (one[1], mode) not in [(plain, GenerationMode.NEGATIVE) for plain in PLAIN]
]


def repeatable(tries: int) -> settings:
    """Every run tries the same."""
    return settings(
        max_examples=tries,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Target:
    """A surface under fuzzing: a user's session and key, and objects of its own to hit."""

    backend: RunningBackend
    surface: str
    found: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.backend.port}/{self.surface}"

    @cached_property
    def client(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    @cached_property
    def operations(self) -> dict[str, Any]:
        """By method and path without the names of its parameters."""
        document = httpx.get(f"{self.base_url}/openapi.json", trust_env=False, timeout=30).json()
        schema = schemathesis.openapi.from_dict(document)
        each = [result.ok() for result in schema.get_all_operations()]
        return {f"{one.method.upper()} {re.sub('{[^}]+}', '{}', one.path)}": one for one in each}

    @cached_property
    def token(self) -> str:
        name = f"fuzz-{secrets.token_hex(4)}"
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, self.named("confirm"): PASSWORD}
        assert self.ask("POST", "/v1/auth/register", body, token="").status_code == 201
        answer = self.ask("POST", "/v1/auth/login", {"email": body["email"], "password": PASSWORD}, token="").json()
        found: str = answer[self.named("token")]
        return found

    @cached_property
    def key(self) -> str:
        found: str = self.ask("POST", "/v1/api-keys", {"name": "fuzz"}).json()[self.named("secret")]
        return found

    def named(self, what: str) -> str:
        camel, snake = {
            "confirm": ("confirmPassword", "confirm_password"),
            "token": ("accessToken", "access_token"),
            "secret": ("apiKey", "key"),
            "app": ("appName", "app_name"),
        }[what]
        return snake if self.surface.endswith("snake") else camel

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.request(method, self.base_url + path, json=body, headers=headers, timeout=HANG_SECONDS)

    def there(self, parameter: str) -> str:
        """The id of an object that is there; a new one where the last was deleted."""
        path = {
            "deployment_id": "/v1/deployments",
            "key_id": "/v1/api-keys",
            "domain_id": f"/v1/deployments/{self.found.get('deployment_id')}/domains",
        }[parameter]
        known = self.found.get(parameter)
        if parameter == "deployment_id" and known and self.ask("GET", f"{path}/{known}").status_code == 200:
            return known
        name = f"fuzz-{secrets.token_hex(4)}"
        body: dict[str, Any] = {
            "deployment_id": {self.named("app"): name, "image": "busybox:latest", "port": 80, "replicas": 0},
            "key_id": {"name": name},
            "domain_id": {"domain": f"{name}.example.com"},
        }[parameter]
        made = self.ask("POST", path, body)
        assert made.status_code == 201, made.text
        self.found[parameter] = made.json()["id"]
        return self.found[parameter]

    def leave(self) -> None:
        for one in self.ask("GET", "/v1/deployments?limit=100").json()["deployments"]:
            self.ask("DELETE", f"/v1/deployments/{one['id']}")
        self.client.close()


@pytest.fixture(scope="module")
def target(backend: RunningBackend) -> Iterator[Callable[[str], Target]]:
    targets: dict[str, Target] = {}

    def of(surface: str) -> Target:
        if surface not in targets:
            targets[surface] = Target(backend, surface)
        return targets[surface]

    yield of
    for one in targets.values():
        one.leave()


def _harmless(case: Case) -> None:
    """Nothing that would go on forever, and no containers: what is deployed has no replicas."""
    if isinstance(case.query, dict) and str(case.query.get("follow")).lower() == "true":
        case.query["follow"] = "false"
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("replicas"), int) and 0 < body["replicas"] <= 100:
        body["replicas"] = 0
    if isinstance(body, dict) and "image" in body and case.method == "POST" and "replicas" not in body:
        body["replicas"] = 0


@pytest.mark.parametrize(
    ("surface", "label", "mode"), MODES, ids=lambda value: value.value if isinstance(value, GenerationMode) else value
)
def test_operation(target: Callable[[str], Target], surface: str, label: str, mode: GenerationMode) -> None:
    aim = target(surface)
    operation = aim.operations[label]
    # Ending the session would end the run; a key is refused there, which is an answer as well.
    credentials = [aim.key] if label.endswith("/logout") else [aim.token, aim.token, aim.key, "nonsense"]

    @repeatable(TRIES)
    @given(
        case=operation.as_strategy(generation_mode=mode),
        credential=st.sampled_from(credentials),
        real=st.sampled_from([True, True, False]),
        image=st.sampled_from(["busybox:latest", "no-such-image:1", None]),
    )
    def holds(case: Case, credential: str, real: bool, image: str | None) -> None:
        if real and case.path_parameters:
            case.path_parameters = {name: aim.there(name) for name in sorted(case.path_parameters)}
        if image and isinstance(case.body, dict) and "image" in case.body and mode is GenerationMode.POSITIVE:
            case.body["image"] = image
        _harmless(case)
        case.call_and_validate(
            base_url=aim.base_url,
            session=aim.client,
            headers={"Authorization": f"Bearer {credential}"},
            checks=CHECKS,
            timeout=HANG_SECONDS,
        )

    holds()


@pytest.mark.parametrize("surface", SURFACES)
def test_headers_and_paths(target: Callable[[str], Target], surface: str) -> None:
    """Requests that no description speaks of: odd headers, odd paths, odd methods."""
    aim = target(surface)
    token = aim.token
    texts = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=60)

    @repeatable(60)
    @given(
        method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"]),
        path=st.lists(st.sampled_from(["v1", "deployments", "%00", "%ff", "..%2f", "a" * 2000, "é", "{}", "logs"])),
        name=st.sampled_from(["Authorization", "Content-Type", "Accept", "X-Forwarded-For", "Content-Encoding", "X-Y"]),
        value=texts,
    )
    def holds(method: str, path: list[str], name: str, value: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} | {name: value}
        raw = [(key.encode(), text.encode("latin-1")) for key, text in headers.items()]
        url = f"{aim.base_url}/{'/'.join(path)}"
        answer = client.request(method, url, headers=raw, content=b"{}", timeout=HANG_SECONDS)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and method != "HEAD":
            assert isinstance(json.loads(answer.content)["error"]["message"], str)
        assert "x-ratelimit-limit" in answer.headers

    with httpx.Client(trust_env=False, timeout=30) as client:
        holds()

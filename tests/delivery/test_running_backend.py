"""A backend with a real mail server and a real webhook receiver, told of them by the documented variables."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from backend.settings import webhook_secret_file
from tests.backend.running_backend import RunningBackend
from tests.delivery.certificates import make_certificate, serving
from tests.delivery.mail_server import mail_server
from tests.delivery.receiver import receiver

PERSON = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[RunningBackend]:
    made = RunningBackend(tmp_path / "data")
    yield made
    made.remove_everything()


def client_of(backend: RunningBackend) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{backend.port}/container-engine-snake", timeout=30, trust_env=False
    )


async def ask(client: httpx.AsyncClient, method: str, path: str, status: int, **body: Any) -> Any:
    answer = await client.request(method, path, json=body or None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_deployments_story_reaches_the_webhook(backend: RunningBackend, static_image: str) -> None:
    async with receiver() as target, client_of(backend) as client:
        backend.extra_environment = {"WEBHOOK_URL": target.url, "PILOTHOUSE_WEBHOOK_ALLOW_PRIVATE": "true"}
        await asyncio.to_thread(lambda: backend.start().until_ready())
        account = await ask(client, "POST", "/v1/auth/register", 201, **PERSON, confirm_password=PERSON["password"])
        client.headers["Authorization"] = f"Bearer {account['access_token']}"
        target.answers.append(500)  # it comes again
        made = await ask(client, "POST", "/v1/deployments", 201, app_name="hooked", image=static_image, port=80)
        calls = await target.until_called(3)
    secret = await asyncio.to_thread(lambda: webhook_secret_file(backend.data_dir).read_text().strip())
    payloads = {call.headers["webhook-id"]: Webhook(secret).verify(call.body, call.headers) for call in calls}
    told = sorted(payloads.values(), key=lambda payload: str(payload["status"]), reverse=True)
    assert [(payload["status"], payload["type"]) for payload in told] == [
        ("started", "deployment_started"),
        ("completed", "deployment_completed"),
    ]
    for payload in told:
        assert (payload["deployment_id"], payload["app_name"]) == (made["id"], "hooked")
        assert payload["user_id"] == account["user"]["id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"])
    assert told[0]["url"] is None
    assert told[1]["url"] == f"http://hooked.localhost:{backend.ingress_port}"
    assert "key=abc" not in json.dumps(told) + await asyncio.to_thread(backend.log)


async def test_a_forgotten_password_is_reset_by_mail(backend: RunningBackend, tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with mail_server(serving(file), login=("ses-user", "ses-pass")) as server, client_of(backend) as client:
        backend.extra_environment = {
            "AWS_SES_SMTP_HOST": "localhost",
            "AWS_SES_SMTP_PORT": str(server.port),
            "AWS_SES_USERNAME": "ses-user",
            "AWS_SES_PASSWORD": "ses-pass",
            "EMAIL_FROM": "platform@example.com",
            "EMAIL_FROM_NAME": "The Platform",
            "SSL_CERT_FILE": str(file),
        }
        await asyncio.to_thread(backend.start)
        await ask(client, "POST", "/v1/auth/register", 201, **PERSON, confirm_password=PERSON["password"])
        known = await ask(client, "POST", "/v1/auth/forgot-password", 200, email=PERSON["email"])
        unknown = await ask(client, "POST", "/v1/auth/forgot-password", 200, email="nobody@example.com")
        assert known == unknown
        async with asyncio.timeout(20):
            await server.arrived.wait()
        (mail,) = server.taken
        assert mail["From"] == "The Platform <platform@example.com>"
        token = re.findall(r"ce_reset_[0-9a-f]+", mail.get_content())[0]
        await ask(client, "POST", "/v1/auth/reset-password", 200, token=token, new_password="battery staple")
        await ask(client, "POST", "/v1/auth/reset-password", 400, token=token, new_password="battery staple")
        await ask(client, "POST", "/v1/auth/login", 401, email=PERSON["email"], password=PERSON["password"])
        await ask(client, "POST", "/v1/auth/login", 200, email=PERSON["email"], password="battery staple")
    log = await asyncio.to_thread(backend.log)
    assert token not in log
    assert "ses-pass" not in log


async def test_without_a_mail_server_the_mail_is_a_file(backend: RunningBackend) -> None:
    async with client_of(backend) as client:
        await asyncio.to_thread(backend.start)
        await ask(client, "POST", "/v1/auth/register", 201, **PERSON, confirm_password=PERSON["password"])
        await ask(client, "POST", "/v1/auth/forgot-password", 200, email=PERSON["email"])
    folder = backend.data_dir / "mail"
    await asyncio.to_thread(backend.until, lambda: list(folder.glob("*.eml")))
    assert "ce_reset_" in (await asyncio.to_thread(lambda: next(folder.glob("*.eml")).read_text()))

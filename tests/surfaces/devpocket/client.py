"""A client as somebody writes it who has read the DevPocket document and was given a base address."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PASSWORD = "correct horse 7 battery"
PATIENCE_SECONDS = 60.0
LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Client:
    """One user, by its access token."""

    def __init__(self, base_url: str, token: str, email: str = "") -> None:
        self.base_url = base_url
        self.token = token
        self.email = email
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)

    @classmethod
    def registered(cls, base_url: str, username: str) -> Client:
        email = f"{username}@example.com"
        found = cls(base_url, "", email)
        body = {"username": username, "email": email, "password": PASSWORD, "full_name": "Some Body"}
        assert found.http.post("/api/v1/auth/register", json=body).status_code == 201
        found.log_in()
        return found

    def log_in(self) -> None:
        """A new session."""
        login = self.http.post("/api/v1/auth/login", json={"email": self.email, "password": PASSWORD})
        assert login.status_code == 200, login.text
        self.token = login.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        found = self.http.get("/api/v1/environments")
        for one in found.json() if found.status_code == 200 else ():
            self.http.delete(f"/api/v1/environments/{one['id']}")
        self.http.close()

    def environment(self, template: str, **changes: Any) -> str:
        """The id of a new environment."""
        body = {"name": f"env-{secrets.token_hex(4)}", "template_id": template} | changes
        made = self.http.post("/api/v1/environments", json=body)
        assert made.status_code == 201, made.text
        found: str = made.json()["id"]
        return found

    def until(self, environment_id: str, status: str) -> dict[str, Any]:
        """The environment once it has that status, and nothing is under way."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, Any] = self.http.get(f"/api/v1/environments/{environment_id}").json()
            if (found.get("status"), found.get("reason")) == (status, status):
                return found
            assert time.monotonic() < deadline, f"never {status}: {found}"
            assert found.get("status") != "error", found
            time.sleep(0.05)

    def until_gone(self, environment_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.http.get(f"/api/v1/environments/{environment_id}").status_code != 404:
            assert time.monotonic() < deadline, "never gone"
            time.sleep(0.05)

    @contextmanager
    def socket(self, path: str, token: str | None = None, **query: Any) -> Iterator[Frames]:
        """A socket under /api/v1/ws; `token` in place of the user's own, none where it is empty."""
        token = self.token if token is None else token
        parts = ([f"token={token}"] if token else []) + [f"{name}={value}" for name, value in query.items()]
        url = f"{self.base_url.replace('http://', 'ws://')}/api/v1/ws/{path}?{'&'.join(parts)}"
        with connect(url, proxy=None, max_size=2**22) as opened:
            yield Frames(opened)


class Frames:
    """A socket that speaks JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.text = ""

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def receive(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE_SECONDS))
        return found

    def until(self, type_: str) -> dict[str, Any]:
        """The next frame of a type; those before it are passed over."""
        while (frame := self.receive())["type"] != type_:
            continue
        return frame

    def type(self, text: str) -> None:
        self.send(type="input", data=text)

    def until_shown(self, text: str) -> str:
        """All output so far, once it contains a text."""
        while text not in self.text:
            frame = self.receive()
            assert frame["type"] == "output", frame
            self.text += frame["data"]
        return self.text

    def closed(self) -> tuple[int, str, list[dict[str, Any]]]:
        """Code and reason of the close, and the frames before it."""
        frames: list[dict[str, Any]] = []
        try:
            while True:
                frames.append(self.receive())
        except ConnectionClosed as error:
            assert error.rcvd is not None, error
            return error.rcvd.code, error.rcvd.reason, frames


def error_of(answer: httpx.Response, status: int, *fields: str) -> str:
    """The detail of an answer, checked for status, the documented shape, headers, and the fields that it names."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    for name in LIMIT_HEADERS:
        assert int(answer.headers[name]) >= 0
    body = json.loads(answer.content)
    assert set(body) == {"detail", "errors"}, body
    assert isinstance(body["detail"], str)
    assert body["detail"]
    for item in body["errors"]:
        assert set(item) == {"field", "message", "type"}, item
        assert all(isinstance(value, str) and value for value in item.values()), item
    assert [item["field"] for item in body["errors"]] == list(fields), body
    detail: str = body["detail"]
    return detail

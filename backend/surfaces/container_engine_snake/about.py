"""What the description of this surface says besides its operations."""

from __future__ import annotations

from backend.surfaces.container_engine_snake.errors import FAILURES
from backend.surfaces.description import About
from backend.wire.container_engine_snake import ErrorResponse

_TEXT = """Deploy containers, scale them, and see what they do. Names are in snake_case; scaling, stopping and starting answer when they are done.

Send an access token or an API key as 'Authorization: Bearer ...'. Making API keys and changing the password needs an access token.

Sockets: /v1/ws/notifications tells what happens to your deployments; /v1/ws/health tells whether the service is well; /v1/deployments/{deployment_id}/logs/stream sends a log as it is written, one entry a frame. All take the header, or ?token=.

Rate limits a minute, for each API key, else for each user, else for each address: authentication 10, changes 30, reading 100, logs and metrics 60, unless this server is set otherwise. Every answer carries X-RateLimit headers, except those of /health."""  # noqa: E501

_UUID = "6f1c2d3e-4a5b-4c6d-8e7f-{:012d}"
IDS = {kind: _UUID.format(number) for number, kind in enumerate(("user", "key", "deployment", "domain"))}


def about(version: str) -> About:
    return About(
        title="Container Engine API (snake_case)",
        version=version,
        text=_TEXT,
        failures=FAILURES,
        error=ErrorResponse,
        ids=IDS,
        values={"key": "ce_dev_0123456789abcdef0123456789abcdef", "domain_id": IDS["domain"]},
    )

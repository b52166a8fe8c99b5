"""What the description of this surface says besides its operations."""

from __future__ import annotations

from backend.surfaces.container_engine.errors import FAILURES
from backend.surfaces.description import About
from backend.wire.container_engine import ErrorResponse

_TEXT = """Deploy containers, scale them, and see what they do. Names are in camelCase.

Send an access token or an API key as 'Authorization: Bearer ...'. Making API keys and changing the password needs an access token.

Sockets: /v1/events tells what happens to your deployments; /v1/deployments/{deployment_id}/logs/stream sends a log as it is written, one entry a frame. Both take the header, or ?token=.

Rate limits a minute, for each API key, else for each user, else for each address: authentication 10, changes 30, reading 100, logs and metrics 60, unless this server is set otherwise. Every answer carries X-RateLimit headers."""  # noqa: E501

IDS = {"user": "usr-a1b2c3d4e5", "key": "key-a1b2c3d4e5", "deployment": "dpl-a1b2c3d4e5", "domain": "dom-a1b2c3d4e5"}


def about(version: str) -> About:
    return About(
        title="Container Engine API",
        version=version,
        text=_TEXT,
        failures=FAILURES,
        error=ErrorResponse,
        ids=IDS,
        values={"api_key": "ce_api_0123456789abcdef0123456789abcdef"},
    )

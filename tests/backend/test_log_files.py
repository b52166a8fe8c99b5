"""Nothing that gives access stands in a log."""

from __future__ import annotations

import pytest

from backend.log_files import mask_secrets


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ('"GET /v1/events?token=abc.def&x=1 HTTP/1.1" 101', '"GET /v1/events?token=***&x=1 HTTP/1.1" 101'),
        ("Authorization: Bearer abc.DEF-1_2", "Authorization: Bearer ***"),
        ("key ce_api_0123abcdef was used", "key ce_api_*** was used"),
        ("ce_refresh_0123abcdef", "ce_refresh_***"),
        ("postgresql://me:s3cret@db/x", "postgresql://me:***@db/x"),
        ("password=hidden next", "password=*** next"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "***"),
        ("an ordinary line, port 8090, token expired", "an ordinary line, port 8090, token expired"),
    ],
)
def test_masking(line: str, masked: str) -> None:
    assert mask_secrets(line) == masked

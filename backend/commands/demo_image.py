"""`demo-image`: builds the offline demo's image and prints `{"image": TAG, "port": PORT}`."""

from __future__ import annotations

import argparse
import json
import sys

from backend.domain.errors import DomainError


def demo_image(chosen: argparse.Namespace) -> int:
    """The exit code: 0 with JSON on standard output, 1 with the reason on standard error."""
    from backend.engines.demo_image import PORT, build
    from backend.ingress.process import find_caddy

    try:
        image = build(find_caddy())
    except DomainError as error:
        print(f"pilothouse: {error.message}", file=sys.stderr)
        return 1
    print(json.dumps({"image": image, "port": PORT}))
    return 0

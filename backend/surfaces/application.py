"""What the applications of all surfaces have alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.types import ASGIApp

from backend.surfaces.failures import Failures
from backend.surfaces.unrouted import Unrouted

_MAX_BODY_BYTES = 2**20


def application(
    handlers: Sequence[Any], failures: Failures, *, guards: Sequence[Any] = (), max_body_bytes: int = _MAX_BODY_BYTES
) -> ASGIApp:
    """Serves the handlers, and tells whatever goes wrong in the words of `failures`."""
    app = Litestar(
        route_handlers=handlers,
        guards=guards,
        exception_handlers=failures.handlers,
        after_exception=[failures.log_of_socket],
        request_max_body_size=max_body_bytes,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Unrouted(app, failures)

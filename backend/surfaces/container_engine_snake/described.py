"""What operations of this document answer, for its OpenAPI page."""

from __future__ import annotations

from backend.surfaces.described import answers_with
from backend.wire.container_engine_snake import ErrorResponse

answered_by = answers_with(ErrorResponse)

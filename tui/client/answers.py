"""Answers of a backend as wire models; one that does not fit is a fault to tell, not a crash."""

from __future__ import annotations

from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from tui.client.errors import ClientError

Model = TypeVar("Model", bound=BaseModel)


def parsed(model: type[Model], answer: httpx.Response) -> Model:
    """Raises ClientError where the backend speaks another version of the surface."""
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise ClientError(
            "The backend's answer cannot be read: it may be of another version than this app. Run `pilothouse stop`,"
            " then `pilothouse` again; apps keep running"
        ) from error

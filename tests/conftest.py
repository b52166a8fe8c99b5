"""What all tests share: an image of a small app, built on the engine that the tests were given."""

from __future__ import annotations

import pytest

from tests.images.build import build_app_image, build_static_image


@pytest.fixture(scope="session")
def app_image() -> str:
    """An image of `tests/images/app.py`: serves on $PORT and misbehaves where its environment says so."""
    return build_app_image()


@pytest.fixture(scope="session")
def static_image() -> str:
    """The smallest image that serves: busybox httpd with one page, on port 80."""
    return build_static_image()

"""What all tests share: an image of a small app, built on the engine that the tests were given."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.images.build import build_app_image, build_static_image

# A machine that is busy is no fault, and what failed once is to fail again.
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session")
def app_image() -> str:
    """An image of `tests/images/app.py`: serves on $PORT and misbehaves where its environment says so."""
    return build_app_image()


@pytest.fixture(scope="session")
def static_image() -> str:
    """The smallest image that serves: busybox httpd with one page, on port 80."""
    return build_static_image()

"""Notifications: the socket, a test of it, and its figures."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, WebSocket, get, websocket

from backend.surfaces.container_engine_snake.convert import notification_text, to_wire_stats, to_wire_test
from backend.surfaces.container_engine_snake.described import answered_by
from backend.surfaces.container_engine_snake.errors import FAILURES
from backend.surfaces.credentials import principal_of
from backend.surfaces.described import needs
from backend.surfaces.event_sockets import serve_events
from backend.surfaces.responses import json_response
from backend.surfaces.services import Services
from backend.wire import container_engine_snake as wire

_TAGS = ["notifications"]


def notification_routes(services: Services) -> list[Any]:
    notifications = services.notifications

    @websocket("/v1/ws/notifications")
    async def events(socket: WebSocket[Any, Any, Any]) -> None:
        await serve_events(socket, services, FAILURES, notification_text)

    @get("/v1/notifications/test", responses=answered_by(200, wire.TestNotificationResponse, *needs()), tags=_TAGS)
    async def test_notification(request: Request[Any, Any, Any]) -> Response[bytes]:
        """A GET that does something: it tells the caller's own sockets of a deployment that is not there."""
        return json_response(to_wire_test(*notifications.test(principal_of(request))))

    @get("/v1/notifications/stats", responses=answered_by(200, wire.NotificationStatsResponse, *needs()), tags=_TAGS)
    async def notification_stats(request: Request[Any, Any, Any]) -> Response[bytes]:
        """How many sockets are open and what was sent since the start."""
        return json_response(to_wire_stats(await notifications.stats(principal_of(request))))

    return [events, test_notification, notification_stats]

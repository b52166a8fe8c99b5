"""What goes out of the installation: mails and webhook calls, and who carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from backend.domain.errors import DomainError


class Channel(StrEnum):
    """Ways out."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryStatus(StrEnum):
    """`pending` until it arrived or was given up for good."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing on its way. `id` is the same at every attempt, so that a receiver can tell repeats; `attempt` counts
    from 1; `recipient` is for people to read and holds no secret."""

    id: str
    channel: Channel
    recipient: str
    content: Mapping[str, Any] = field(repr=False)
    attempt: int
    created_at: datetime


class DeliveryFailed(DomainError):
    """It did not arrive this time; another attempt may. `retry_after` is the receiver's wish in seconds, if any."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryRefused(DomainError):
    """It will never arrive, however often it is tried."""


class TargetGone(DeliveryRefused):
    """The receiver says that it wants nothing more, ever (410)."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain text mail to one address. `text` has lines that end in a line feed."""

    to: str
    subject: str
    text: str = field(repr=False)


class MailSender(Protocol):
    """Carries mails."""

    async def send(self, mail: Mail, message_id: str, written_at: datetime) -> None:
        """Hand a mail over. `message_id` (without a domain) stays the same when it is sent again. Raises
        DeliveryFailed, DeliveryRefused."""
        ...


class WebhookCaller(Protocol):
    """Calls webhooks."""

    async def refusal(self, url: str) -> str | None:
        """Why this address is never called, as things are now; None where it is, or where that cannot be told."""
        ...

    async def post(self, url: str, message_id: str, body: bytes) -> None:
        """POST a JSON body, signed. Raises DeliveryFailed, DeliveryRefused, TargetGone."""
        ...

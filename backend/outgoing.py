"""Composition of what goes out: the outbox with its mails and webhooks, as the settings have them."""

from __future__ import annotations

from dataclasses import dataclass

from backend.delivery.mail_files import MailFiles
from backend.delivery.message import Sender
from backend.delivery.smtp import IMPLICIT_TLS_PORT, Security, SmtpSender, SmtpServer
from backend.delivery.webhook import HttpWebhookCaller
from backend.domain.outbox import MailSender
from backend.services.event_bus import EventBus
from backend.services.mail import Mails
from backend.services.outbox import Outbox
from backend.services.secrets import SecretBox
from backend.services.webhooks import Webhooks
from backend.settings import MAIL_FOLDER, Settings, load_webhook_secret
from backend.storage.database import Database
from backend.version import version

_NOBODY = "pilothouse@localhost"  # whom mails in files come from, where no sender is set


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Start it once the parts that add to the outbox are made; close it before storage."""

    outbox: Outbox
    mails: Mails
    webhooks: Webhooks

    @classmethod
    def of(cls, settings: Settings, database: Database, box: SecretBox, events: EventBus) -> Outgoing:
        """Raises SettingsError where the secret of webhooks cannot be used."""
        outbox = Outbox(database, box)
        caller = HttpWebhookCaller(
            load_webhook_secret(settings),
            allow_private=settings.webhook_allow_private,
            user_agent=f"pilothouse/{version()}",
        )
        return cls(
            outbox,
            Mails(outbox, mail_sender_of(settings), public_url=settings.public_url),
            Webhooks(database, outbox, events, caller, settings.webhook_url),
        )

    async def start(self) -> None:
        await self.webhooks.start()
        await self.outbox.start()

    async def close(self) -> None:
        await self.webhooks.close()
        await self.outbox.close()


def mail_sender_of(settings: Settings) -> MailSender:
    """Through the mail server that is set, else into files in the data dir."""
    sender = Sender(settings.email_from or _NOBODY, settings.email_from_name)
    if not settings.smtp_host:
        return MailFiles(settings.data_dir / MAIL_FOLDER, sender)
    security = settings.smtp_security
    if security == "auto":
        security = Security.TLS if settings.smtp_port == IMPLICIT_TLS_PORT else Security.STARTTLS
    return SmtpSender(
        SmtpServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_username,
            settings.smtp_password,
            Security(security),
        ),
        sender,
    )

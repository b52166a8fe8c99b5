"""A mail as it goes over the wire."""

from __future__ import annotations

import email.policy
import email.utils
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from backend.domain.outbox import DeliveryRefused, Mail

# Long lines stay whole: a token or link that is folded cannot be copied.
_POLICY = email.policy.SMTP.clone(max_line_length=500)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails come from: an address, and a name that may be empty."""

    address: str
    name: str = ""


def compose(mail: Mail, sender: Sender, message_id: str, written_at: datetime) -> EmailMessage:
    """The message with its headers. Raises DeliveryRefused where a header cannot hold what it is given: an address or
    a subject with a line break makes no second header."""
    message = EmailMessage(policy=_POLICY)
    try:
        origin = Address(display_name=sender.name, addr_spec=sender.address)
        message["From"] = origin
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
    except (ValueError, MessageError, IndexError) as error:
        # The parser of addresses raises IndexError at some that are cut short.
        raise DeliveryRefused(f"the mail has an address or subject that cannot be sent: {error}") from error
    message["Date"] = email.utils.format_datetime(written_at)
    message["Message-ID"] = f"<{message_id}@{origin.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message

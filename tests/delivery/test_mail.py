"""Mails over a real SMTP server, and as files."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.delivery.mail_files import MailFiles
from backend.delivery.message import Sender, compose
from backend.delivery.smtp import Security, SmtpSender, SmtpServer
from backend.domain.outbox import DeliveryFailed, DeliveryRefused, Mail
from tests.delivery.certificates import make_certificate, serving, trusting
from tests.delivery.mail_server import MailServer, mail_server

FROM = Sender("platform@example.com", "Die Plattform, größer")
LONG_LINE = "https://apps.example.com/reset-password?token=" + "0123456789abcdef" * 8
MAIL = Mail("alice@example.com", "Reset your password", f"Hello,\n\n    {LONG_LINE}\n.\nBye\n")
AT = datetime(2025, 6, 1, 12, tzinfo=UTC)
LOGIN = ("user", "pässword with = signs")


def sender_to(server: MailServer, file: Path, **changes: object) -> SmtpSender:
    given = {"host": "127.0.0.1", "port": server.port, "username": LOGIN[0], "password": LOGIN[1], **changes}
    return SmtpSender(SmtpServer(**given), FROM, context=trusting(file))  # type: ignore[arg-type]


async def test_a_mail_goes_by_starttls_and_login(tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with mail_server(serving(file), login=LOGIN) as server:
        await sender_to(server, file).send(MAIL, "id-1", AT)
    (message,) = server.taken
    assert message["From"].addresses[0].addr_spec == FROM.address
    assert message["From"].addresses[0].display_name == FROM.name
    assert message["To"] == MAIL.to
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == "<id-1@example.com>"
    assert message["Date"].datetime == AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == MAIL.text
    assert server.envelopes == [(FROM.address, [MAIL.to])]
    assert server.logins == [LOGIN[0]]
    assert server.encrypted == [True]


async def test_a_mail_goes_by_tls_from_the_start(tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with mail_server(serving(file), starttls=False, login=LOGIN) as server:
        await sender_to(server, file, security=Security.TLS).send(MAIL, "id-1", AT)
    assert server.encrypted == [True]
    assert server.logins == [LOGIN[0]]


async def test_a_relay_without_encryption_and_login(tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with mail_server() as server:
        await sender_to(server, file, username="", password="", security=Security.NONE).send(MAIL, "id-1", AT)
    assert len(server.taken) == 1


async def test_nothing_is_said_to_a_server_that_is_not_trusted_or_offers_no_encryption(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    file, other = make_certificate(tmp_path), make_certificate(tmp_path / "other")
    async with mail_server(serving(file), login=LOGIN) as server:
        with pytest.raises(DeliveryFailed, match="certificate"):
            await sender_to(server, other).send(MAIL, "id-1", AT)
    async with mail_server(login=LOGIN) as plain:
        with pytest.raises(DeliveryFailed, match="STARTTLS"):
            await sender_to(plain, file).send(MAIL, "id-1", AT)
    assert (server.logins, plain.logins, server.taken, plain.taken) == ([], [], [], [])


async def test_a_wrong_login_or_an_absent_server_may_be_put_right(tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    async with mail_server(serving(file), login=LOGIN) as server:
        with pytest.raises(DeliveryFailed, match="535") as caught:
            await sender_to(server, file, password="wrong").send(MAIL, "id-1", AT)
        assert "wrong" not in caught.value.message
    with pytest.raises(DeliveryFailed, match=str(server.port)):
        await sender_to(server, file).send(MAIL, "id-1", AT)


@pytest.mark.parametrize(
    ("part", "reply", "kind"),
    [
        ("recipient_replies", "550 no such mailbox", DeliveryRefused),
        ("recipient_replies", "450 mailbox busy", DeliveryFailed),
        ("data_replies", "554 looks like spam", DeliveryRefused),
        ("data_replies", "451 try later", DeliveryFailed),
    ],
)
async def test_the_servers_word_decides_whether_it_is_tried_again(
    tmp_path: Path, part: str, reply: str, kind: type[Exception]
) -> None:
    file = make_certificate(tmp_path)
    async with mail_server(serving(file), login=LOGIN) as server:
        getattr(server, part).append(reply)
        with pytest.raises(kind, match=reply[4:]):
            await sender_to(server, file).send(MAIL, "id-1", AT)
        await sender_to(server, file).send(MAIL, "id-1", AT)
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    "mail",
    [
        Mail("alice@example.com\r\nBcc: eve@example.com", "Hello", "x"),
        Mail("alice@example.com\nBcc: eve@example.com", "Hello", "x"),
        Mail("alice@example.com", "Hello\r\nBcc: eve@example.com", "x"),
        Mail("alice@example.com", "Hello\nBcc: eve@example.com", "x"),
        Mail("alice@example.com, eve@example.com", "Hello", "x"),
        Mail("", "Hello", "x"),
        Mail("@", "Hello", "x"),
    ],
)
def test_a_header_cannot_be_smuggled_in(mail: Mail) -> None:
    with pytest.raises(DeliveryRefused):
        compose(mail, FROM, "id-1", AT)


def test_a_name_with_a_line_break_makes_no_header() -> None:
    with pytest.raises(DeliveryRefused):
        compose(MAIL, Sender("platform@example.com", "X\r\nBcc: eve@example.com"), "id-1", AT)


def test_long_lines_stay_whole() -> None:
    assert LONG_LINE.encode() in compose(MAIL, FROM, "id-1", AT).as_bytes()


async def test_without_a_server_mails_are_private_files(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    files = MailFiles(folder, FROM)
    await files.send(MAIL, "id-1", AT)
    await files.send(MAIL, "id-1", AT)
    (file,) = folder.iterdir()
    assert file.name == "20250601T120000Z-id-1.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["To"] == MAIL.to
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(DeliveryFailed, match="cannot be written"):
        await MailFiles(tmp_path / "mail", FROM).send(MAIL, "id-1", AT)

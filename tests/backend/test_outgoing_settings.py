"""Settings of mails and webhooks: what is taken, what is refused, and what is never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from backend.settings import SettingsError, load_settings, load_webhook_secret, webhook_secret_file

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    return {"PILOTHOUSE_CONFIG_DIR": str(folder), "PILOTHOUSE_DATA_DIR": str(folder / "data"), **variables}


def test_the_documented_names(tmp_path: Path) -> None:
    settings = load_settings(
        environment=environment(
            tmp_path,
            WEBHOOK_URL="https://hooks.example.com/in?key=1",
            WEBHOOK_SECRET=SECRET,
            AWS_SES_SMTP_HOST="email-smtp.eu-west-1.amazonaws.com",
            AWS_SES_USERNAME="user",
            AWS_SES_PASSWORD="pass word",
            EMAIL_FROM="No.Reply@Example.com",
            EMAIL_FROM_NAME="The Platform",
        )
    )
    assert (settings.webhook_url, settings.webhook_allow_private) == ("https://hooks.example.com/in?key=1", False)
    assert (settings.smtp_port, settings.smtp_security) == (587, "auto")
    assert (settings.email_from, settings.email_from_name) == ("No.Reply@example.com", "The Platform")
    assert load_webhook_secret(settings) == SECRET
    shown = repr(settings)
    assert "key=1" not in shown
    assert SECRET not in shown
    assert "pass word" not in shown


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WEBHOOK_URL": "ftp://a/"}, "webhook_url"),
        ({"WEBHOOK_URL": "https:///path"}, "webhook_url"),
        ({"WEBHOOK_URL": "https://a:b@c/"}, "webhook_url"),
        ({"WEBHOOK_URL": "https://a:99999/"}, "webhook_url"),
        ({"WEBHOOK_URL": "https://größer.example/"}, "webhook_url"),
        ({"WEBHOOK_URL": "http://[::1/"}, "webhook_url"),
        ({"WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "webhook_secret"),
        ({"WEBHOOK_SECRET": "whsec_%%%"}, "webhook_secret"),
        ({"WEBHOOK_SECRET": SECRET[6:]}, "webhook_secret"),
        ({"AWS_SES_SMTP_HOST": "mail.example.com"}, "email_from"),
        ({"AWS_SES_USERNAME": "user"}, "smtp_username"),
        ({"EMAIL_FROM": "nobody"}, "email_from"),
        ({"EMAIL_FROM": "a@b\r\nBcc: c@d"}, "email_from"),
        ({"EMAIL_FROM": "a@b, c@d"}, "email_from"),
        ({"EMAIL_FROM_NAME": "A\r\nBcc: c@d"}, "email_from_name"),
        ({"PILOTHOUSE_SMTP_SECURITY": "perhaps"}, "smtp_security"),
        (
            {"PILOTHOUSE_SMTP_SECURITY": "none", "AWS_SES_SMTP_HOST": "mail.example.com", "EMAIL_FROM": "a@b.example",
             "AWS_SES_USERNAME": "u", "AWS_SES_PASSWORD": "p"},
            "smtp_security",
        ),
        ({"PILOTHOUSE_PUBLIC_URL": "apps.example.com"}, "public_url"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, variables: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings(environment=environment(tmp_path, **variables))
    for name in ("WEBHOOK_URL", "WEBHOOK_SECRET", "AWS_SES_PASSWORD"):
        assert len(variables.get(name, "")) < 2 or variables[name] not in str(caught.value)


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = load_settings(environment=environment(tmp_path))
    secret = load_webhook_secret(settings)
    assert secret.startswith("whsec_")
    assert load_webhook_secret(settings) == secret
    file = webhook_secret_file(settings.data_dir)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == secret + "\n"
    file.write_text("whsec_damaged")
    with pytest.raises(SettingsError, match="damaged"):
        load_webhook_secret(settings)

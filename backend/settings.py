"""The settings of a backend, and the only reader of the environment and of the config file.

Flags go over environment variables, which go over `config.toml` in the user's config folder.
"""

from __future__ import annotations

import base64
import os
import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.setting_parsers import (
    BindAddress,
    RateLimit,
    Rejected,
    as_addresses,
    as_bindings,
    as_boolean,
    as_choice,
    as_cpu,
    as_domain_suffix,
    as_host,
    as_integer,
    as_mail_address,
    as_names,
    as_network_pool,
    as_networks,
    as_path,
    as_rate_limits,
    as_resolvers,
    as_secret,
    as_size,
    as_text,
    as_url,
    as_web_address,
    as_webhook_secret,
    as_words,
    is_loopback,
)
from backend.wire.rendezvous import APP_NAME, DEFAULT_INGRESS_PORT, DEFAULT_PORT, resolve_data_dir, write_private

CONFIG_DIR_VARIABLE = "PILOTHOUSE_CONFIG_DIR"
MAIL_FOLDER = "mail"  # in the data dir, for mails without a mail server


class SettingsError(Exception):
    """Settings that cannot be used. `faults` has a sentence for each: which setting, from where, what is allowed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting's environment variable, its parser (raises Rejected) and what it may be, in words."""

    variable: str
    parse: Callable[[Any], Any]
    allowed: str


_SETTINGS: dict[str, _Setting] = {
    "host": _Setting("PILOTHOUSE_HOST", as_host, "an IP address or host name to listen on, such as 127.0.0.1"),
    "port": _Setting("PORT", as_integer(1, 65535), "a whole number from 1 to 65535"),
    "ingress_host": _Setting("PILOTHOUSE_INGRESS_HOST", as_host, "an IP address for the apps, such as 127.0.0.1"),
    "ingress_port": _Setting("PILOTHOUSE_INGRESS_PORT", as_integer(1, 65535), "a whole number from 1 to 65535"),
    "ingress_https_port": _Setting(
        "PILOTHOUSE_INGRESS_HTTPS_PORT", as_integer(0, 65535), "a whole number from 1 to 65535, or 0 for no HTTPS"
    ),
    "tls_mode": _Setting("PILOTHOUSE_TLS_MODE", as_choice("acme", "internal", "off"), "acme, internal or off"),
    "acme_directory": _Setting("PILOTHOUSE_ACME_DIRECTORY", as_url("https"), "the https:// address of a directory"),
    "acme_email": _Setting("PILOTHOUSE_ACME_EMAIL", as_mail_address, "a mail address"),
    "acme_ca_root": _Setting("PILOTHOUSE_ACME_CA_ROOT", as_path, "a file with certificates in PEM"),
    "dns_resolver": _Setting(
        "PILOTHOUSE_DNS_RESOLVER", as_resolvers, "IP addresses with or without :PORT, separated by commas"
    ),
    "public_addresses": _Setting("PILOTHOUSE_PUBLIC_ADDRESSES", as_addresses, "IP addresses, separated by commas"),
    "domain_patience_seconds": _Setting(
        "PILOTHOUSE_DOMAIN_PATIENCE_SECONDS", as_integer(1, 90 * 86400), "a whole number from 1 to 7776000"
    ),
    "data_dir": _Setting("PILOTHOUSE_DATA_DIR", as_path, "a folder"),
    "bind": _Setting("PILOTHOUSE_BIND", as_bindings, "SURFACE=HOST:PORT, several as a list or separated by commas"),
    "domain_suffix": _Setting("DOMAIN_SUFFIX", as_domain_suffix, "a DNS name such as localhost or apps.example.com"),
    "database_url": _Setting("DATABASE_URL", as_url("sqlite", "postgres"), "a sqlite:// or postgresql:// address"),
    "jwt_secret": _Setting("JWT_SECRET", as_secret(32), "at least 32 characters"),
    "docker_host": _Setting("DOCKER_HOST", as_url("unix", "tcp", "ssh", "http", "https"), "unix://, tcp:// or ssh://"),
    "registration": _Setting(
        "PILOTHOUSE_REGISTRATION", as_choice("open", "invite", "closed"), "open, invite or closed"
    ),
    "strict_login": _Setting("PILOTHOUSE_STRICT_LOGIN", as_boolean, "true or false"),
    "network_pool": _Setting("PILOTHOUSE_NETWORK_POOL", as_network_pool, "a private IPv4 network of /8 to /23"),
    "allowed_hosts": _Setting("PILOTHOUSE_ALLOWED_HOSTS", as_names, "host names, as a list or separated by commas"),
    "max_body_bytes": _Setting(
        "PILOTHOUSE_MAX_BODY_BYTES", as_integer(1024, 2**30), "a whole number from 1024 to 1073741824"
    ),
    "redis_url": _Setting("REDIS_URL", as_url("redis", "rediss", "unix"), "a redis://, rediss:// or unix:// address"),
    "rate_limits": _Setting(
        "PILOTHOUSE_RATE_LIMITS",
        as_rate_limits,
        "none, or [SURFACE.]CLASS=NUMBER, several separated by commas",
    ),
    "trusted_proxies": _Setting(
        "PILOTHOUSE_TRUSTED_PROXIES", as_networks, "addresses or networks, as a list or separated by commas"
    ),
    "public_url": _Setting("PILOTHOUSE_PUBLIC_URL", as_web_address, "an address such as https://apps.example.com"),
    "webhook_url": _Setting("WEBHOOK_URL", as_web_address, "an http:// or https:// address"),
    "webhook_secret": _Setting("WEBHOOK_SECRET", as_webhook_secret, "whsec_ and 24 to 64 bytes in base64"),
    "webhook_allow_private": _Setting("PILOTHOUSE_WEBHOOK_ALLOW_PRIVATE", as_boolean, "true or false"),
    "smtp_host": _Setting("AWS_SES_SMTP_HOST", as_host, "a host name or IP address"),
    "smtp_port": _Setting("AWS_SES_SMTP_PORT", as_integer(1, 65535), "a whole number from 1 to 65535"),
    "smtp_username": _Setting("AWS_SES_USERNAME", as_text, "a user name"),
    "smtp_password": _Setting("AWS_SES_PASSWORD", as_secret(1), "a password"),
    "smtp_security": _Setting(
        "PILOTHOUSE_SMTP_SECURITY", as_choice("auto", "starttls", "tls", "none"), "auto, starttls, tls or none"
    ),
    "email_from": _Setting("EMAIL_FROM", as_mail_address, "an e-mail address"),
    "email_from_name": _Setting("EMAIL_FROM_NAME", as_text, "a name on one line"),
    "google_client_id": _Setting(
        "GOOGLE_CLIENT_ID", as_words, "the client ids of Google apps, as a list or separated by commas"
    ),
    "google_jwks_url": _Setting("PILOTHOUSE_GOOGLE_JWKS_URL", as_web_address, "an http:// or https:// address"),
    "cluster_regions": _Setting(
        "PILOTHOUSE_CLUSTER_REGIONS", as_words, "names of regions, as a list or separated by commas"
    ),
    "environments_per_user": _Setting(
        "PILOTHOUSE_ENVIRONMENTS_PER_USER", as_integer(0, 10_000), "a whole number from 0 (any number) to 10000"
    ),
    "environment_max_cpu": _Setting("PILOTHOUSE_ENVIRONMENT_MAX_CPU", as_cpu, "a CPU quantity such as 4 or 500m"),
    "environment_max_memory": _Setting("PILOTHOUSE_ENVIRONMENT_MAX_MEMORY", as_size, "a quantity such as 8Gi"),
    "environment_max_storage": _Setting("PILOTHOUSE_ENVIRONMENT_MAX_STORAGE", as_size, "a quantity such as 100Gi"),
    "settle_seconds": _Setting("PILOTHOUSE_SETTLE_SECONDS", as_integer(1, 600), "a whole number from 1 to 600"),
    "access_log": _Setting("PILOTHOUSE_ACCESS_LOG", as_boolean, "true or false"),
    "log_level": _Setting(
        "PILOTHOUSE_LOG_LEVEL", as_choice("debug", "info", "warning", "error"), "debug, info, warning or error"
    ),
}
# Values that are shown to nobody, not even when they are wrong.
_UNSHOWN = frozenset({"jwt_secret", "database_url", "redis_url", "webhook_url", "webhook_secret", "smtp_password"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a backend can be told. Ports are TCP; `network_pool` is CIDR, cut into /23 per tenant;
    `database_url` empty means SQLite in the data dir; `jwt_secret` and `webhook_secret` empty, one generated there;
    `smtp_host` empty, mails written to files there; `webhook_url` empty, no webhooks; `public_url` empty, mails
    without links. `smtp_security` auto is tls at port 465, else starttls. `redis_url` empty, rate limits are counted in
    the process; `rate_limits` go over the documented ones; `X-Forwarded-For` counts only from `trusted_proxies`.

    The apps are served over HTTPS where `ingress_https_port` is not 0: `tls_mode` acme (the default) gets certificates
    from `acme_directory` (empty: Let's Encrypt), which is trusted by `acme_ca_root` where given, and those of local
    names from an authority of our own; `internal` gets all from that one. `dns_resolver` empty means the system's;
    `public_addresses` empty, those of the app's own host name. A custom domain fails after `domain_patience_seconds`
    without the right records.

    Users log in with Google where `google_client_id` names the apps whose ID tokens are taken; their signatures are
    checked with the keys at `google_jwks_url` (empty: Google's). `cluster_regions` are offered for clusters beside
    those that clusters have. One environment gets at most `environment_max_cpu` millicores and `environment_max_memory`
    and `environment_max_storage` bytes; a user has at most `environments_per_user`, 0 for any number."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    ingress_host: str = "127.0.0.1"
    ingress_port: int = DEFAULT_INGRESS_PORT
    ingress_https_port: int = 0
    tls_mode: str = ""
    acme_directory: str = ""
    acme_email: str = ""
    acme_ca_root: str = ""
    dns_resolver: tuple[tuple[str, int], ...] = ()
    public_addresses: tuple[str, ...] = ()
    domain_patience_seconds: int = 72 * 3600
    bind: tuple[BindAddress, ...] = ()
    domain_suffix: str = "localhost"
    database_url: str = ""
    docker_host: str | None = None
    registration: str = "open"
    strict_login: bool = False
    network_pool: str = "10.213.0.0/16"
    allowed_hosts: tuple[str, ...] = ()
    max_body_bytes: int = 2**20
    redis_url: str = field(default="", repr=False)
    rate_limits: tuple[RateLimit, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    settle_seconds: int = 60
    access_log: bool = False
    log_level: str = "info"
    jwt_secret: str = field(default="", repr=False)
    public_url: str = ""
    webhook_url: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    webhook_allow_private: bool = False
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_username: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_security: str = "auto"
    email_from: str = ""
    email_from_name: str = ""
    google_client_id: tuple[str, ...] = ()
    google_jwks_url: str = ""
    cluster_regions: tuple[str, ...] = ()
    environments_per_user: int = 20
    environment_max_cpu: int = 64_000
    environment_max_memory: int = 256 * 2**30
    environment_max_storage: int = 2**40
    warnings: tuple[str, ...] = ()

    @property
    def listening_hosts(self) -> tuple[str, ...]:
        """The host of every TCP listener."""
        return (self.host, *(binding.host for binding in self.bind))

    @property
    def serves_https(self) -> bool:
        """Whether the apps are reached over HTTPS too."""
        return self.ingress_https_port != 0 and self.tls_mode != "off"


def config_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the config file is looked for; it need not exist."""
    environment = os.environ if environment is None else environment
    folder = environment.get(CONFIG_DIR_VARIABLE)
    if not folder:
        from platformdirs import user_config_dir

        folder = user_config_dir(APP_NAME, appauthor=False)
    return Path(folder).expanduser() / "config.toml"


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings from flags (None: not given), environment, config file, and where none of them says, as they were
    `before`. Raises SettingsError with every fault at once. Makes nothing on disk: secrets come from `load_secret`."""
    environment = os.environ if environment is None else environment
    faults: list[str] = []
    values: dict[str, Any] = {}
    for origin, name, raw in _given(flags or {}, environment, config_file(environment), before or {}, faults):
        setting = _SETTINGS[name]
        try:
            values[name] = setting.parse(raw)
        except Rejected as rejected:
            shown = "the value given" if name in _UNSHOWN else repr(raw)
            reason = f" ({rejected})" if str(rejected) else ""
            faults.append(f"{name}: {shown} from {origin} is not allowed{reason}: it must be {setting.allowed}")
    if faults:
        raise SettingsError(faults)
    values["data_dir"] = resolve_data_dir(values.get("data_dir"))
    draft = Settings(**values)
    faults.extend(_clashes(draft))
    if faults:
        raise SettingsError(faults)
    return _with_registration(values, draft)


def _given(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    path: Path,
    before: Mapping[str, Any],
    faults: list[str],
) -> list[tuple[str, str, Any]]:
    """(origin, setting, raw value) of each setting that is given, from the place that wins."""
    found = {name: ("the last start", name, raw) for name, raw in before.items() if name in _SETTINGS}
    for name, raw in _read_config(path, faults).items():
        if name in _SETTINGS:
            found[name] = (str(path), name, raw)
        else:
            faults.append(f"{name}: no such setting, from {path}; there are {', '.join(sorted(_SETTINGS))}")
    for name, setting in _SETTINGS.items():
        if environment.get(setting.variable):
            found[name] = (f"the environment variable {setting.variable}", name, environment[setting.variable])
        if flags.get(name) is not None:
            found[name] = (f"the flag --{name.replace('_', '-')}", name, flags[name])
    return list(found.values())


def _read_config(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(f"{path} cannot be read: {error}")
        return {}


def _clashes(settings: Settings) -> list[str]:
    """Settings that are each allowed, but not together."""
    faults = []
    taken = {settings.port: "port"}
    listening = [("ingress_port", settings.ingress_port), *((f"bind {b}", b.port) for b in settings.bind)]
    if settings.serves_https:
        listening.append(("ingress_https_port", settings.ingress_https_port))
    for name, port in listening:
        if port in taken:
            faults.append(f"{name}: port {port} is already that of {taken[port]}: give each its own")
        taken[port] = name
    if settings.tls_mode in ("acme", "internal") and not settings.ingress_https_port:
        faults.append(
            f"tls_mode: {settings.tls_mode} needs a port for HTTPS: set ingress_https_port "
            "(PILOTHOUSE_INGRESS_HTTPS_PORT), such as 443"
        )
    if settings.smtp_host and not settings.email_from:
        faults.append("email_from: mails need a sender: set it (EMAIL_FROM) beside smtp_host (AWS_SES_SMTP_HOST)")
    if bool(settings.smtp_username) != bool(settings.smtp_password):
        faults.append("smtp_username and smtp_password (AWS_SES_USERNAME, AWS_SES_PASSWORD) go together: set both")
    if settings.smtp_security == "none" and settings.smtp_password and not is_loopback(settings.smtp_host):
        faults.append("smtp_security: without encryption the password would be read by others: choose starttls or tls")
    return faults


def _with_registration(values: dict[str, Any], draft: Settings) -> Settings:
    """Registration is open by itself only while nobody but this machine can reach a listener."""
    if "registration" in values or all(is_loopback(host) for host in draft.listening_hosts):
        return draft
    warning = (
        "registration is closed, because a listener is reachable from other machines: "
        "set registration (PILOTHOUSE_REGISTRATION) to invite, for those whom 'pilothouse admin invite' invites, or to "
        "open to let anybody make an account"
    )
    return Settings(**(values | {"registration": "closed", "warnings": (warning,)}))


def load_secret(data_dir: Path, name: str) -> str:
    """The secret `<data-dir>/secrets/<name>.key` (64 hex digits for 32 random bytes), made once, mode 0600.
    Raises SettingsError where it is there but cannot be used."""
    path = data_dir / "secrets" / f"{name}.key"
    text = _kept(path, lambda: secrets.token_hex(32))
    try:
        usable = len(bytes.fromhex(text)) >= 32
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError([f"the secret in {path} is damaged: it must be 64 hexadecimal digits; restore the file"])
    return text


def webhook_secret_file(data_dir: Path) -> Path:
    """Where the secret of webhooks is, unless a setting gives it: whoever checks signatures copies it from there."""
    return data_dir / "secrets" / "webhook.secret"


def load_webhook_secret(settings: Settings) -> str:
    """`whsec_<base64>`, from the settings or from its file, made once, mode 0600. Raises SettingsError where it is
    there but cannot be used."""
    if settings.webhook_secret:
        return settings.webhook_secret
    path = webhook_secret_file(settings.data_dir)
    text = _kept(path, lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    try:
        return as_webhook_secret(text)
    except Rejected as error:
        raise SettingsError(
            [f"the secret in {path} is damaged: restore the file, or remove it for a new one"]
        ) from error


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a file in a private folder, made when first asked for."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        text = make()
        write_private(path, text.encode() + b"\n")
        return text
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"the secret in {path} cannot be read: {error}"]) from error

"""What requests about templates and environments must satisfy. All faults are collected, so that a form can show each
at its field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.domain.environments import EnvironmentChange, EnvironmentRequest, EnvironmentResources, Template
from backend.domain.errors import Conflict
from backend.domain.quantities import parse_cpu, parse_memory, parse_storage
from backend.domain.shown import shown
from backend.services.input_faults import Faults, check_env, check_image

MAX_NAME = 63
MAX_TEXT = 2000
MAX_COMMANDS = 50
MAX_COMMAND = 8192
MAX_TAGS = 20
MAX_TAG = 40
# A warning comes before an idle stop: less would leave no time to read it.
MIN_IDLE_MINUTES = 2
MAX_IDLE_MINUTES = 7 * 24 * 60

# `\Z`, not `$`, which also passes a line feed at the end.
_SLUG = re.compile(r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z")
_VERSION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}\Z")


@dataclass(frozen=True, slots=True)
class EnvironmentLimits:
    """The most that one environment may ask for, and how many a user may have (0: any number). CPU and memory are
    bounded by the engine's machine too."""

    per_user: int = 20
    cpu_millicores: int = 64_000
    memory_bytes: int = 256 * 2**30
    storage_bytes: int = 2**40


@dataclass(frozen=True, slots=True)
class Amounts:
    """Resources as numbers."""

    cpu_millicores: int
    memory_bytes: int
    storage_bytes: int

    @classmethod
    def of(cls, resources: EnvironmentResources) -> Amounts:
        """Raises Invalid for what is no quantity."""
        return cls(
            parse_cpu(resources.cpu),
            parse_memory(resources.memory),
            parse_storage(resources.storage),
        )


def check_request(request: EnvironmentRequest) -> None:
    """Raises Invalid with every fault."""
    faults = Faults()
    _check_name(faults, request.name)
    _check_text(faults, "description", request.description)
    _check_port(faults, "port", request.port)
    check_env(faults, request.env)
    _check_quantities(faults, request.cpu, request.memory, request.storage)
    _check_idle(faults, request.idle_stop_minutes)
    faults.raise_any()


def check_change(change: EnvironmentChange) -> None:
    """Raises Invalid with every fault of the fields that are given."""
    faults = Faults()
    if change.name is not None:
        _check_name(faults, change.name)
    _check_text(faults, "description", change.description)
    if change.image is not None:
        check_image(faults, change.image)
    _check_port(faults, "port", change.port)
    if change.env is not None:
        check_env(faults, change.env)
    _check_quantities(faults, change.cpu, change.memory, change.storage)
    if change.idle_stop_minutes is not None:
        _check_idle(faults, change.idle_stop_minutes)
    faults.raise_any()


def check_template(template: Template) -> None:
    """Raises Invalid with every fault of a template as it would be stored."""
    faults = Faults()
    if not _SLUG.fullmatch(template.name):
        faults.add(
            "name",
            f"{shown(template.name)} is not a template name: use 1 to 63 of a-z, 0-9, '.', '_' and '-', "
            "beginning and ending with a letter or digit",
        )
    if not 1 <= len(template.display_name) <= 100 or not _is_line(template.display_name):
        faults.add("display_name", "display_name must be 1 to 100 printable characters")
    _check_text(faults, "description", template.description)
    check_image(faults, template.image)
    _check_port(faults, "default_port", template.default_port)
    check_env(faults, template.env)
    resources = template.default_resources
    _check_quantities(faults, resources.cpu, resources.memory, resources.storage, "default_resources")
    if len(template.tags) > MAX_TAGS:
        faults.add("tags", f"there may be at most {MAX_TAGS} tags")
    for tag in template.tags[:MAX_TAGS]:
        if not 1 <= len(tag) <= MAX_TAG or not _is_line(tag):
            faults.add("tags", f"{shown(tag)} is not a tag: use 1 to {MAX_TAG} printable characters")
    if len(template.startup_commands) > MAX_COMMANDS:
        faults.add("startup_commands", f"there may be at most {MAX_COMMANDS} startup commands")
    for number, command in enumerate(template.startup_commands[:MAX_COMMANDS]):
        if not command.strip() or len(command) > MAX_COMMAND or "\0" in command or not _encodable(command):
            faults.add(f"startup_commands.{number}", f"a startup command must be 1 to {MAX_COMMAND} characters of text")
    for field, address in (("documentation_url", template.documentation_url), ("icon_url", template.icon_url)):
        if address is not None and not _is_web_address(address):
            faults.add(field, f"{shown(address)} is not an http:// or https:// address")
    if not _VERSION.fullmatch(template.version):
        faults.add("version", f"{shown(template.version)} is not a version: use something like '1.0.0'")
    faults.raise_any()


def check_amounts(amounts: Amounts, limits: EnvironmentLimits, cpus: int, memory_bytes: int) -> None:
    """Raises Invalid where more is asked for than one environment may have, or than the engine's machine has (0 where
    it does not say)."""
    faults = Faults()
    most_cpu = min(limits.cpu_millicores, cpus * 1000 if cpus else limits.cpu_millicores)
    if amounts.cpu_millicores > most_cpu:
        faults.add("resources.cpu", f"{amounts.cpu_millicores}m of CPU is more than the {most_cpu}m there may be")
    most_memory = min(limits.memory_bytes, memory_bytes or limits.memory_bytes)
    if amounts.memory_bytes > most_memory:
        faults.add("resources.memory", f"that is more memory than the {_mebi(most_memory)} there may be")
    if amounts.storage_bytes > limits.storage_bytes:
        faults.add("resources.storage", f"that is more storage than the {_mebi(limits.storage_bytes)} there may be")
    faults.raise_any()


def check_count(count: int, limits: EnvironmentLimits) -> None:
    """Raises Conflict where a user with `count` environments may not have one more."""
    if limits.per_user and count >= limits.per_user:
        raise Conflict(
            f"you have {count} environments and may have {limits.per_user}: delete one first",
            details={"reason": "too_many", "limit": limits.per_user},
        )


def _check_name(faults: Faults, name: str) -> None:
    if (
        not 1 <= len(name) <= MAX_NAME
        or not _is_line(name)
        or name != name.strip()
        or not any(each.isalnum() for each in name)
        or "/" in name
    ):
        faults.add(
            "name",
            f"{shown(name)} is not an environment name: use 1 to {MAX_NAME} printable characters, with a letter or "
            "digit among them, without '/' and without spaces at the ends",
        )


def _check_text(faults: Faults, field: str, text: str | None) -> None:
    if text is not None and (len(text) > MAX_TEXT or "\0" in text or not _encodable(text)):
        faults.add(field, f"{field} must be at most {MAX_TEXT} characters of text")


def _check_port(faults: Faults, field: str, port: int | None) -> None:
    if port is not None and not 1 <= port <= 65535:
        faults.add(field, f"{field} must be from 1 to 65535, not {shown(port)}")


def _check_quantities(
    faults: Faults, cpu: str | None, memory: str | None, storage: str | None, field: str = "resources"
) -> None:
    if cpu is not None:
        faults.collect(lambda: parse_cpu(cpu, f"{field}.cpu"))
    if memory is not None:
        faults.collect(lambda: parse_memory(memory, f"{field}.memory"))
    if storage is not None:
        faults.collect(lambda: parse_storage(storage, f"{field}.storage"))


def _check_idle(faults: Faults, minutes: int) -> None:
    if minutes != 0 and not MIN_IDLE_MINUTES <= minutes <= MAX_IDLE_MINUTES:
        faults.add(
            "idle_stop_minutes",
            f"idle_stop_minutes must be 0 (never) or from {MIN_IDLE_MINUTES} to {MAX_IDLE_MINUTES}, "
            f"not {shown(minutes)}",
        )


def _is_line(text: str) -> bool:
    return text.isprintable() and _encodable(text)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        len(address) <= 2048
        and _is_line(address)
        and " " not in address
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
    )


def _mebi(size: int) -> str:
    return f"{size // 2**20}Mi"

"""What goes wrong between us and the engine, told in the words of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException
from requests.exceptions import Timeout as RequestTimeout
from urllib3.exceptions import HTTPError

from backend.domain.errors import Conflict, DomainError, EngineUnavailable, NotFound
from backend.engines.engine_fault import EngineFault as EngineFault


class EngineTimeout(EngineUnavailable):
    """The engine took the request and did not answer in time."""


def unavailable(address: str, cause: BaseException | str) -> EngineUnavailable:
    """The engine cannot be reached: what happened and what to do."""
    text = str(cause)
    if "Permission denied" in text or isinstance(cause, PermissionError):
        advice = "this user may not open its socket: join the 'docker' group and log in again, or run as root"
    elif isinstance(cause, TimeoutError | RequestTimeout):
        return EngineTimeout(
            f"the container engine at {address} does not answer in time: look at its log, or restart it",
            details={"address": address},
        )
    else:
        advice = "start it (for example 'systemctl start docker', or dockerd), or set DOCKER_HOST to where it listens"
    return EngineUnavailable(
        f"no container engine answers at {address}: {advice}", details={"address": address, "cause": text[:300]}
    )


@contextmanager
def sdk_errors(unavailable: Callable[[BaseException], EngineUnavailable]) -> Iterator[None]:
    """Turn what the docker SDK raises into EngineFault (it answered) or what `unavailable` makes of it (it did not)."""
    try:
        yield
    except APIError as error:
        status = error.response.status_code if error.response is not None else 500
        raise EngineFault(status, str(error.explanation or error)) from error
    except (RequestException, HTTPError, DockerException, OSError) as error:
        raise unavailable(error) from error


def domain_error(fault: EngineFault, about: str) -> DomainError:
    """NotFound for what is gone; EngineUnavailable where the engine itself says that it cannot serve; else Conflict
    with details `reason`: `address` (IP taken), `subnet` (pool overlaps), `in_use`, `too_large` (more than the machine
    has), or `refused`."""
    text = fault.text.strip()
    lower = text.lower()
    if fault.status == 404:
        reason = "image" if "no such image" in lower else "network" if "network" in lower else "container"
        reason = "volume" if "no such volume" in lower else reason
        return NotFound(f"{about}: {text}", details={"reason": reason})
    if "marked for removal" in lower:
        return NotFound(f"{about}: {text}", details={"reason": "container"})
    if "address already in use" in lower and "bind" not in lower:
        return Conflict(f"{about}: its address is taken on the network", details={"reason": "address"})
    if "pool overlaps" in lower:
        return Conflict(f"{about}: pool overlaps with another network", details={"reason": "subnet"})
    if "has active endpoints" in lower or "volume is in use" in lower:
        return Conflict(f"{about}: containers are still attached", details={"reason": "in_use"})
    if "range of cpus is from" in lower:
        return Conflict(f"{about}: the engine refuses: {text}", details={"reason": "too_large"})
    if fault.status == 503:
        return EngineUnavailable(f"{about}: the engine cannot serve now: {text}")
    return Conflict(f"{about}: the engine refuses: {text}", details={"reason": "refused", "status": fault.status})


def refuses_size(fault: EngineFault) -> bool:
    """Whether the engine's storage cannot bound the size of a container or volume: only some file systems can."""
    lower = fault.text.lower()
    return any(words in lower for words in ("storage-opt", "storage opt", "quota", 'invalid option: "size"'))


@contextmanager
def translated(about: str) -> Iterator[None]:
    """Let only domain errors out; `about` opens the message, e.g. `container web-1 cannot be started`."""
    try:
        yield
    except EngineFault as fault:
        raise domain_error(fault, about) from fault

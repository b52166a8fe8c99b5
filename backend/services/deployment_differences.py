"""What an update changes, for the journal: names of fields, and old and new values where those are no secret."""

from __future__ import annotations

from backend.domain.deployments import Deployment, DeploymentSpec


def names_of_changes(before: Deployment, spec: DeploymentSpec, replicas: int) -> list[str]:
    """The documented names of the fields that differ."""
    pairs = (
        ("image", (before.spec.image, before.spec.digest), (spec.image, spec.digest)),
        ("envVars", before.spec.env, spec.env),
        ("resources", before.spec.resources, spec.resources),
        ("replicas", before.replicas, replicas),
    )
    return [name for name, old, new in pairs if old != new]


def differences(before: Deployment, spec: DeploymentSpec, replicas: int) -> list[dict[str, str]]:
    """One `{"field", "from", "to"}` for each value that differs; "" stands for a value that is not there. Environment
    variables are `{"field": "env NAME", "change": "added" | "removed" | "changed"}`: their values are secrets."""
    old = before.spec
    pairs = (
        ("image", old.image, spec.image),
        ("digest", old.digest, spec.digest),
        ("cpu", old.resources.cpu, spec.resources.cpu),
        ("memory", old.resources.memory, spec.resources.memory),
        ("replicas", before.replicas, replicas),
    )
    found = [{"field": name, "from": str(was), "to": str(now)} for name, was, now in pairs if was != now]
    for name in sorted(old.env.keys() | spec.env.keys()):
        if old.env.get(name) != spec.env.get(name):
            change = "added" if name not in old.env else "removed" if name not in spec.env else "changed"
            found.append({"field": f"env {name}", "change": change})
    return found

"""What a terminal can be opened on, as lines to choose from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.presentation.logs import short_replica
from widgets.terminal.ssh_pty import SshTarget, TargetError, parse_target

if TYPE_CHECKING:
    from backend.wire.pilothouse import DeploymentModel
    from backend.wire.pilothouse_environments import EnvironmentModel

CAST_SUFFIX = ".cast"
READY = "ready"
RUNNING = "running"


@dataclass(frozen=True, slots=True)
class TerminalChoice:
    """One line. An `ssh` one without a target asks for it."""

    kind: Literal["replica", "environment", "local", "ssh", "replay"]
    label: str
    detail: str = ""
    deployment_id: str = ""
    app_name: str = ""
    replica: str = ""
    environment_id: str = ""
    target: SshTarget | None = None
    path: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        """Whether all the words are in it, whatever their case."""
        text = f"{self.label} {self.detail}".lower()
        return all(word in text for word in words)


def replica_choices(deployments: Iterable[DeploymentModel]) -> list[TerminalChoice]:
    """Shells in replicas that are ready; a deployment with several has a line for each."""
    choices = []
    for deployment in deployments:
        ready = [replica.name for replica in deployment.replica_list if replica.phase == READY]
        for name in ready:
            place = f" {short_replica(name)}" if len(ready) > 1 else ""
            choices.append(
                TerminalChoice(
                    "replica", f"{deployment.app_name}{place}", "a shell in the replica",
                    deployment_id=deployment.id, app_name=deployment.app_name, replica=name if len(ready) > 1 else "",
                )
            )  # fmt: skip
    return choices


def environment_choices(environments: Iterable[EnvironmentModel]) -> list[TerminalChoice]:
    """The first terminals of the environments that run, by name."""
    running = sorted((one for one in environments if one.status == RUNNING), key=lambda one: one.name)
    return [
        TerminalChoice("environment", one.name, "a terminal in the environment", environment_id=one.id)
        for one in running
    ]


def other_choices(hosts: Iterable[str], recordings: Iterable[str]) -> list[TerminalChoice]:
    """This machine, the hosts of the ssh configuration, a host that is typed, and recordings by their paths."""
    choices = [
        TerminalChoice("local", "This machine", "your shell"),
        TerminalChoice("ssh", "SSH…", "to a host that you name"),
    ]
    for host in hosts:
        try:
            choices.append(TerminalChoice("ssh", f"ssh {host}", "from your ssh configuration", target=SshTarget(host)))
        except TargetError:
            continue  # names that ssh itself would refuse
    choices += [
        TerminalChoice("replay", path.rpartition("/")[2], "replay the recording", path=path) for path in recordings
    ]
    return choices


def typed_choice(text: str) -> TerminalChoice | None:
    """What the typed text itself could mean: `ada@box:22` is a host, a path a recording. None for anything else."""
    text = text.strip()
    if text.endswith(CAST_SUFFIX) or text.startswith(("/", "~/", "./")):
        return TerminalChoice("replay", text, "replay the recording", path=text)
    words = text.removeprefix("ssh ").strip()
    if "@" not in words and words == text:
        return None
    try:
        target = parse_target(words)
    except TargetError:
        return None
    return TerminalChoice("ssh", f"ssh {target.label}", "", target=target)


def filtered(choices: Sequence[TerminalChoice], text: str) -> list[TerminalChoice]:
    """Those with all words of the text; what the text itself means comes first."""
    words = text.lower().split()
    found = [choice for choice in choices if choice.matches(words)]
    typed = typed_choice(text)
    return found if typed is None or any(choice.target == typed.target for choice in found if typed.target) else [
        typed, *found
    ]  # fmt: skip

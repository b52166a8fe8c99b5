"""Where ssh goes to: nothing that is typed becomes an option, and what ssh says at its end is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from widgets.terminal.ssh_hosts import ssh_hosts
from widgets.terminal.ssh_pty import SshTarget, TargetError, how_it_ended, parse_target


@pytest.mark.parametrize(
    ("text", "arguments", "label"),
    [
        ("box", ["ssh", "--", "box"], "box"),
        ("ada@box", ["ssh", "-l", "ada", "--", "box"], "ada@box"),
        (" ada@box:2222 ", ["ssh", "-p", "2222", "-l", "ada", "--", "box"], "ada@box:2222"),
        ("::1", ["ssh", "--", "::1"], "::1"),
        ("[fe80::1%eth0]:22", ["ssh", "-p", "22", "--", "fe80::1%eth0"], "[fe80::1%eth0]:22"),
        ("a@b@box", ["ssh", "-l", "a@b", "--", "box"], "a@b@box"),
        ("CORP\\ada@box", ["ssh", "-l", "CORP\\ada", "--", "box"], "CORP\\ada@box"),
    ],
)
def test_targets_as_people_write_them(text: str, arguments: list[str], label: str) -> None:
    target = parse_target(text)
    assert target.arguments() == arguments
    assert target.label == label


@pytest.mark.parametrize(
    "text",
    [
        "", "-oProxyCommand=touch /tmp/x", "ada@-oProxyCommand=x", "-l@box", "box;reboot", "$(reboot)", "`x`", "a b",
        "box\n", "box:0", "box:65536", "box:٣", "box:x", "@box", "ssh://box", "é", "a" * 300, "ada\\@box", "[::1",
        "[::1]x", "bo'x",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        parse_target(text) if text != "box\n" else SshTarget(text)


def test_jump_hosts_are_checked_each() -> None:
    target = SshTarget("box", jump="ada@one:22,two")
    assert target.arguments() == ["ssh", "-J", "ada@one:22,two", "--", "box"]
    with pytest.raises(TargetError):
        SshTarget("box", jump="one,-oProxyCommand=x")
    with pytest.raises(TargetError):
        SshTarget("box", port=-1)


@pytest.mark.parametrize(
    ("code", "tail", "end"),
    [
        (0, "logout\r\nConnection to box closed.\r\n", "over"),
        (7, "client_loop: send disconnect: Broken pipe\r\n", "over"),
        (255, "$ Connection to 127.0.0.1 closed by remote host.\r\n\r\n", "dropped"),
        (255, "client_loop: send disconnect: Broken pipe\r\n", "dropped"),
        (255, "Timeout, server box not responding.\r\r\n", "dropped"),
        (255, "ssh: connect to host box port 22: Connection refused\r\n", "unreachable"),
        (255, "ssh: Could not resolve hostname nowhere: Name or service not known\r\n", "unreachable"),
        (255, "kex_exchange_identification: read: Connection reset by peer\r\n", "unreachable"),
        (255, "ada@box: Permission denied (publickey,password).\r\n", "over"),
        (255, "Host key verification failed.\r\n", "over"),
        (255, "", "over"),
        (None, "", "over"),
    ],
)
def test_ends_of_ssh(code: int | None, tail: str, end: str) -> None:
    assert how_it_ended(code, tail) == end


def test_hosts_of_the_configuration_without_patterns(tmp_path: Path) -> None:
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config").write_text(
        "# mine\nInclude config.d/*.conf\nHost web db *.example.com !not\n  HostName 10.0.0.1\nhost=quoted\n"
        'Host "with space"\nMatch host x\nHost "unclosed\nInclude nowhere/*\nInclude config\n'
    )
    (tmp_path / "config.d" / "work.conf").write_text("Host build web\n")
    (tmp_path / "config.d" / "binary.conf").write_bytes(b"Host \xff\xfe\n\x00")
    hosts = ssh_hosts(tmp_path / "config")
    assert [host for host in hosts if host.isascii() and " " not in host] == ["build", "web", "db", "quoted"]
    assert ssh_hosts(tmp_path / "none") == []
    assert ssh_hosts(tmp_path) == []

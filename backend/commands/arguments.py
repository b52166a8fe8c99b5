"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The chosen command and its options; those not given are None. Exits with 2 on a wrong command line."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pilothouse", description="The backend of Pilothouse.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    data_dir = argparse.ArgumentParser(add_help=False)
    data_dir.add_argument(
        "--data-dir", metavar="DIR", help="where all state lives (default: PILOTHOUSE_DATA_DIR, else the user's)"
    )

    serve = commands.add_parser("serve", parents=[data_dir], help="run the backend")
    serve.add_argument("--host", help="what to listen on (default 127.0.0.1)")
    serve.add_argument("--port", help="port of the API (default 8090)")
    serve.add_argument("--ingress-port", metavar="PORT", help="port of the apps (default 8080)")
    serve.add_argument(
        "--bind",
        action="append",
        metavar="SURFACE=HOST:PORT",
        help="serve one surface at the root of its own port; can be given several times",
    )
    serve.add_argument("--background", action="store_true", help="start it, wait until it answers, and return")

    stop = commands.add_parser("stop", parents=[data_dir], help="end the backend; apps and ingress keep running")
    stop.add_argument("--all", action="store_true", help="also end the ingress and remove all containers and networks")
    stop.add_argument("--yes", action="store_true", help="with --all: do not ask")

    admin = commands.add_parser("admin", help="administer the installation")
    admin_commands = admin.add_subparsers(dest="admin_command", required=True, metavar="COMMAND")
    create = admin_commands.add_parser("create", parents=[data_dir], help="make an administrator's account")
    create.add_argument("--username", required=True)
    create.add_argument("--email", required=True)
    create.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    invite = admin_commands.add_parser("invite", parents=[data_dir], help="let an address make an account of its own")
    invite.add_argument("--email", required=True)
    invite.add_argument("--days", type=int, default=7, help="how long the invitation holds (default: 7)")

    for name, does in (("deactivate", "shut an account out; its apps go on running"), ("activate", "let it in again")):
        change = admin_commands.add_parser(name, parents=[data_dir], help=does)
        change.add_argument("--email", required=True)

    commands.add_parser("status", parents=[data_dir], help="say what runs")
    commands.add_parser("demo-image", parents=[data_dir], help="build the demo's image from what this machine has")
    commands.add_parser("doctor", parents=[data_dir], help="look for what is wrong and say what to do")
    return parser

"""The `pilothouse` command. Imports as little as it can: the first screen waits for it.

The server's own commands run as `python -m backend ...`, so that this process never holds the backend.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

BACKEND_COMMANDS = {
    "serve": "run the backend in the foreground, without a screen",
    "stop": "end the backend; apps keep running (--all ends those too)",
    "admin": "manage accounts on this machine",
    "status": "what runs, and how it is",
    "doctor": "look for what is wrong, and say what to do",
}
CONTEXT_VARIABLE = "PILOTHOUSE_CONTEXT"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    handed_on = _for_backend(words)
    if handed_on is not None:
        return _run_backend(handed_on)
    options = _parser().parse_args(words)
    if options.version:
        return _print_version()
    if options.command == "demo":
        from tui.demo import run_demo

        return run_demo(
            options.data_dir,
            image=options.image,
            port=options.app_port,
            name=options.name,
            serve=_serve_arguments(options),
        )
    if options.command == "replay":
        return _replay(options)
    if options.command in BACKEND_COMMANDS:
        data_dir = [] if options.data_dir is None else ["--data-dir", str(options.data_dir)]
        return _run_backend([options.command, *data_dir])
    return _open(options)


def _for_backend(words: list[str]) -> list[str] | None:
    """The arguments for `python -m backend` where the command is one of its own; `--data-dir` may stand before it."""
    for at, word in enumerate(words):
        if word in BACKEND_COMMANDS:
            before = words[:at]
            if before and not before[0].startswith("--data-dir"):
                return None
            return [word, *words[at + 1 :], *before]
        if word.startswith("-") or (at and words[at - 1] == "--data-dir"):
            continue
        return None
    return None


def _run_backend(arguments: list[str]) -> int:
    """Replaces this process, so that signals and exit codes are the backend's own."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", "backend", *arguments])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pilothouse",
        description="Your own container platform, from the terminal. Without a command: the full-screen app.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where all state is (or PILOTHOUSE_DATA_DIR)")
    parser.add_argument(
        "--context",
        default=os.environ.get(CONTEXT_VARIABLE) or "local",
        help="which backend: local, a name of the settings file, or a URL (or PILOTHOUSE_CONTEXT)",
    )
    parser.add_argument("--theme", help="a colour theme; T switches in the app")
    parser.add_argument("--keymap", choices=("k9s", "lazydocker"), help="whose keys; K switches in the app")
    parser.add_argument("--port", metavar="PORT", help="API port of a backend that this starts (default: 8090)")
    parser.add_argument(
        "--ingress-port", metavar="PORT", help="apps' port of a backend that this starts (default: 8080)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in BACKEND_COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    demo = commands.add_parser("demo", help="deploy a sample app, to see something real")
    demo.add_argument("--data-dir", type=Path, metavar="DIR", default=argparse.SUPPRESS)
    demo.add_argument("--port", metavar="PORT", default=argparse.SUPPRESS)
    demo.add_argument("--ingress-port", metavar="PORT", default=argparse.SUPPRESS)
    demo.add_argument("--image", help="use this image instead of looking for one")
    demo.add_argument("--app-port", type=int, metavar="PORT", help="port that --image serves on (default: 80)")
    demo.add_argument("--name", default="demo", help="name of the app (default: demo)")
    replay = commands.add_parser("replay", help="play a recording of a terminal (asciicast v2)")
    replay.add_argument("file", type=Path, metavar="FILE")
    return parser


def _serve_arguments(options: argparse.Namespace) -> tuple[str, ...]:
    chosen = (("--port", options.port), ("--ingress-port", options.ingress_port))
    return tuple(word for flag, value in chosen if value for word in (flag, value))


def _print_version() -> int:
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"pilothouse {version('pilothouse')}")
    except PackageNotFoundError:
        print("pilothouse (not installed)")
    return 0


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _replay(options: argparse.Namespace) -> int:
    if not _on_a_terminal():
        print("pilothouse replay: this is not a terminal.", file=sys.stderr)
        return 2
    from tui.preferences import load_preferences, preferences_file, with_flags
    from tui.replay import replay

    _ask_the_terminal_for_its_size()

    preferences = with_flags(load_preferences(preferences_file()), theme=options.theme, keymap=options.keymap)
    return replay(options.file, preferences)


def _ask_the_terminal_for_its_size() -> None:
    """A shell that exports these would fix the screen's size for good: Python believes them, whatever is resized."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def _open(options: argparse.Namespace) -> int:
    if not _on_a_terminal():
        print(
            "pilothouse: this is not a terminal, so the full-screen app cannot open.\n"
            "Run `pilothouse serve` for the backend alone, or `pilothouse status` to see what runs.",
            file=sys.stderr,
        )
        return 2
    from tui.app import Options, PilothouseApp
    from tui.preferences import load_preferences, preferences_file, with_flags

    _ask_the_terminal_for_its_size()
    path = preferences_file()
    preferences = with_flags(load_preferences(path), theme=options.theme, keymap=options.keymap)
    app = PilothouseApp(
        Options(
            data_dir=options.data_dir,
            context=options.context,
            preferences=preferences,
            preferences_path=path,
            serve_arguments=_serve_arguments(options),
        )
    )
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())

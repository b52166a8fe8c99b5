"""`python -m backend COMMAND`. Exit codes: 0 done, 1 failed, 2 wrong use, 3 already or not running."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from backend.commands.arguments import parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    chosen = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(chosen)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Who reads has seen enough (`pilothouse status | head -1`). Python would write what is left once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(chosen: argparse.Namespace) -> int:
    if chosen.command == "serve":
        from backend.commands.serve import serve

        return serve(chosen)
    if chosen.command == "stop":
        from backend.commands.stop import stop

        return stop(chosen)
    if chosen.command == "admin":
        from backend.commands.admin import administer

        return administer(chosen)
    if chosen.command == "status":
        from backend.commands.status import status

        return status(chosen)
    if chosen.command == "demo-image":
        from backend.commands.demo_image import demo_image

        return demo_image(chosen)
    from backend.commands.doctor import doctor

    return doctor(chosen)


if __name__ == "__main__":
    sys.exit(main())

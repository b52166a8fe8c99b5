"""`python -m benchmarks [NAME...]`"""

from __future__ import annotations

import argparse
import importlib
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.options import Options
from benchmarks.report import Report

NAMES = (
    "first_screen",
    "tui_idle",
    "tui_flood",
    "deploy_to_url",
    "api_list",
    "backend_idle",
    "rolling_update",
    "log_socket",
    "event_fanout",
    "terminal_feed",
    "terminal_memory",
    "terminal_paint",
    "terminal_echo",
    "terminal_sockets",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a benchmark could not be carried out; never because of a figure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Figures of speed and size, side by side."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="few and short turns, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        print("\n".join(NAMES))
        return 0
    if unknown := sorted(set(chosen.names) - set(NAMES)):
        parser.error(f"no such benchmark: {', '.join(unknown)} (there are {', '.join(NAMES)})")
    report = Report()
    for name in chosen.names or NAMES:
        try:
            for line in importlib.import_module(f"benchmarks.{name}").run(Options(quick=chosen.quick)):
                report.add(line)
        except Exception as error:  # the next one may work all the same
            traceback.print_exc()
            report.failed(name, f"{type(error).__name__}: {error}")
    if chosen.json is not None:
        report.write(chosen.json)
    return 1 if report.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

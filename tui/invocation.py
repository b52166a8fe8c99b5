"""How the user runs this program again: by its name where that is found, else by the path it was run by."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "pilothouse"


def own_command(*words: str, data_dir: Path | None = None) -> str:
    """A line for a shell. `data_dir` is the one that was asked for, None where none was."""
    by = sys.argv[0] if Path(sys.argv[0]).name == NAME and shutil.which(NAME) is None else NAME
    return shlex.join([by, *words, *(["--data-dir", str(data_dir)] if data_dir else [])])

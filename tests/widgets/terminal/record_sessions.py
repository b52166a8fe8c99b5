"""Records sessions of real programs anew, into sessions/: `python -m tests.widgets.terminal.record_sessions [NAME...]`.

As root on Debian, with vim, neovim, htop, less, tmux, mc, git, gcc, make, ninja-build and (in PATH) ipython installed.
The programs run in namespaces of their own, so that they see neither the machine's name nor its other processes.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.widgets.terminal.recording import record

SESSIONS = Path(__file__).with_name("sessions")
SIZES = [(80, 24), (120, 40), (200, 50)]
FOLDER = Path("/tmp/demo/project")

_ALONE = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "sh", "-c", 'hostname box; exec "$@"', "sh"]
_ARROW = b"\x1bOB"
"""Down, as programs want it that set application cursor keys."""
_SHELL = ["bash", "--norc", "--noprofile"]
_DOWN, _UP, _F3, _F5, _F9, _F10 = b"\x1b[B", b"\x1b[A", b"\x1bOR", b"\x1b[15~", b"\x1b[20~", b"\x1b[21~"

PROGRAMS: dict[str, tuple[list[str], list[bytes]]] = {
    "vim": (
        ["vim", "-u", "NONE", "-N", "--cmd", "syntax on", "--cmd", "set hlsearch ruler showcmd number", "main.c"],
        [
            *(
                b"G",
                b"\x02",
                b"gg",
                b"\x06",
                b"/value\r",
                b"n",
                b"N",
                b"dd",
                b"3yyP",
                b"ohello \xe6\xbc\xa2\xe5\xad\x97\x1b",
            ),
            *(
                b"V3j>",
                b":vsplit\r",
                b":split other.py\r",
                b"\x17w",
                b"G",
                b":set list\r",
                b"u",
                b"\x12",
                b":q!\r",
                b":qa!\r",
            ),
        ],
    ),
    "nvim": (
        ["nvim", "-u", "NONE", "--cmd", "syntax on", "--cmd", "set number termguicolors cursorline", "main.c"],
        [
            *(
                b"\x06",
                b"G",
                b"gg",
                b"/value\r",
                b"n",
                b"ciwchanged\x1b",
                b":terminal seq 5\r",
                b":bd!\r",
                b":help\r",
                b"\x06",
            ),
            *(b":q\r", b":colorscheme blue\r", b"V5jd", b"p", b":qa!\r"),
        ],
    ),
    "htop": (
        ["sh", "-c", "sleep 100 & sleep 200 & yes >/dev/null & exec htop"],
        [
            _DOWN,
            _DOWN,
            _F5,
            b"P",
            b"M",
            _F3,
            b"sle\r",
            b"\x1b",
            _F9,
            b"\x1b",
            b"t",
            b"u",
            b"\x1b",
            b"S",
            b"\x1b",
            b"I",
            b"q",
        ],
    ),
    "less": (
        ["less", "-R", "coloured.txt"],
        [
            b" ",
            b" ",
            b"d",
            b"u",
            b"G",
            b"/7\r",
            b"n",
            b"N",
            b"b",
            b"-S\r",
            b"\x1b[C",
            b"\x1b[D",
            b"h",
            b"q",
            b"&wide\r",
            b"&\r",
            b"v",
            b"q",
            b"q",
        ],
    ),
    "tmux": (
        ["tmux", "-f", "/dev/null", "-L", "demo", "new-session", *_SHELL],
        [
            *(
                b"ls -la\r",
                b"\x02%",
                b"seq 40\r",
                b'\x02"',
                b"cat main.c\r",
                b"\x02o",
                b"\x02[",
                b"\x1b[5~",
                b"q",
                b"\x02c",
            ),
            *(
                b"less other.py\r",
                b" ",
                b"q",
                b"\x02n",
                b"\x02z",
                b"\x02z",
                b"\x02 ",
                b"\x02w",
                b"q",
                b"\x02t",
                b"q",
                b"\x02?",
                b"q",
            ),
            *(b"\x02:kill-server\r",),
        ],
    ),
    "mc": (
        ["mc", "-u"],
        [
            *(_ARROW * 9, _F3, b"\x1b[6~", _ARROW, _F10, b"\t", _ARROW * 5, b"\x14", b"\x14", b"\x1b[18~"),
            *(b"\x1b\x1b", _F9, b"\r", _ARROW, b"\x1b\x1b", b"echo hello\r", b"\x0f", b"\x0f", b"\x1bOQ", _ARROW),
            *(b"\x1b\x1b", b"\x1b[15~", b"\x1b\x1b", b"\x1bs", b"\x1b\x1b", _F10, b"\r"),
        ],
    ),
    "python": (
        ["python3", "-q"],
        [
            *(
                b"import math\r",
                b"for n in range(5):\r",
                b"    print(n, math.sqrt(n))\r",
                b"\r",
                b"'wide \xe6\xbc\xa2\xe5\xad\x97 ' * 20\r",
            ),
            *(
                b"1 / 0\r",
                _UP,
                _UP,
                b"\x01",
                b"\x0b",
                b"len('abc')\x1b[D\x1b[D!\x7f\r",
                b"\x12wide",
                b"\x03",
                b"list(range(300))\r",
            ),
            *(b"math.s\t\t", b"\x15", b"x = (1,\r", b"2)\r", b"exit()\r"),
        ],
    ),
    "ipython": (
        ["ipython", "--no-banner", "--colors=Linux", "--HistoryManager.enabled=False"],
        [
            *(
                b"import math\r",
                b"for n in range(3):\rprint(n)\r\r",
                b"math.s",
                b"\t",
                b"\t",
                b"\r",
                b"'text \xe6\xbc\xa2' * 30\r",
            ),
            *(
                b"def double(x):\rreturn x * 2\r\r",
                _UP,
                b"\x03",
                b"list(range(100))\r",
                b"{'a': [1, 2], 'b': double(4)}\r",
            ),
            *(b"\x12dou", b"\x07", b"double?\r", b"q", b"raise ValueError('no')\r", b"exit\r"),
        ],
    ),
    "git": (
        _SHELL,
        [
            *(
                b"git log --graph --oneline --all --decorate --color\r",
                b" ",
                b"q",
                b"git log --stat -p --color\r",
                b" ",
                b" ",
                b"G",
                b"q",
            ),
            *(
                b"git -c color.ui=always diff HEAD~3 --word-diff\r",
                b" ",
                b"q",
                b"git status\r",
                b"git --no-pager branch -avv\r",
            ),
            *(b"git blame main.c\r", b"/value\r", b"q", b"exit\r"),
        ],
    ),
    "build": (
        _SHELL,
        [
            *(b"clear\r", b"make\r", b"make CFLAGS='-Wall -Wextra -fdiagnostics-color=always' broken\r", b"ninja -v\r"),
            *(b"touch main.c; ninja\r", b"python3 progress.py\r", b"python3 -m unittest -v other.py\r", b"exit\r"),
        ],
    ),
    "shell": (
        _SHELL,
        [
            *(
                b"ls --color=always -la /usr | head -20\r",
                b"seq 1 60\r",
                b"clear\r",
                b"printf 'a\\tb\\tc\\033[5Gx\\r\\n'\r",
            ),
            *(
                b"echo a long line that goes over the end of the screen " + b"word " * 40 + b"\x01x\x05y\x1bb\x1bd",
                b"\x15",
            ),
            *(
                b"echo \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81 \xf0\x9f\x98\x80\r",
                b"\x12seq",
                b"\x03",
                b"PS1='\\[\\e[32m\\]\\w\\[\\e[m\\]> '\r",
                b"top -d 60\r",
            ),
            *(b"1", b"m", b"z", b"q", b"exit\r"),
        ],
    ),
}

_C = """/* A program with {n} functions. */
#include <stdio.h>
#include <stdlib.h>

static int value = {n};

{functions}
int main(int argc, char **argv) {{
	for (int i = 0; i < argc; i++)
		printf("%s\\t%d\\n", argv[i], value); /* wide: 漢字 é */
	return EXIT_SUCCESS;
}}
"""
_PROGRESS = """import sys, time
for step in range(101):
    bar = "█" * (step // 4) + "░" * (25 - step // 4)
    sys.stdout.write(f"\\r\\x1b[K\\x1b[36mDownloading\\x1b[0m {bar} {step:3d}% \\x1b[2m{step * 13}/1300 kB\\x1b[0m")
    if step % 20 == 0:
        sys.stdout.write(f"\\r\\x1b[K\\x1b[1;32m    Finished\\x1b[0m part {step // 20}\\n")
    sys.stdout.flush()
for layer in range(8):
    print(f"\\x1b[34m#{layer} [internal]\\x1b[0m load layer {layer}: " + "0123456789abcdef" * (layer + 3))
print("\\x1b[8A\\x1b[1G\\x1b[32mdone\\x1b[0m\\x1b[8B\\x1b[1G", end="")
"""


def prepare() -> None:
    """The folder that the programs work in."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)

    def write(name: str, text: str) -> None:
        (FOLDER / name).write_text(text)

    def function(n: int) -> str:
        return f"static int step_{n}(int x)\n{{\n\treturn x * {n} + value; /* {'long ' * (n % 30)}*/\n}}\n"

    write("main.c", _C.format(n=60, functions="\n".join(map(function, range(60)))))
    write("broken.c", "int main(void)\n{\n\tint unused;\n\tretrun 0;\n}\n")
    write(
        "Makefile",
        "all: main\nmain: main.c\n\tgcc -Wall -fdiagnostics-color=always -o main main.c\n"
        "broken: broken.c\n\tgcc $(CFLAGS) -o broken broken.c\n",
    )
    write(
        "build.ninja",
        "rule cc\n  command = gcc -w -c $in -o $out\n  description = CC $out\n"
        + "".join(f"build part{n}.o: cc main.c\n" for n in range(6)),
    )
    write("progress.py", _PROGRESS)
    write(
        "other.py",
        "import unittest\n\n\nclass Sums(unittest.TestCase):\n"
        + "".join(
            f"    def test_sum_{n}(self):\n        self.assertEqual({n} + 1, {n + (n != 7)})\n\n" for n in range(30)
        ),
    )
    write(
        "coloured.txt",
        "".join(
            f"\x1b[{30 + n % 8}mline {n}\x1b[0m \x1b[1;4mbold\x1b[0m {'wide 漢字 é ' * (n % 9)}"
            f"\x1b[38;5;{n % 256}m{'x' * (n % 150)}\x1b[m\n"
            for n in range(200)
        ),
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(FOLDER), "LANG": "C.UTF-8"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "A U Thor", f"GIT_{role}_EMAIL": "author@example.org"}

    def git(*words: str, day: int = 1) -> None:
        dates = {f"GIT_{role}_DATE": f"2024-01-{day:02d}T12:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        subprocess.run(
            ["git", "-c", "init.defaultBranch=main", *words],
            cwd=FOLDER,
            env=env | dates,
            check=True,
            capture_output=True,
        )

    git("init")
    write(".gitignore", "*.o\nmain\n.*\n")
    git("add", ".")
    git("commit", "-m", "Begin")
    for day in range(2, 12):
        if day == 5:
            git("checkout", "-b", "topic")
        if day == 8:
            git("checkout", "main")
        text = (FOLDER / "main.c").read_text().replace(f"x * {day} ", f"x * {day}00 - {day} ")
        write("main.c", text)
        git("commit", "-am", f"Make step {day} longer\n\nBecause the {day} steps before it were short.", day=day)
    git("merge", "-s", "ours", "-m", "Merge topic, keeping ours", "topic", day=12)
    write("main.c", (FOLDER / "main.c").read_text() + "/* not yet committed */\n")


def main() -> None:
    SESSIONS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PROGRAMS:
        command, keys = PROGRAMS[name]
        for columns, rows in SIZES:
            prepare()
            data = record(
                [*_ALONE, *command],
                keys,
                columns,
                rows,
                folder=FOLDER,
                environment={"PAGER": "less -R"},
                pause=0.7 if name == "mc" else 0.25,
            )
            packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
            (SESSIONS / f"{name}-{columns}x{rows}.xz").write_bytes(packed)
            print(f"{name} {columns}x{rows}: {len(data)} bytes, {len(packed)} packed")


if __name__ == "__main__":
    main()

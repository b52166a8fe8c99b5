"""What people live in: an editor, a monitor, a pager, a file manager, a multiplexer; each used, resized and left.

`Shell` is a terminal in the screen of terminals with nothing beside it: the line of tabs above it, the hints below it.
"""

from __future__ import annotations

import re
import time

from tests.end_to_end.tmux_screen import DEADLINE_SECONDS, TmuxScreen

PROMPT = "pp> "


class Shell:
    """A shell with a prompt of the test's own, in an outer terminal of this size."""

    def __init__(self, screen: TmuxScreen, columns: int, rows: int) -> None:
        self.screen = screen
        self.columns, self.rows = columns, rows
        self._asked = 0

    # --- reading: rows of the inner terminal, from 0

    def lines(self) -> list[str]:
        lines = self.screen.text.split("\n")[: self.rows]
        return [line.ljust(self.columns) for line in lines[1 : self.rows - 1]]

    def until_rows(self, *wanted: tuple[int, str]) -> None:
        """Until each of these rows (negative: from the end) matches its pattern."""

        def there(_: str) -> bool:
            lines = self.lines()
            return len(lines) == self.rows - 2 and all(re.search(pattern, lines[row]) for row, pattern in wanted)

        self.screen.until(there, f"rows with {wanted} at {self.columns}x{self.rows}")

    def press_until(self, key: str, wanted: tuple[int, str]) -> None:
        """For the first key after a new size: less and htop may throw away what is typed while they take that in."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            self.screen.press(key)
            again = time.monotonic() + 2.0
            while time.monotonic() < again:
                if re.search(wanted[1], self.lines()[wanted[0]]):
                    return
                time.sleep(0.05)
            assert time.monotonic() < deadline, f"{key} brought about no {wanted}:\n{self.screen.text}"

    # --- doing

    def line(self, text: str) -> None:
        self.screen.type(text)
        self.screen.press("Enter")

    def own_prompt(self) -> None:
        """A clean environment, whatever the shell is, in a new folder."""
        self.line(f"unset HISTFILE; export LC_ALL=C.UTF-8; PS1='{PROMPT}'; cd $(mktemp -d) || exit; clear")
        self.until_rows((0, f"^{PROMPT}"))

    def back(self) -> None:
        """Until the program has ended: what is typed before would be its own."""
        self.screen.until(lambda _: self.shown().endswith(PROMPT.rstrip()), "the prompt")

    def shown(self) -> str:
        """All that stands in the terminal."""
        return "\n".join(line.rstrip() for line in self.lines()).rstrip()

    def clean(self) -> None:
        """Back in the shell, with an empty screen."""
        self.back()
        self.line("clear")
        self.until_rows((0, f"^{PROMPT}"), (1, r"^ *$"))

    def answer(self, command: str) -> str:
        """What a command prints, in one line."""
        self._asked += 1
        self.line(f"clear; {command}; echo END-{self._asked}")
        # The line that was typed has the words too, but not at its beginning.
        self.screen.until(
            lambda _: f"\nEND-{self._asked}\n{PROMPT.rstrip()}" in f"\n{self.shown()}", f"{command}'s end"
        )
        return self.lines()[0].strip()

    def resize(self, columns: int, rows: int) -> None:
        """The outer window; the app has laid itself out anew when this returns."""
        self.screen.resize(columns, rows)
        self.columns, self.rows = columns, rows
        self.screen.until(
            lambda text: (
                len(text.rstrip("\n").split("\n")) == rows
                and "^\\ Commands" in text.rstrip("\n").split("\n")[-1]
                and text.split("\n")[0][columns - 12 :].rstrip().endswith("×")
            ),
            f"the app in {columns}x{rows}",
        )


def size_is_the_panes(shell: Shell) -> None:
    """The program's own idea of its size is what there is between the tabs and the hints."""
    shell.screen.until(
        lambda _: shell.answer("stty size") == f"{shell.rows - 2} {shell.columns}",
        f"a shell of {shell.rows - 2} {shell.columns}",
    )


def edit_with_vim(shell: Shell, other: tuple[int, int]) -> None:
    size = (shell.columns, shell.rows)
    shell.line("vim -n note.txt")
    shell.until_rows((1, "^~ "), (-1, "note.txt"))
    shell.screen.type("ifirst line")
    shell.screen.press("Enter")
    shell.screen.type("zweite Zeile äöü 漢字")
    shell.screen.press("Escape")
    shell.until_rows((0, "^first line"), (1, "^zweite Zeile äöü 漢字"), (2, "^~ "))
    shell.resize(*other)
    shell.until_rows((0, "^first line"), (1, "äöü 漢字"), (-2, "^~ "))
    shell.screen.type("ggIThe ")
    shell.screen.press("Escape")
    shell.until_rows((0, "^The first line"))
    shell.screen.type(":%s/line/row/")
    shell.screen.press("Enter")
    shell.until_rows((0, "^The first row"))
    shell.resize(*size)
    shell.line(":wq")
    shell.back()
    assert shell.answer("cat note.txt") == "The first row"
    shell.until_rows((0, "^The first row"), (1, "^zweite Zeile äöü 漢字"))


def watch_with_htop(shell: Shell, other: tuple[int, int]) -> None:
    size = (shell.columns, shell.rows)
    shell.line("htop -d 100")
    shell.until_rows((-1, "^F1Help .*F10Quit"))
    shell.screen.until_shown("Load average", "PID", "Command")
    shell.resize(*other)
    shell.until_rows((-1, "^F1Help .*F10Quit"))
    shell.press_until("F5", (-1, "F5List"))
    shell.screen.press("F3")
    shell.screen.type("htop")
    shell.until_rows((-1, "Search: htop"))
    shell.screen.press("Escape")
    shell.resize(*size)
    shell.screen.press("q")
    shell.clean()


def page_with_less(shell: Shell, other: tuple[int, int]) -> None:
    size = (shell.columns, shell.rows)
    shell.line("seq 1 500 | less -R")
    shell.until_rows((0, "^1 "), (-2, f"^{shell.rows - 3} "), (-1, "^:"))
    shell.screen.press("G")
    shell.until_rows((-2, "^500 "), (-1, r"\(END\)"))
    shell.resize(*other)
    shell.screen.press("g")
    shell.until_rows((0, "^1 "), (-2, f"^{shell.rows - 3} "))
    shell.line("/250")
    shell.until_rows((0, "^250 "))
    shell.resize(*size)
    shell.until_rows((0, "^250 "), (-2, f"^{250 + shell.rows - 4} "))

    shell.press_until("g", (0, "^1 "))
    shell.screen.press("q")
    shell.clean()


def manage_with_mc(shell: Shell, other: tuple[int, int]) -> None:
    size = (shell.columns, shell.rows)
    shell.answer("mkdir -p tree/inner; echo text > tree/file.txt")
    shell.line("mc -u -d tree /")
    shell.until_rows((0, "Left +File +Command +Options +Right"), (-1, "1 ?Help.*10 ?Quit"))
    shell.screen.until_shown("file.txt", "/inner")
    shell.screen.press("Down", "Down")
    shell.resize(*other)
    shell.until_rows((0, "Left +File +Command +Options +Right"), (-1, "1 ?Help.*10 ?Quit"))
    shell.screen.press("F3")
    shell.until_rows((1, "^text"), (-1, "3 ?Quit"))
    shell.screen.press("F10")
    shell.screen.until_shown("file.txt", "/inner")
    shell.resize(*size)
    shell.until_rows((-1, "1 ?Help.*10 ?Quit"))
    shell.screen.press("F10")
    shell.clean()


def nest_tmux(shell: Shell, other: tuple[int, int]) -> None:
    size = (shell.columns, shell.rows)
    shell.line("tmux -L inner-$$ -f /dev/null new \"PS1='in> ' bash --norc\"")
    shell.until_rows((0, "^in>"), (-1, r"^\[\d+\] 0:"))
    shell.screen.press("C-b")
    shell.screen.press("%")
    shell.until_rows((5, "│"), (-3, "│"))
    shell.line("echo right-$((40+2))")
    shell.screen.until_line("│right-42")
    shell.resize(*other)
    shell.until_rows((-2, "│"), (-1, r"^\[\d+\] 0:"))
    shell.screen.until_line("│right-42")
    shell.screen.press("C-b")
    shell.screen.press("c")
    shell.until_rows((-1, r"0:\S+- 1:\S+\*"))
    shell.resize(*size)
    shell.until_rows((-1, r"0:\S+- 1:\S+\*"))
    shell.screen.press("C-b")
    shell.screen.press(":")
    shell.until_rows((-1, "^:"))
    shell.line("kill-server")
    shell.clean()


PROGRAMS = {
    "vim": edit_with_vim,
    "htop": watch_with_htop,
    "less": page_with_less,
    "mc": manage_with_mc,
    "tmux": nest_tmux,
}

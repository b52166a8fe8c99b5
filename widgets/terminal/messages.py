"""What terminals tell the app around them. All are nested in `Terminal`, as `Terminal.Exited`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from widgets.terminal.widget import Terminal


class TerminalMessages:
    """The messages. Their handlers are named `on_terminal_...`."""

    class TerminalMessage(Message, namespace="terminal"):
        """What all have. `control` is the terminal."""

        def __init__(self, terminal: Terminal) -> None:
            super().__init__()
            self.terminal = terminal

        @property
        def control(self) -> Terminal:
            return self.terminal

    class TitleChanged(TerminalMessage, namespace="terminal"):
        """The program set a title."""

        def __init__(self, terminal: Terminal, title: str) -> None:
            super().__init__(terminal)
            self.title = title

    class Exited(TerminalMessage, namespace="terminal"):
        """The output ended. `code` is the exit status, None where it is unknown; `error` says why nothing could be
        opened, or why the connection broke."""

        def __init__(self, terminal: Terminal, code: int | None, error: str | None = None) -> None:
            super().__init__(terminal)
            self.code = code
            self.error = error

    class BellRang(TerminalMessage, namespace="terminal"):
        """The program rang the bell. Bells in a row are told once for each frame."""

    class Resized(TerminalMessage, namespace="terminal"):
        """The terminal has a new size, in cells."""

        def __init__(self, terminal: Terminal, columns: int, rows: int) -> None:
            super().__init__(terminal)
            self.columns = columns
            self.rows = rows

    class Copied(TerminalMessage, namespace="terminal"):
        """The user copied text: it went through `App.copy_to_clipboard`."""

        def __init__(self, terminal: Terminal, text: str) -> None:
            super().__init__(terminal)
            self.text = text

    class CopyRequested(TerminalMessage, namespace="terminal"):
        """The program wants text in the clipboard (OSC 52). Nothing is copied unless the app does it.

        `selection` are the letters that it named: "c" the clipboard, "p" the primary selection; empty for its default.
        """

        def __init__(self, terminal: Terminal, text: str, selection: str) -> None:
            super().__init__(terminal)
            self.text = text
            self.selection = selection

    class LinkRequested(TerminalMessage, namespace="terminal"):
        """The user wants to open a link. Nothing is opened unless the app does it, after it showed the whole address
        and asked: a program writes what it likes, and calls it what it likes. See `LinkDialog`.

        `shown` is the text of the link on the screen.
        """

        def __init__(self, terminal: Terminal, address: str, shown: str) -> None:
            super().__init__(terminal)
            self.address = address
            self.shown = shown

    class DirectoryChanged(TerminalMessage, namespace="terminal"):
        """The shell is in another folder (OSC 7), on a host that may be another one; "" where it did not say."""

        def __init__(self, terminal: Terminal, path: str, host: str) -> None:
            super().__init__(terminal)
            self.path = path
            self.host = host

    class Notified(TerminalMessage, namespace="terminal"):
        """The program sent a notification (OSC 9 or 777). The title may be empty."""

        def __init__(self, terminal: Terminal, title: str, text: str) -> None:
            super().__init__(terminal)
            self.title = title
            self.text = text

    class ProgressChanged(TerminalMessage, namespace="terminal"):
        """The program tells how far it is (OSC 9;4): state 0 none, 1 running, 2 failed, 3 of unknown length, 4 paused;
        percent from 0 to 100."""

        def __init__(self, terminal: Terminal, state: int, percent: int) -> None:
            super().__init__(terminal)
            self.state = state
            self.percent = percent

    class CopyModeChanged(TerminalMessage, namespace="terminal"):
        """Copy mode began or ended."""

        def __init__(self, terminal: Terminal, copying: bool) -> None:
            super().__init__(terminal)
            self.copying = copying
